"""Checks every test vector against a decoder written from the specification alone.

Usage: python check.py [folder of vectors]

Prints one line for each failure and, last, `N passed, N failed`. Exits with 1 on any failure.
"""

import json
import sys
from pathlib import Path

import readers
import spec
import vectors
from refusal import Refused


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else spec.FOLDER / "vectors"
    passed, failures = check_folder(folder)
    for failure in failures:
        print(f"FAILED {failure}")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


def check_folder(folder: Path) -> tuple[int, list[str]]:
    """Number of checks passed, and a line for each that failed, over all files of a folder."""
    present = {path.name for path in folder.iterdir()} - {"README.md"}
    known = readers.known_files()
    failures = [f"{name}: announced, but not known here" for name in spec.vector_files() - known]
    failures += [f"{name}: not announced" for name in known - spec.vector_files()]
    failures += [f"{name}: not known here" for name in present - known]
    failures += [f"{name}: missing" for name in known - present]
    passed = 0
    for name in sorted(present & known):
        file_passed, file_failures = check_file(folder / name)
        passed += file_passed
        failures += file_failures
    return passed, failures


def check_file(path: Path) -> tuple[int, list[str]]:
    try:
        file = vectors.load(path)
        reader = readers.reader(path.name, file.rules)
    except (vectors.BadFile, LookupError, TypeError) as error:
        return 0, [f"{path.name}: {error}"]
    failures = []
    for case in file.cases:
        if (problem := check_case(case, reader)) is not None:
            failures.append(f"{path.name}: {case.name}: {problem}")
    passed = len(file.cases) - len(failures)
    if reader.complete is not None:
        covered = {case.data for case in file.cases if case.valid}
        missing = sorted(reader.complete() - covered)
        failures += [f"{path.name}: no case for {text!r}" for text in missing]
    return passed, failures


def check_case(case: vectors.Case, reader: readers.Reader) -> str | None:
    """What is wrong with a case, or None."""
    try:
        return _check_valid(case, reader) if case.valid else _check_invalid(case, reader)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"the stated value does not have the form of its kind: {error!r}"


def read(case: vectors.Case, reader: readers.Reader) -> readers.Value:
    """What the input of a case means; Refused if nothing."""
    decode = reader.from_text if isinstance(case.data, str) else reader.from_hex
    if decode is None:
        raise TypeError("this file has no such input")
    return decode(case.data, case.value)


def equal(left: readers.Value, right: readers.Value) -> bool:
    """Equality of JSON values: unlike in Python, neither `true` nor `1.0` is 1."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def _check_valid(case: vectors.Case, reader: readers.Reader) -> str | None:
    try:
        value = read(case, reader)
    except Refused as refused:
        return f"refused with {refused.violation}"
    if not equal(value, case.value):
        return f"decoded to {value}, stated is {case.value}"
    if isinstance(case.data, bytes) and reader.to_bytes is not None:
        encoded = reader.to_bytes(case.value)
        if encoded != case.data:
            return f"encoded to {encoded.hex()}"
    return None


def _check_invalid(case: vectors.Case, reader: readers.Reader) -> str | None:
    try:
        value = read(case, reader)
    except Refused as refused:
        if refused.violation != case.violation:
            return f"refused with {refused.violation}, stated is {case.violation}"
    else:
        return f"accepted as {value}"
    answer = _answer(case, reader)
    if answer != case.answer:
        return f"{case.violation} is answered with {answer}, stated is {case.answer}"
    return None


def _answer(case: vectors.Case, reader: readers.Reader) -> tuple[str, str | None] | None:
    """What a node answers to the input of an invalid case; None if no node receives such input."""
    if reader.answers is None or isinstance(case.data, str):
        return None
    key, names = reader.answers
    return key, names().get(case.violation)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
