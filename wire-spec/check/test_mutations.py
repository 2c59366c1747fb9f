"""The checker notices when an input or what is stated about it changes by one step."""

import dataclasses
import unittest
from collections.abc import Iterator

import check
import readers
import spec
import vectors
from refusal import Refused


# A prime: about 70 places in a mutable record, in every part of it.
COSTLY_STEP = 101


def all_cases() -> Iterator[tuple[str, vectors.Case, readers.Reader]]:
    for name in sorted(readers.known_files()):
        file = vectors.load(spec.FOLDER / "vectors" / name)
        for case in file.cases:
            yield f"{name}: {case.name}", case, readers.reader(name, file.rules)


def changed_inputs(data: bytes | str, step: int = 1) -> Iterator[bytes | str]:
    """The input with one bit flipped, cut short anywhere, and with something appended.

    Of the changes to bytes, only those to every byte whose position is a multiple of `step`.
    """
    if isinstance(data, str):
        flipped = [data[:i] + chr(ord(data[i]) ^ 1) + data[i + 1 :] for i in range(len(data))]
        yield from flipped + [data + "0", data + "/"]
    else:
        for i in range(0, len(data), step):
            for mask in (0x01, 0x80):
                yield data[:i] + bytes([data[i] ^ mask]) + data[i + 1 :]
        yield from (data + bytes([byte]) for byte in (0x00, 0x01, 0xFF))
    yield from (data[:length] for length in range(len(data)))


def changed_values(value: readers.Value) -> Iterator[readers.Value]:
    """The value with one part of it changed, missing, or added."""
    if isinstance(value, dict):
        yield value | {"surplus": 0}
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            yield from (value | {key: part} for part in changed_values(value[key]))
    elif isinstance(value, list):
        yield value + [0]
        for i in range(len(value)):
            yield value[:i] + value[i + 1 :]
            yield from (value[:i] + [part] + value[i + 1 :] for part in changed_values(value[i]))
    elif isinstance(value, str):
        last = ord(value[-1:] or "0")
        yield from (value[:-1] + chr(last ^ 1), value + "0")
    elif isinstance(value, int):
        yield from (value + 1, float(value), str(value))
    else:
        yield "/ip4/203.0.113.7/udp/9000/quic-v1"


class ChangedInputs(unittest.TestCase):
    def test_a_changed_input_is_refused_or_means_something_else(self):
        tried = 0
        for name, case, reader in all_cases():
            if not case.valid or reader.partial:
                continue
            for data in changed_inputs(case.data, COSTLY_STEP if reader.costly else 1):
                tried += 1
                try:
                    value = check.read(dataclasses.replace(case, data=data), reader)
                except Refused:
                    continue
                self.assertFalse(check.equal(value, case.value), f"{name}: {data!r}")
        self.assertGreater(tried, 10_000)

    def test_a_case_with_a_changed_input_fails(self):
        for name, case, reader in all_cases():
            if case.valid and len(case.data) > 0:
                with self.subTest(name):
                    shorter = dataclasses.replace(case, data=case.data[:-1])
                    self.assertIsNotNone(check.check_case(shorter, reader))


class ChangedStatements(unittest.TestCase):
    def test_a_case_with_a_changed_value_fails(self):
        for name, case, reader in all_cases():
            if not case.valid:
                continue
            for value in changed_values(case.value):
                tampered = dataclasses.replace(case, value=value)
                self.assertIsNotNone(check.check_case(tampered, reader), f"{name}: {value}")

    def test_a_valid_case_stated_as_invalid_fails(self):
        for name, case, reader in all_cases():
            if case.valid:
                with self.subTest(name):
                    answer = ("code", "MALFORMED")
                    tampered = dataclasses.replace(
                        case, valid=False, violation="Truncated", answer=answer
                    )
                    self.assertIsNotNone(check.check_case(tampered, reader))

    def test_an_invalid_case_stated_as_valid_fails(self):
        for name, case, reader in all_cases():
            if not case.valid:
                with self.subTest(name):
                    tampered = dataclasses.replace(case, valid=True, violation=None, answer=None)
                    self.assertIsNotNone(check.check_case(tampered, reader))

    def test_an_invalid_case_with_another_violation_or_answer_fails(self):
        answers = [("code", code) for code in spec.error_codes()]
        answers += [("alert", alert) for alert in spec.alerts()] + [None]
        violations = spec.answering_codes().keys() | spec.answering_alerts().keys()
        for name, case, reader in all_cases():
            if case.valid:
                continue
            for violation in violations - {case.violation}:
                tampered = dataclasses.replace(case, violation=violation)
                self.assertIsNotNone(check.check_case(tampered, reader), name)
            for answer in set(answers) - {case.answer}:
                tampered = dataclasses.replace(case, answer=answer)
                self.assertIsNotNone(check.check_case(tampered, reader), name)


if __name__ == "__main__":
    unittest.main()
