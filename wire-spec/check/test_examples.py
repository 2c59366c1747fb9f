"""The examples printed in the chapters, and bodies that no chapter prints."""

import json
import random
import re
import unittest

import address
import chunks
import codec
import discovery
import frame
import gossip
import identity
import messages
import readers
import record
import spec
import spki
import varint
from refusal import Refused

CHAPTER_3 = "03-framing-and-encoding.md"
CHAPTER_4 = "04-control-protocols.md"
CHAPTER_5 = "05-discovery.md"
CHAPTER_6 = "06-gossip.md"
CHAPTER_7 = "07-chunks.md"

# `Example (file, "case"):` and the code block, or the code span, that follows it.
EXAMPLE = re.compile(
    r'^Example \(`vectors/([a-z_]+\.json)`, "([^"]+)"\):(?:\n\n```\n(.*?)```| `([^`]*)`)', re.M | re.S
)


def hexadecimal(cell: str) -> bytes:
    """The bytes in the code spans of a cell, without an ellipsis."""
    return bytes.fromhex(cell.replace("`", "").replace("…", ""))


def printed_bytes(chapter: str) -> list[str]:
    """What each line of a chapter prints before a key, in hexadecimal without spaces."""
    lines = (spec.FOLDER / chapter).read_text(encoding="utf-8").splitlines()
    return [line.split("‖")[0].replace(" ", "") for line in lines if "‖ public key [" in line]


def vector(file: str, name: str) -> str:
    """Input of a case, in hexadecimal."""
    document = json.loads((spec.FOLDER / "vectors" / file).read_text(encoding="utf-8"))
    return next(case["hex"] for case in document["cases"] if case["name"] == name)


def pattern(block: str) -> str:
    """What a printed example stands for: its bytes up to the first gap of two spaces on each line.

    An ellipsis stands for any bytes.
    """
    printed = (re.split(r" {2,}", line.strip())[0] for line in block.splitlines())
    return "".join(printed).replace(" ", "").replace("…", "[0-9a-f]*")


class Chapter1(unittest.TestCase):
    def test_the_prefix_of_a_key_in_der(self):
        self.assertIn(spki.PREFIX.hex(), printed_bytes("01-identity-and-cryptography.md"))
        self.assertEqual(len(spki.PREFIX), 22)


class Chapter3(unittest.TestCase):
    def test_varints(self):
        examples = {
            "25": 37,
            "4040": 64,
            "7bbd": 15_293,
            "9d7f3e7d": 494_878_333,
            "c2197c5eff14e88c": 151_288_809_941_952_652,
        }
        for text, value in examples.items():
            data = bytes.fromhex(text)
            self.assertEqual(varint.decode(data, 0), (value, len(data)))
            self.assertEqual(varint.encode(value), data)

    def test_each_length_of_varint_ends_where_the_table_says(self):
        for length, largest in zip(varint.LENGTHS, (63, 16_383, 1_073_741_823, 2**62 - 1)):
            self.assertEqual(len(varint.encode(largest)), length)
            if largest < varint.LARGEST:
                self.assertGreater(len(varint.encode(largest + 1)), length)

    def test_frames(self):
        state = frame.State({1: 100, 3: 0}, frozenset({1, 2, 3}))
        for cell, result in spec.table(CHAPTER_3, "bytes", "result"):
            data = hexadecimal(cell.replace(" and FIN", ""))
            with self.subTest(cell):
                if result.startswith("type"):
                    frames = frame.decode_frames(data, state)
                    self.assertEqual(b"".join(frame.encode_frame(*item) for item in frames), data)
                    self.assertEqual(len(frames), result.count("type"))
                    continue
                with self.assertRaises(Refused) as refusal:
                    frame.decode_frames(data, state)
                code = spec.answering_codes()[refusal.exception.violation]
                self.assertEqual(code, result.split(",")[0])

    def test_compact_integers(self):
        examples = {250: "fa", 251: "fbfb00", 65_535: "fbffff", 65_536: "fc00000100"}
        for value, text in (examples | {2**32: "fd0000000001000000"}).items():
            self.assertEqual(codec.compact(value, 8).hex(), text)
            self.assertEqual(codec.Reader(bytes.fromhex(text)).compact(8), value)

    def test_addresses(self):
        for cell, text in spec.table(CHAPTER_3, "hex", "address"):
            decoded = address.decode(hexadecimal(cell))
            self.assertEqual(address.to_text(decoded), text.strip("`"))

    def test_the_longest_address_has_the_lengths_of_the_limits(self):
        name = ".".join(["a" * 63] * 3 + ["a" * 61])
        longest = address.Address(address.DNS4, name, 65_535, (bytes(32), bytes(32)))
        self.assertEqual(len(name), 253)
        self.assertEqual(len(address.write(longest)), 325)
        self.assertEqual(len(address.to_text(longest)), 403)
        self.assertEqual(address.decode(address.write(longest)), longest)


