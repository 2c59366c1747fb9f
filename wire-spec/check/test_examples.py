"""The examples printed in the chapters, and bodies that no chapter prints."""

import random
import unittest

import address
import codec
import frame
import identity
import messages
import spec
import spki
import varint
from refusal import Refused

CHAPTER_3 = "03-framing-and-encoding.md"
CHAPTER_4 = "04-control-protocols.md"


def hexadecimal(cell: str) -> bytes:
    """The bytes in the code spans of a cell, without an ellipsis."""
    return bytes.fromhex(cell.replace("`", "").replace("…", ""))


def printed_bytes(chapter: str) -> list[str]:
    """What each line of a chapter prints before a key, in hexadecimal without spaces."""
    lines = (spec.FOLDER / chapter).read_text(encoding="utf-8").splitlines()
    return [line.split("‖")[0].replace(" ", "") for line in lines if "‖ public key [" in line]


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


class Registry(unittest.TestCase):
    def test_every_violation_is_answered_with_a_registered_code(self):
        self.assertLessEqual(set(spec.answering_codes().values()), spec.error_codes().keys())

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
