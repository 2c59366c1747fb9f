"""How each vector file is read: from the input of a case to the value that it should state."""

from collections.abc import Callable
from dataclasses import dataclass

import address
import chunks
import discovery
import fields
import frame
import gossip
import identity
import messages
import mldsa
import record
import seal
import spec
import spki
import varint
from refusal import Refused

Value = object


@dataclass(frozen=True)
class Reader:
    """Decoders and encoder of one file.

    Decoders also get the stated value (None in invalid cases) for what no input can tell: the
    name behind a hash, the seed behind a key, the fields that are hashed together with the input.
    """

    from_hex: Callable[[bytes, Value], Value] | None = None
    from_text: Callable[[str, Value], Value] | None = None
    to_bytes: Callable[[Value], bytes] | None = None
    # Invalid bytes: the key of the case that says how a node answers them, and what by violation.
    answers: tuple[str, Callable[[], dict[str, str]]] | None = None
    # Texts that must all have a case, where a registry lists them.
    complete: Callable[[], set[str]] | None = None
    # Whether a decoder takes so long that a test tries only some of the changes to an input.
    costly: bool = False
    # Whether some inputs hold bytes that say nothing, as those of a frame that is ignored.
    partial: bool = False


def reader(file: str, rules: dict | None) -> Reader:
    """The reader of the file named `file`; LookupError if there is none, or for stray rules."""
    if (file == "frame.json") != (rules is not None):
        raise LookupError("rules belong to frame.json alone, and it must have them")
    return _frame_reader(rules) if file == "frame.json" else READERS[file]


def known_files() -> set[str]:
    return READERS.keys() | {"frame.json"}


def _read_label(context: str, _: Value) -> Value:
    printed = dict(spec.labels().values())
    if context not in printed:
        raise Refused("UnlistedLabel")
    computed = identity.derive(context, b"").hex()
    if computed != printed[context]:
        raise Refused("LabelHash")
    return computed


def _read_error_code(name: str, _: Value) -> Value:
    if name not in spec.error_codes():
        raise Refused("Unassigned")
    return spec.error_codes()[name]


def _read_network(name: str, _: Value) -> Value:
    network = identity.network_id(name)
    return {"network_id": network.hex(), "alpn": identity.alpn(network)}


def _read_key(data: bytes, stated: Value) -> Value:
    return _name_of_key(identity.split_key(data), stated)


def _name_of_key(key: bytes, stated: Value) -> Value:
    text = identity.base32(identity.peer_id(key))
    parsed = identity.peer_id_from_text(text)
    return {"peer_id": parsed.hex(), "text": text, "seed": stated["seed"]}


def _write_key(value: Value) -> bytes:
    return bytes([identity.ML_DSA_87]) + mldsa.public_key(bytes.fromhex(value["seed"]))


def _read_spki(data: bytes, stated: Value) -> Value:
    return _name_of_key(spki.decode(data), stated)


def _write_spki(value: Value) -> bytes:
    return spki.encode(mldsa.public_key(bytes.fromhex(value["seed"])))


def _read_peer_id(text: str, _: Value) -> Value:
    return identity.peer_id_from_text(text).hex()


def _read_leaf(data: bytes, stated: Value) -> Value:
    fields = seal.LeafFields(
        network=identity.network_id(stated["network"]),
        topic=identity.digest(stated["topic"].encode("utf-8")),
        publisher=bytes.fromhex(stated["publisher"]),
        epoch=_u64(stated["epoch"]),
        counter=_u64(stated["counter"]),
        timestamp_ms=_u64(stated["timestamp_ms"]),
    )
    return {
        "network": stated["network"],
        "topic": stated["topic"],
        "publisher": fields.publisher.hex(),
        "epoch": str(fields.epoch),
        "counter": str(fields.counter),
        "timestamp_ms": str(fields.timestamp_ms),
        "leaf": seal.leaf(fields, data).hex(),
    }