class Chapter4(unittest.TestCase):
    def test_pings(self):
        for cell, nonce in spec.table(CHAPTER_4, "body", "nonce"):
            body = hexadecimal(cell)
            with self.subTest(cell):
                if nonce.startswith("refused"):
                    with self.assertRaisesRegex(Refused, nonce.removeprefix("refused: ")):
                        messages.decode_ping(body)
                else:
                    stated = nonce.replace(" ", "")
                    self.assertEqual(messages.decode_ping(body), {"nonce": stated})

    def test_observed_addresses(self):
        bodies = [hexadecimal(cell) for cell, _ in spec.table(CHAPTER_4, "body", "content")]
        text = "/ip4/203.0.113.7/udp/9000/quic-v1"
        for body, sequence in zip(bodies, (0, 2**64 - 1), strict=True):
            decoded = messages.decode_observed(body)
            self.assertEqual(decoded, {"sequence": str(sequence), "address": text})

    def test_whole_streams(self):
        self.assert_stream("01 01 06 01 00 00 00 00 00", 1, [(1, bytes(5))])
        self.assert_stream("02 01 04 01 fb fb 00", 2, [(1, bytes.fromhex("fbfb00"))])
        self.assert_stream("40 40 01 03 01 68 69", 0x40, [(1, b"hi")])
        twice = [(1, b"\xab\xab")] * 2
        self.assert_stream("40 41 01 03 01 ab ab 03 01 ab ab", 0x41, twice)

    def assert_stream(self, text: str, protocol: int, frames: list[tuple[int, bytes]]) -> None:
        data = bytes.fromhex(text)
        number, version, end = frame.decode_header(data)
        self.assertEqual((number, version), (protocol, 1))
        state = frame.State({1: 4096}, frozenset({1, 2}))
        self.assertEqual(frame.decode_frames(data[end:], state), frames)


    def test_printed_vectors(self):
        self.assertEqual(assert_examples(self, CHAPTER_4), {"identify.json"})


def assert_examples(test: unittest.TestCase, chapter: str) -> set[str]:
    """Every example of a chapter is the case that it names. The files of these cases."""
    text = (spec.FOLDER / chapter).read_text(encoding="utf-8")
    examples = EXAMPLE.findall(text)
    test.assertEqual(len(examples), text.count("Example ("))
    for file, name, block, span in examples:
        with test.subTest(file):
            test.assertRegex(vector(file, name), f"^{pattern(block or span)}$")
    return {file for file, *_ in examples}


