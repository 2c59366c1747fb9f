"""Frames of gossip and what a receiver makes of a stream of them (chapter 6).

A message is a dictionary in the form of `vectors/README.md`, as in `fields.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import chunks
import frame
import identity
import mldsa
import seal
import spec
from discovery import CONTACT, SMALLEST_CONTACT
from fields import U8, U16, U32, U64, Message, Struct, array, enum, payload, sequence
from refusal import Refused

PROTOCOL = 5
HASH_BYTES = 32
MOST_TOPICS = 128
MOST_SUBSCRIPTIONS = 128
MOST_CONTACTS = 16
MOST_IDS = 1_024
MOST_UNWANTED = 64
MOST_CHANGES = 256
MOST_DATA = 16_384
MOST_CHUNKS = 512
MOST_RANGES = 64
WINDOW_OF_KEYS, WINDOW_OF_SEALS = 1_024, 256
LEAVES_OF_WINDOW = 65_536
SMALLEST_ORDINAL, SMALLEST_CHANGE, SMALLEST_RANGE = 1, 33, 2
MODES_OF_A_LINK = ("Silent", "Lazy", "Eager")

HASH = array(HASH_BYTES)
CHANGE = Struct(publisher=array(identity.PEER_ID_BYTES), mode=enum(*MODES_OF_A_LINK))

SUBSCRIBE = Struct(topics=sequence(MOST_TOPICS, HASH_BYTES, HASH))
TOPICS = Struct(topics=sequence(MOST_TOPICS, SMALLEST_ORDINAL, U64))
PRUNE = Struct(
    topic=U64,
    backoff_s=U32,
    peers=sequence(MOST_CONTACTS, SMALLEST_CONTACT, CONTACT.field()),
)
IHAVE = Struct(topic=U64, ids=sequence(MOST_IDS, HASH_BYTES, HASH))
IWANT = Struct(ids=sequence(MOST_IDS, HASH_BYTES, HASH))
IDONTWANT = Struct(ids=sequence(MOST_UNWANTED, HASH_BYTES, HASH))
MODES = Struct(topic=U64, changes=sequence(MOST_CHANGES, SMALLEST_CHANGE, CHANGE.field()))
KEY = Struct(suite=U8, key=array(mldsa.PUBLIC_KEY_BYTES))
SEAL = Struct(
    key=U64,
    topic=HASH,
    epoch=U64,
    first=U64,
    leaves=sequence(seal.MOST_LEAVES, HASH_BYTES, HASH),
    signature=array(mldsa.SIGNATURE_BYTES),
)
MESSAGE = Struct(seal=U64, index=U16, timestamp_ms=U64, data=payload(MOST_DATA))
UNSIGNED = Struct(topic=U64, data=payload(MOST_DATA))
LARGE = Struct(
    seal=U64,
    index=U16,
    timestamp_ms=U64,
    length=U32,
    chunks=sequence(MOST_CHUNKS, HASH_BYTES, HASH),
)
RANGES = sequence(MOST_RANGES, SMALLEST_RANGE, Struct(first=U16, count=U16).field())
HAVE = Struct(message=HASH, has=RANGES, offers=RANGES)

BODIES = {
    "SUBSCRIBE": SUBSCRIBE,
    "UNSUBSCRIBE": TOPICS,
    "GRAFT": TOPICS,
    "PRUNE": PRUNE,
    "IHAVE": IHAVE,
    "IWANT": IWANT,
    "IDONTWANT": IDONTWANT,
    "MODES": MODES,
    "WAKE": TOPICS,
    "KEY": KEY,
    "SEAL": SEAL,
    "MESSAGE": MESSAGE,
    "UNSIGNED": UNSIGNED,
    "LARGE": LARGE,
    "HAVE": HAVE,
}


def unsigned_id(network: bytes, topic: bytes, data: bytes) -> bytes:
    return identity.kdf("UNSIGNED", network + topic + data)


@dataclass(frozen=True)
class Subscription:
    """What the receiver of a stream subscribed to on its own one."""

    topic: str
    is_unsigned: bool
    is_over: bool

    def topic_hash(self) -> bytes:
        return identity.digest(self.topic.encode("utf-8"))


class Receiver:
    """One end of a pair of streams, without clock, back-off, quotas or a program."""

    def __init__(self, network: bytes, subscriptions: tuple[Subscription, ...]) -> None:
        self._network = network
        self._own = subscriptions
        self._named = 0
        self._subscribed: dict[int, str] = {}
        self._keys: list[Message] = []
        self._seals: list[Message] = []
        self._seen: set[str] = set()
        # Of each long message whose header is here, how many chunks it has.
        self._chunks: dict[str, int] = {}
        self._messages: list[Message] = []

    def read(self, stream: bytes) -> list[Message]:
        """The messages that are new, of a stream that ends after `stream`."""
        bodies = spec.largest_bodies(PROTOCOL)
        state = frame.State(dict(bodies.values()), frozenset(kind for kind, _ in bodies.values()))
        names = {kind: name for name, (kind, _) in bodies.items()}
        for kind, body in frame.decode_frames(stream, state):
            self._take(names[kind], BODIES[names[kind]].decode(body))
        return self._messages

    def _take(self, name: str, message: Message) -> None:
        match name:
            case "SUBSCRIBE":
                self._subscribe(message["topics"])
            case "UNSUBSCRIBE":
                self._unsubscribe([int(ordinal) for ordinal in message["topics"]])
            case "GRAFT" | "WAKE":
                for ordinal in message["topics"]:
                    self._subscription(ordinal)
            case "PRUNE" | "IHAVE" | "MODES":
                self._subscription(message["topic"])
            case "KEY":
                if message["suite"] != identity.ML_DSA_87:
                    raise Refused("InvalidKey")
                self._keys.append(message)
            case "SEAL":
                self._take_seal(message)
            case "MESSAGE":
                self._take_message(message)
            case "UNSIGNED":
                self._take_unsigned(message)
            case "LARGE":
                self._take_header(message)
            case "HAVE":
                self._take_news(message)

    def _subscribe(self, topics: list[str]) -> None:
        for topic in topics:
            self._subscribed = {n: held for n, held in self._subscribed.items() if held != topic}
            self._subscribed[self._named] = topic
            self._named += 1
        if len(self._subscribed) > MOST_SUBSCRIPTIONS:
            raise Refused("TooManySubscriptions")

    def _unsubscribe(self, ordinals: list[int]) -> None:
        for ordinal in ordinals:
            if ordinal >= self._named:
                raise Refused("UnknownOrdinal")
            self._subscribed.pop(ordinal, None)

    def _subscription(self, ordinal: str) -> Subscription:
        if int(ordinal) >= len(self._own):
            raise Refused("UnknownOrdinal")
        return self._own[int(ordinal)]

    def _take_seal(self, message: Message) -> None:
        key = within(self._keys, WINDOW_OF_KEYS, message["key"])
        leaves = message["leaves"]
        overflows = int(message["first"]) + len(leaves) > seal.LARGEST_U64
        if not leaves or len(set(leaves)) < len(leaves) or overflows:
            raise Refused("InvalidSeal")
        self._seals.append(message | {"key": bytes.fromhex(key["key"])})

    def _window_of_seals(self) -> int:
        """How many of the last seals may be named."""
        leaves = 0
        for count, listing in enumerate(reversed(self._seals[-WINDOW_OF_SEALS:])):
            leaves += len(listing["leaves"])
            if leaves > LEAVES_OF_WINDOW:
                return count
        return min(len(self._seals), WINDOW_OF_SEALS)

    def _take_message(self, message: Message) -> None:
        data = bytes.fromhex(message["data"])
        proven = self._prove(message, lambda: (len(data), identity.digest(data)))
        if proven is not None:
            self._deliver(proven | {"data": data.hex()})

    def _take_header(self, header: Message) -> None:
        proven = self._prove(header, lambda: (header["length"], chunks.check_header(header)))
        if proven is not None:
            self._chunks[proven["id"]] = len(header["chunks"])
            self._deliver(proven | {"length": header["length"], "chunks": header["chunks"]})

    def _take_news(self, news: Message) -> None:
        count = self._chunks.get(news["message"])
        if count is not None and not chunks.are_there(news["has"] + news["offers"], count):
            raise Refused("FalseChunks")

    def _prove(
        self, message: Message, content: Callable[[], tuple[int, bytes]]
    ) -> Message | None:
        """The checks of section 5.2, in their order. What is known of a message that is new."""
        listing = within(self._seals, self._window_of_seals(), message["seal"])
        index = message["index"]
        if index >= len(listing["leaves"]):
            raise Refused("NotInSeal")
        topic = bytes.fromhex(listing["topic"])
        current = [own for own in self._own if own.topic_hash() == topic and not own.is_over]
        if not current:
            return None
        if current[0].is_unsigned:
            raise Refused("WrongTopic")
        listed = listing["leaves"][index]
        if listed in self._seen:
            return None
        fields = seal.LeafFields(
            network=self._network,
            topic=topic,
            publisher=identity.peer_id(listing["key"]),
            epoch=int(listing["epoch"]),
            counter=int(listing["first"]) + index,
            timestamp_ms=int(message["timestamp_ms"]),
        )
        if seal.leaf_of(fields, *content()).hex() != listed:
            raise Refused("NotInSeal")
        if not _is_signed(listing, self._network):
            raise Refused("InvalidSignature")
        source = {
            "publisher": fields.publisher.hex(),
            "epoch": str(fields.epoch),
            "counter": str(fields.counter),
            "timestamp_ms": str(fields.timestamp_ms),
        }
        return {"topic": current[0].topic, "id": listed, "source": source}

    def _take_unsigned(self, message: Message) -> None:
        own, data = self._subscription(message["topic"]), bytes.fromhex(message["data"])
        if own.is_over:
            return
        if not own.is_unsigned:
            raise Refused("WrongTopic")
        name = unsigned_id(self._network, own.topic_hash(), data).hex()
        if name not in self._seen:
            self._deliver({"topic": own.topic, "id": name, "source": None, "data": data.hex()})

    def _deliver(self, message: Message) -> None:
        self._seen.add(message["id"])
        self._messages.append(message)


def within(sent: list[Message], window: int, ordinal: str) -> Message:
    """What the ordinal names among the last `window` of those sent."""
    number = int(ordinal)
    if not max(0, len(sent) - window) <= number < len(sent):
        raise Refused("UnknownOrdinal")
    return sent[number]


def _is_signed(listing: Message, network: bytes) -> bool:
    leaves = bytes.fromhex("".join(listing["leaves"]))
    signed = seal.SealInput(
        network=network,
        publisher=identity.peer_id(listing["key"]),
        topic=bytes.fromhex(listing["topic"]),
        epoch=int(listing["epoch"]),
        first=int(listing["first"]),
        count=len(listing["leaves"]),
        leaves_hash=identity.digest(leaves),
    )
    signature = bytes.fromhex(listing["signature"])
    return mldsa.verify(listing["key"], seal.encode(signed), signature)