def _read_seal(data: bytes, stated: Value) -> Value:
    """A hash for which the stated name or leaf does not stand is returned as it is."""
    fields, claimed = seal.decode(data), _seal_input(stated)
    leaves_match = fields.leaves_hash == claimed.leaves_hash
    return {
        "network": stated["network"] if fields.network == claimed.network else fields.network.hex(),
        "publisher": fields.publisher.hex(),
        "topic": stated["topic"] if fields.topic == claimed.topic else fields.topic.hex(),
        "epoch": str(fields.epoch),
        "first_counter": str(fields.first),
        "leaf": stated["leaf"] if leaves_match else fields.leaves_hash.hex(),
        "leaf_repeated": fields.count,
    }


def _write_seal(value: Value) -> bytes:
    return seal.encode(_seal_input(value))


def _seal_input(value: Value) -> seal.SealInput:
    count = value["leaf_repeated"]
    return seal.SealInput(
        network=identity.network_id(value["network"]),
        publisher=bytes.fromhex(value["publisher"]),
        topic=identity.digest(value["topic"].encode("utf-8")),
        epoch=_u64(value["epoch"]),
        first=_u64(value["first_counter"]),
        count=count,
        leaves_hash=identity.digest(bytes.fromhex(value["leaf"]) * count),
    )


def _read_varint(data: bytes, _: Value) -> Value:
    value, end = varint.decode(data, 0)
    if end != len(data):
        raise Refused("TrailingBytes")
    return str(value)


def _read_header(data: bytes, _: Value) -> Value:
    protocol, version, end = frame.decode_header(data)
    if end != len(data):
        raise Refused("TrailingBytes")
    return {"protocol": protocol, "version": version}


def _frame_reader(rules: dict) -> Reader:
    state = frame.State(
        {rule["type"]: rule["max_body"] for rule in rules["legal"]}, frozenset(rules["defined"])
    )

    def read(data: bytes, _: Value) -> Value:
        frames = frame.decode_frames(data, state)
        return [{"type": kind, "body": body.hex()} for kind, body in frames]

    def write(value: Value) -> bytes:
        frames = [(item["type"], bytes.fromhex(item["body"])) for item in value]
        return b"".join(frame.encode_frame(kind, body) for kind, body in frames)

    return Reader(from_hex=read, to_bytes=write, answers=CODES)


def _read_address(data: bytes, _: Value) -> Value:
    return address.to_text(address.decode(data))


def _write_address(value: Value) -> bytes:
    return address.write(address.from_text(value))


def _read_address_text(text: str, _: Value) -> Value:
    """The canonical text, after a way through the binary form and back, twice."""
    for _ in range(2):
        text = address.to_text(address.decode(address.write(address.from_text(text))))
    return text


def _read_owner_key(salt: bytes, stated: Value) -> Value:
    owner = bytes.fromhex(stated["owner"])
    return {"owner": owner.hex(), "key": record.key_of_owner(owner, salt).hex()}


def _read_distance(data: bytes, _: Value) -> Value:
    if len(data) != 2 * discovery.KEY_BYTES:
        raise Refused("Length")
    a, b = data[: discovery.KEY_BYTES], data[discovery.KEY_BYTES :]
    return {
        "distance": record.distance(a, b).hex(),
        "common_prefix": record.common_prefix(a, b),
    }


def _read_record_input(data: bytes, stated: Value) -> Value:
    """A hash for which the stated name or bytes do not stand is returned as it is."""
    fields, claimed = record.decode_input(data), _record_input(stated)
    same_network = fields.network == claimed.network
    same_salt = fields.salt_hash == claimed.salt_hash
    same_value = fields.value_hash == claimed.value_hash
    return {
        "network": stated["network"] if same_network else fields.network.hex(),
        "owner": fields.owner.hex(),
        "salt": stated["salt"] if same_salt else fields.salt_hash.hex(),
        "sequence": str(fields.sequence),
        "created": str(fields.created),
        "expires": str(fields.expires),
        "value": stated["value"] if same_value else fields.value_hash.hex(),
    }


def _record_input(value: Value) -> record.RecordInput:
    return record.RecordInput(
        network=identity.network_id(value["network"]),
        owner=bytes.fromhex(value["owner"]),
        salt_hash=identity.digest(bytes.fromhex(value["salt"])),
        sequence=_u64(value["sequence"]),
        created=_u64(value["created"]),
        expires=_u64(value["expires"]),
        value_hash=identity.digest(bytes.fromhex(value["value"])),
    )