class Chapter5(unittest.TestCase):
    def test_printed_vectors(self):
        files = assert_examples(self, CHAPTER_5)
        answers = {"value.json", "providers.json", "stored.json", "handed_off.json"}
        requests = {"find_node.json", "find_value.json", "get_providers.json", "store.json"}
        self.assertLessEqual(answers | requests | {"hand_off.json", "contact.json"}, files)

    def test_whole_streams(self):
        request = bytes.fromhex("04 01 22 01") + bytes.fromhex(vector("find_node.json", "typical"))
        self.assertEqual(frame.decode_header(request), (4, 1, 2))
        state = frame.State({1: 33}, frozenset({1}))
        (kind, body), *rest = frame.decode_frames(request[2:], state)
        self.assertEqual((kind, rest), (1, []))
        self.assertEqual(discovery.FIND_NODE.decode(body)["want"], 40)
        nobody = frame.decode_frames(bytes.fromhex("02 11 00"), frame.State({0x11: 1}, frozenset()))
        self.assertEqual(nobody, [(0x11, b"\0")])
        self.assertEqual(discovery.NODES.decode(b"\0"), {"contacts": []})

    def test_printed_keys(self):
        owner = bytes.fromhex("e633966b4f122c0c5f0cbd56dc78abb4546c406a83188e49689e91e2a57bcff7")
        keys = [hexadecimal(cell) for _, cell in spec.table(CHAPTER_5, "key of", "key")]
        computed = [
            record.key_of_value(b"hello"),
            record.key_of_owner(owner, b"profile"),
            record.key_of_role("relay"),
        ]
        self.assertEqual(keys, computed)

    def test_the_outcomes_have_the_numbers_of_their_table(self):
        rows = [
            row
            for row in spec.table(CHAPTER_5, "variant", "number", "meaning")
            if row[1].isdigit()
        ]
        self.assertEqual([name for name, _, _ in rows], list(discovery.OUTCOMES))
        self.assertEqual([int(number) for _, number, _ in rows], list(range(5)))

    def test_the_largest_messages_have_the_lengths_of_the_limits(self):
        peer, key = "07" * 32, "ff" * 32
        relay = identity.base32(bytes(32))
        host = f"/ip6/2001:db8::1/udp/65535/quic-v1/p2p/{relay}/p2p-circuit/p2p/"
        told = {"peer": peer, "addresses": [host + identity.base32(bytes.fromhex(peer))] * 4}
        nodes = {"contacts": [told] * 40}
        blob = {"kind": 65_535, "body": "00" * 65_536}
        largest = {
            "FIND_NODE": discovery.FIND_NODE.write({"target": key, "want": 255}),
            "FIND_VALUE": discovery.FIND_VALUE.write({"target": key, "kind": 65_535, "key": key}),
            "GET_PROVIDERS": discovery.GET_PROVIDERS.write({"target": key, "key": key}),
            "HAND_OFF": discovery.HAND_OFF.write({"after": key}),
            "NODES": discovery.NODES.write(nodes),
            "VALUE": discovery.VALUE.write({"record": blob} | nodes),
            "PROVIDERS": discovery.PROVIDERS.write({"providers": [told] * 32} | nodes),
            "STORED": discovery.STORED.write({"outcomes": ["Invalid"] * 64}),
        }
        limits = {name: limit for name, limit in printed_limits().items() if name in largest}
        self.assertEqual({name: len(body) for name, body in largest.items()}, limits)

    def test_the_state_machine_and_the_registry_give_the_same_limits(self):
        self.assertEqual(printed_limits(), registered_limits(4))

    def test_the_largest_record_of_each_kind(self):
        numbers = {"sequence": str(2**64 - 1), "created": str(2**64 - 1), "expires": str(2**64 - 1)}
        mutable = {"suite": 1, "public_key": "00" * 2592, "signature": "00" * 4627} | numbers
        bodies = {
            "1": discovery.IMMUTABLE_RECORD.write({"value": "00" * 16_384}),
            "2": discovery.MUTABLE_RECORD.write(
                mutable | {"salt": "00" * 64, "value": "00" * 16_384}
            ),
            "3": discovery.PROVIDER_RECORD.write({"key": "00" * 32, "lifetime": 2**32 - 1}),
        }
        rows = spec.table(CHAPTER_5, "kind", "record", "largest body", "replicated", "lives")
        printed = {number: amount(largest) for number, _, largest, _, _ in rows if largest}
        self.assertEqual({kind: len(body) for kind, body in bodies.items()}, printed)


