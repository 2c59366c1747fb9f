"""Vector files in the form of `vectors/README.md`, read strictly.

A misspelt key or a value of the wrong JSON type would make a case say less than its author
believed; here it makes the file fail.
"""

import json
from dataclasses import dataclass
from pathlib import Path

INPUTS = {"hex", "text"}
VALID_KEYS = {"name", "valid", "value"}
INVALID_KEYS = {"name", "valid", "violation"}
ANSWERS = {"code", "alert"}


class BadFile(Exception):
    """The file does not have the form that `vectors/README.md` describes."""


@dataclass(frozen=True)
class Case:
    """One input and what a decoder makes of it."""

    name: str
    data: bytes | str
    valid: bool
    value: object
    violation: str | None
    # The key and the name of what answers an invalid input, where a node would receive it.
    answer: tuple[str, str] | None


@dataclass(frozen=True)
class File:
    """All cases of one file; `rules` is None where the file has none."""

    rules: dict | None
    cases: tuple[Case, ...]


def load(path: Path) -> File:
    try:
        document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_unique_keys)
    except ValueError as error:
        raise BadFile(f"no JSON in UTF-8: {error}") from None
    return parse(document)


def parse(document: object) -> File:
    if not isinstance(document, dict) or not {"description", "cases"} <= document.keys():
        raise BadFile("no description or no cases")
    if unknown := document.keys() - {"description", "rules", "cases"}:
        raise BadFile(f"unknown keys {sorted(unknown)}")
    if not isinstance(document["cases"], list) or not document["cases"]:
        raise BadFile("zero cases")
    cases = tuple(parse_case(case) for case in document["cases"])
    if len({case.name for case in cases}) != len(cases):
        raise BadFile("two cases of one name")
    if not any(case.valid for case in cases):
        raise BadFile("no valid case")
    return File(document.get("rules"), cases)


def parse_case(case: object) -> Case:
    if not isinstance(case, dict) or not isinstance(case.get("name"), str):
        raise BadFile("a case without a name")
    name, valid = case["name"], case.get("valid")
    inputs = case.keys() & INPUTS
    if len(inputs) != 1 or not isinstance(valid, bool):
        raise BadFile(f"{name}: not exactly one input, or not valid or invalid")
    answers = case.keys() & ANSWERS
    expected = VALID_KEYS if valid else INVALID_KEYS | answers
    if len(answers) > 1 or case.keys() != expected | inputs:
        raise BadFile(f"{name}: keys {sorted(case)}")
    answer = next(((key, case[key]) for key in answers), None)
    data = _data(name, *inputs, case)
    return Case(name, data, valid, case.get("value"), case.get("violation"), answer)


def _data(name: str, kind: str, case: dict) -> bytes | str:
    text = case[kind]
    if not isinstance(text, str):
        raise BadFile(f"{name}: {kind} is no string")
    if kind == "text":
        return text
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if data.hex() != text:
        raise BadFile(f"{name}: no lower-case hexadecimal")
    return data


def _unique_keys(pairs: list[tuple[str, object]]) -> dict:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadFile("a key that stands twice in one object")
    return members