def _read_signed_record(data: bytes, _: Value) -> Value:
    network = identity.network_id(NETWORK_OF_RECORDS)
    owner, key = record.check_mutable(discovery.MUTABLE_RECORD.decode(data), network)
    return {"owner": owner.hex(), "key": key.hex()}


def _told_contact(public: bool) -> Callable[[bytes, Value], Value]:
    def read(data: bytes, _: Value) -> Value:
        contact = discovery.CONTACT.decode(data)
        discovery.check_contact(contact, public)
        return contact

    return read


def _read_unsigned_id(data: bytes, stated: Value) -> Value:
    network, topic = stated["network"], stated["topic"]
    hashed = identity.digest(topic.encode("utf-8"))
    unsigned = gossip.unsigned_id(identity.network_id(network), hashed, data)
    return {"network": network, "topic": topic, "id": unsigned.hex()}


def _read_header_of_long(data: bytes, _: Value) -> Value:
    header = gossip.LARGE.decode(data)
    chunks.check_header(header)
    return header


def _read_chunk_hashes(pattern: bytes, stated: Value) -> Value:
    """Hashes the message twice: in chunks, and by a library that knows of none."""
    length = stated["length"]
    if not isinstance(length, int) or not pattern or length > chunks.LONGEST:
        raise Refused("Length")
    message = (pattern * (length // len(pattern) + 1))[:length]
    hashes = chunks.hashes(message)
    if chunks.root(hashes) != identity.digest(message):
        raise Refused("Root")
    if len(stated["chunks"]) != len(hashes):
        raise Refused("Count")
    whole = chunks.root([bytes.fromhex(chunk) for chunk in stated["chunks"]])
    return {
        "length": length,
        "chunks": [one.hex() for one in hashes],
        "hash": whole.hex(),
    }


def _read_gossip(data: bytes, _: Value) -> Value:
    network = identity.network_id(NETWORK_OF_STREAMS)
    return gossip.Receiver(network, SUBSCRIPTIONS).read(data)


def _body(message: fields.Struct, ends_stream: bool = True, costly: bool = False) -> Reader:
    return Reader(
        from_hex=lambda data, _: message.decode(data),
        to_bytes=message.write,
        answers=CODES if ends_stream else None,
        costly=costly,
    )


def _u64(text: str) -> int:
    value = int(text)
    if str(value) != text or not 0 <= value < 2**64:
        raise ValueError(f"{text!r} is no u64 in decimal")
    return value


CODES = ("code", spec.answering_codes)
GOSSIP_CODES = ("code", spec.gossip_answers)
ALERTS = ("alert", spec.answering_alerts)

# The network of `mutable_signature.json`, and that of `gossip_stream.json`.
NETWORK_OF_RECORDS = NETWORK_OF_STREAMS = "test"

# What the receiver of `gossip_stream.json` has subscribed to, in the order of its ordinals.
SUBSCRIPTIONS = (
    gossip.Subscription("topic", is_unsigned=False, is_over=False),
    gossip.Subscription("open", is_unsigned=True, is_over=False),
    gossip.Subscription("gone", is_unsigned=False, is_over=True),
)

READERS = {
    "labels.json": Reader(
        from_text=_read_label,
        complete=lambda: {context for context, _ in spec.labels().values()},
    ),
    "error_codes.json": Reader(
        from_text=_read_error_code, complete=lambda: set(spec.error_codes())
    ),
    "network.json": Reader(from_text=_read_network),
    "peer_id.json": Reader(from_hex=_read_key, from_text=_read_peer_id, to_bytes=_write_key),
    "spki.json": Reader(from_hex=_read_spki, to_bytes=_write_spki, answers=ALERTS),
    "leaf.json": Reader(from_hex=_read_leaf),
    "seal_input.json": Reader(from_hex=_read_seal, to_bytes=_write_seal),
    "varint.json": Reader(
        from_hex=_read_varint,
        to_bytes=lambda value: varint.encode(_u64(value)),
        answers=CODES,
    ),
    "stream_header.json": Reader(
        from_hex=_read_header,
        to_bytes=lambda value: frame.encode_header(value["protocol"], value["version"]),
        answers=CODES,
    ),
    "address.json": Reader(from_hex=_read_address, to_bytes=_write_address, answers=CODES),
    "address_text.json": Reader(from_text=_read_address_text),
    "identify.json": Reader(
        from_hex=lambda data, _: messages.decode_identify(data),
        to_bytes=messages.encode_identify,
        answers=CODES,
    ),
    "ping.json": Reader(
        from_hex=lambda data, _: messages.decode_ping(data),
        to_bytes=messages.encode_ping,
        answers=CODES,
    ),
    "observed.json": Reader(
        from_hex=lambda data, _: messages.decode_observed(data),
        to_bytes=messages.encode_observed,
        answers=CODES,
    ),
    "immutable_key.json": Reader(from_hex=lambda data, _: record.key_of_value(data).hex()),
    "mutable_key.json": Reader(from_hex=_read_owner_key),
    "role_key.json": Reader(from_text=lambda role, _: record.key_of_role(role).hex()),
    "distance.json": Reader(from_hex=_read_distance),
    "contact.json": _body(discovery.CONTACT),
    "contact_public.json": Reader(
        from_hex=_told_contact(public=True), to_bytes=discovery.CONTACT.write
    ),
    "contact_local.json": Reader(
        from_hex=_told_contact(public=False), to_bytes=discovery.CONTACT.write
    ),
    "find_node.json": _body(discovery.FIND_NODE),
    "nodes.json": _body(discovery.NODES),
    "find_value.json": _body(discovery.FIND_VALUE),
    "value.json": _body(discovery.VALUE),
    "get_providers.json": _body(discovery.GET_PROVIDERS),
    "providers.json": _body(discovery.PROVIDERS),
    "store.json": _body(discovery.STORE),
    "stored.json": _body(discovery.STORED),
    "hand_off.json": _body(discovery.HAND_OFF),
    "handed_off.json": _body(discovery.HANDED_OFF),
    "record.json": _body(discovery.RECORD),
    "immutable_record.json": _body(discovery.IMMUTABLE_RECORD, ends_stream=False),
    "mutable_record.json": _body(discovery.MUTABLE_RECORD, ends_stream=False),
    "provider_record.json": _body(discovery.PROVIDER_RECORD, ends_stream=False),
    "mutable_input.json": Reader(
        from_hex=_read_record_input,
        to_bytes=lambda value: record.encode_input(_record_input(value)),
    ),
    "mutable_signature.json": Reader(from_hex=_read_signed_record, costly=True),
    "subscribe.json": _body(gossip.SUBSCRIBE),
    "topics.json": _body(gossip.TOPICS),
    "prune.json": _body(gossip.PRUNE),
    "ihave.json": _body(gossip.IHAVE, costly=True),
    "iwant.json": _body(gossip.IWANT, costly=True),
    "idontwant.json": _body(gossip.IDONTWANT),
    "modes.json": _body(gossip.MODES, costly=True),
    "publisher_key.json": _body(gossip.KEY),
    "seal.json": _body(gossip.SEAL, costly=True),
    "sealed_message.json": _body(gossip.MESSAGE),
    "unsigned_message.json": _body(gossip.UNSIGNED),
    "unsigned_id.json": Reader(from_hex=_read_unsigned_id),
    "large.json": Reader(
        from_hex=_read_header_of_long,
        to_bytes=gossip.LARGE.write,
        answers=GOSSIP_CODES,
        costly=True,
    ),
    "have.json": _body(gossip.HAVE),
    "chunk_hashes.json": Reader(from_hex=_read_chunk_hashes, costly=True),
    "get_chunk.json": _body(chunks.GET_CHUNK),
    "chunk.json": _body(chunks.CHUNK),
    "gossip_stream.json": Reader(
        from_hex=_read_gossip,
        answers=GOSSIP_CODES,
        costly=True,
        partial=True,
    ),
}