def amount(cell: str) -> int:
    return int(cell.replace(" ", ""))


def printed_limits() -> dict[str, int]:
    """Largest body of each frame of discovery by its state machine."""
    rows = spec.table(CHAPTER_5, "state", "legal now", "largest body")
    limits = {name: amount(limit) for _, name, limit in rows}
    assert all(limits[name] == amount(limit) for _, name, limit in rows)
    return limits


def registered_limits(protocol: int) -> dict[str, int]:
    """The same by the registry (README section 3.2)."""
    return {name: limit for name, (_, limit) in spec.largest_bodies(protocol).items()}


class Chapter6(unittest.TestCase):
    def test_printed_vectors(self):
        files = {"subscribe", "topics", "prune", "ihave", "iwant", "idontwant", "modes"}
        files |= {"publisher_key", "seal", "sealed_message", "unsigned_message", "large", "have"}
        self.assertEqual(assert_examples(self, CHAPTER_6), {f"{file}.json" for file in files})

    def test_a_whole_stream(self):
        stream = bytes.fromhex("05 01 22 01") + bytes.fromhex(vector("subscribe.json", "typical"))
        self.assertEqual(frame.decode_header(stream), (gossip.PROTOCOL, 1, 2))
        state = frame.State({1: 4_097}, frozenset({1}))
        self.assertEqual([kind for kind, _ in frame.decode_frames(stream[2:], state)], [1])

    def test_the_printed_id_of_an_unsigned_message(self):
        network, topic = identity.network_id("test"), identity.digest(b"topic")
        computed = gossip.unsigned_id(network, topic, b"hello").hex()
        text = (spec.FOLDER / CHAPTER_6).read_text(encoding="utf-8")
        self.assertIn(f"id of the unsigned message {computed}\n", text)

    def test_the_frames_have_the_types_and_bodies_of_their_tables(self):
        rows = spec.table(CHAPTER_6, "frame", "type", "says", "body")
        types = {name: int(kind, 16) for name, kind, _, _ in rows}
        registered = spec.largest_bodies(gossip.PROTOCOL)
        self.assertEqual(types, {name: kind for name, (kind, _) in registered.items()})
        self.assertEqual(types.keys(), gossip.BODIES.keys())
        with_topics = {name for name, _, _, body in rows if body == "Topics"}
        self.assertEqual(with_topics, {"UNSUBSCRIBE", "GRAFT", "WAKE"})

    def test_the_modes_have_the_numbers_of_their_table(self):
        rows = spec.table(CHAPTER_6, "variant", "number", "meaning")
        printed = [(name, int(number)) for name, number, _ in rows]
        self.assertEqual(printed, list(zip(gossip.MODES_OF_A_LINK, range(3))))

    def test_the_largest_messages_have_the_lengths_of_the_limits(self):
        peer, most = "07" * 32, str(2**64 - 1)
        relay = identity.base32(bytes(32))
        host = f"/ip6/2001:db8::1/udp/65535/quic-v1/p2p/{relay}/p2p-circuit/p2p/"
        told = {"peer": peer, "addresses": [host + identity.base32(bytes.fromhex(peer))] * 4}
        data = "00" * 16_384
        topics = {"topics": [most] * 128}
        numbers = {"key": most, "epoch": most, "first": most}
        widest = [{"first": 65_535, "count": 65_535}] * 64
        largest = {
            "SUBSCRIBE": {"topics": [peer] * 128},
            "UNSUBSCRIBE": topics,
            "GRAFT": topics,
            "PRUNE": {"topic": most, "backoff_s": 2**32 - 1, "peers": [told] * 16},
            "IHAVE": {"topic": most, "ids": [peer] * 1_024},
            "IWANT": {"ids": [peer] * 1_024},
            "IDONTWANT": {"ids": [peer] * 64},
            "MODES": {"topic": most, "changes": [{"publisher": peer, "mode": "Eager"}] * 256},
            "WAKE": topics,
            "KEY": {"suite": 255, "key": "00" * 2_592},
            "SEAL": numbers
            | {"topic": peer, "leaves": [peer] * 1_024, "signature": "00" * 4_627},
            "MESSAGE": {"seal": most, "index": 65_535, "timestamp_ms": most, "data": data},
            "UNSIGNED": {"topic": most, "data": data},
            "LARGE": {"seal": most, "index": 65_535, "timestamp_ms": most}
            | {"length": 2**32 - 1, "chunks": [peer] * 512},
            "HAVE": {"message": peer, "has": widest, "offers": widest},
        }
        bodies = {name: gossip.BODIES[name].write(message) for name, message in largest.items()}
        lengths = {name: len(body) for name, body in bodies.items()}
        self.assertEqual(lengths, printed_bodies())
        self.assertEqual(lengths, registered_limits(gossip.PROTOCOL))

    def test_every_part_of_a_sealed_message_counts(self):
        data = bytes.fromhex(vector("gossip_stream.json", "one sealed message"))
        reader = readers.reader("gossip_stream.json", None)
        messages, tried = reader.from_hex(data, None), 0
        for place in range(0, len(data), 53):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            tried += 1
            try:
                self.assertNotEqual(reader.from_hex(changed, None), messages)
            except Refused:
                continue
        self.assertGreater(tried, 100)

    def test_windows_end_where_they_should(self):
        for window in (gossip.WINDOW_OF_KEYS, gossip.WINDOW_OF_SEALS):
            sent = list(range(window + 1))
            self.assertEqual(gossip.within(sent, window, "1"), 1)
            self.assertEqual(gossip.within(sent, window, str(window)), window)
            for outside in (0, window + 1):
                with self.assertRaisesRegex(Refused, "UnknownOrdinal"):
                    gossip.within(sent, window, str(outside))


    def test_the_printed_hashes_of_chunks(self):
        message = (b"chunks." * 10_000)[:65_537]
        first, second = chunks.hashes(message)
        whole = chunks.root([first, second])
        self.assertEqual(whole, identity.digest(message))
        text = (spec.FOLDER / CHAPTER_6).read_text(encoding="utf-8")
        self.assertIn(
            f"{first.hex()}   chunk 0\n{second.hex()}   chunk 1\n{whole.hex()}   root", text
        )

    def test_the_bounds_of_long_messages_are_those_of_their_table(self):
        limits = {limit: value for limit, value, _ in spec.table(CHAPTER_6, *LIMITS)}
        shortest, longest = limits["long message"].removesuffix(" (32 MiB)").split(" to ")
        self.assertEqual((amount(shortest), amount(longest)), (chunks.SHORTEST, chunks.LONGEST))
        self.assertEqual(amount(limits["chunk"]), chunks.CHUNK_BYTES)
        self.assertEqual(amount(limits["hashes of a LARGE"]), gossip.MOST_CHUNKS)
        self.assertEqual(amount(limits["ranges in each list of a HAVE"]), gossip.MOST_RANGES)
        self.assertEqual(chunks.chunks_of(chunks.LONGEST), gossip.MOST_CHUNKS)


class Chapter7(unittest.TestCase):
    def test_printed_vectors(self):
        files = {"get_chunk.json", "chunk.json"}
        self.assertEqual(assert_examples(self, CHAPTER_7), files)

    def test_a_whole_stream(self):
        body = bytes.fromhex(vector("get_chunk.json", "typical"))
        stream = bytes.fromhex("09 01 22 01") + body
        self.assertEqual(frame.decode_header(stream), (9, 1, 2))
        state = frame.State({1: 35}, frozenset({1, 2}))
        self.assertEqual(frame.decode_frames(stream[2:], state), [(1, body)])

    def test_the_largest_messages_have_the_lengths_of_the_limits(self):
        rows = spec.table(CHAPTER_7, "state", "legal now", "largest body")
        printed = {name: amount(limit) for _, name, limit in rows}
        most = {
            "GET_CHUNK": chunks.GET_CHUNK.write({"message": "00" * 32, "index": 65_535}),
            "CHUNK": chunks.CHUNK.write({"data": "00" * 65_536}),
        }
        self.assertEqual({name: len(body) for name, body in most.items()}, printed)
        self.assertEqual(printed, registered_limits(9))


class Blake3(unittest.TestCase):
    """The compression function of `chunks.py` against a library."""

    def test_the_root_of_the_chunks_is_the_hash_of_the_message(self):
        source = random.Random(2)
        edges = (0, 1, 63, 64, 65, 1_024, 1_025, 3_072, 65_536, 65_537, 131_072, 196_609)
        for length in edges:
            with self.subTest(length):
                message = source.randbytes(length)
                hashes = chunks.hashes(message)
                self.assertEqual(len(hashes), chunks.chunks_of(length))
                self.assertEqual(chunks.root(hashes), identity.digest(message))

    def test_a_chunk_at_another_place_has_another_hash(self):
        first, second, _ = chunks.hashes(bytes(2 * chunks.CHUNK_BYTES + 1))
        self.assertNotEqual(first, second)


LIMITS = ("limit", "value", "reason")


def printed_bodies() -> dict[str, int]:
    """Largest body of each frame of gossip by the table of its chapter."""
    rows = spec.table(CHAPTER_6, "body", "bytes", "the largest one")
    return {name: amount(limit) for names, limit, _ in rows for name in names.split(", ")}


class Registry(unittest.TestCase):
    def test_every_violation_is_answered_with_a_registered_code(self):
        answers = set(spec.answering_codes().values()) | set(spec.gossip_answers().values())
        self.assertLessEqual(answers, spec.error_codes().keys())

    def test_every_key_in_another_der_is_answered_with_a_listed_alert(self):
        self.assertLessEqual(set(spec.answering_alerts().values()), spec.alerts().keys())

    def test_no_label_hash_opens_a_tls_signature_or_a_certificate(self):
        for name in spec.labels():
            self.assertNotIn(identity.kdf(name, b"")[0], (0x20, 0x30))


class AnyBytes(unittest.TestCase):
    def test_bytes_are_refused_or_decode_to_a_value_that_encodes_to_them(self):
        source = random.Random(1)
        codecs = (
            (messages.decode_identify, messages.encode_identify),
            (messages.decode_observed, messages.encode_observed),
            (address.decode, address.write),
            (discovery.STORE.decode, discovery.STORE.write),
            (discovery.STORED.decode, discovery.STORED.write),
            (discovery.HANDED_OFF.decode, discovery.HANDED_OFF.write),
            (discovery.VALUE.decode, discovery.VALUE.write),
            (discovery.RECORD.decode, discovery.RECORD.write),
            (discovery.IMMUTABLE_RECORD.decode, discovery.IMMUTABLE_RECORD.write),
            (gossip.TOPICS.decode, gossip.TOPICS.write),
            (gossip.PRUNE.decode, gossip.PRUNE.write),
            (gossip.IHAVE.decode, gossip.IHAVE.write),
            (gossip.MESSAGE.decode, gossip.MESSAGE.write),
            (gossip.UNSIGNED.decode, gossip.UNSIGNED.write),
            (gossip.LARGE.decode, gossip.LARGE.write),
            (gossip.HAVE.decode, gossip.HAVE.write),
            (chunks.GET_CHUNK.decode, chunks.GET_CHUNK.write),
            (chunks.CHUNK.decode, chunks.CHUNK.write),
        )
        accepted = 0
        for _ in range(60_000):
            body = bytes(source.choices((0, 1, 2, 3, 0x61, 0xFB, 0xFF), k=source.randrange(24)))
            for decode, encode in codecs:
                try:
                    value = decode(body)
                except Refused as refused:
                    self.assertIn(refused.violation, spec.answering_codes())
                    continue
                accepted += 1
                self.assertEqual(encode(value), body)
        self.assertGreater(accepted, 100)


if __name__ == "__main__":
    unittest.main()
