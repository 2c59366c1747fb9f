"""Tables read from the specification itself.

Error codes, violations and labels are not copied into this checker: the chapters are the only
source, so a vector that disagrees with a chapter fails, whichever of the two is wrong.
"""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


@cache
def table(path: str, *header: str) -> tuple[tuple[str, ...], ...]:
    """Rows of the one table of a chapter whose header row is `header`."""
    lines = (FOLDER / path).read_text(encoding="utf-8").splitlines()
    starts = [i for i, line in enumerate(lines) if _cells(line) == list(header)]
    if len(starts) != 1:
        raise LookupError(f"{path}: {len(starts)} tables with the header {header}")
    rows = []
    for line in lines[starts[0] + 2 :]:
        if not line.startswith("|"):
            break
        row = _cells(line)
        if len(row) != len(header):
            raise LookupError(f"{path}: a row of {len(row)} cells under {header}")
        rows.append(tuple(row))
    if not rows:
        raise LookupError(f"{path}: no rows under {header}")
    return tuple(rows)


@cache
def error_codes() -> dict[str, int]:
    """Name of each error code and its number (README section 3.3)."""
    rows = table("README.md", "code", "name", "used on", "meaning")
    return {name: int(number, 16) for number, name, _, _ in rows}


@cache
def answering_codes() -> dict[str, str]:
    """Name of each violation and of the code that answers it (chapter 3 section 9)."""
    rows = table("03-framing-and-encoding.md", "violation", "what happened", "code", "cost")
    return {violation.strip("`"): code for violation, _, code, _ in rows}


@cache
def gossip_answers() -> dict[str, str]:
    """The same with the faults of gossip that end stream or connection (chapter 6 section 8)."""
    rows = table("06-gossip.md", "fault", "what happened", "code", "cost")
    faults = {fault.strip("`"): code for fault, _, code, _ in rows if code != "none"}
    return answering_codes() | faults


@cache
def largest_bodies(protocol: int) -> dict[str, tuple[int, int]]:
    """Name of each frame of a protocol, its type and its largest body (README section 3.2)."""
    bodies, current = {}, ""
    header = ("protocol", "type", "name", "sent by", "largest body, bytes")
    for number, kind, name, _, limit in table("README.md", *header):
        current = number or current
        if current.startswith(f"0x{protocol:02x} "):
            bodies[name] = (int(kind, 16), int(limit.replace(" ", "")))
    return bodies


@cache
def answering_alerts() -> dict[str, str]:
    """Name of each violation of a key in DER and of the TLS alert for it (chapter 1 section 2.1)."""
    rows = table("01-identity-and-cryptography.md", "violation", "what is wrong", "alert")
    return {violation.strip("`"): alert for violation, _, alert in rows}


@cache
def alerts() -> dict[str, int]:
    """Name of each TLS alert that is told apart, and its number (chapter 2 section 2.6)."""
    rows = table("02-transport-and-handshake.md", "alert", "number", "QUIC error", "meaning here")
    return {name: int(number) for name, number, _, _ in rows}


@cache
def labels() -> dict[str, tuple[str, str]]:
    """Name of each label, its context, and its label hash (README section 3.5)."""
    rows = table("README.md", "label", "context", "label hash")
    return {name: (context.strip("`"), digest.strip("`")) for name, context, digest in rows}


@cache
def vector_files() -> frozenset[str]:
    """Names of the vector files that the specification announces."""
    rows = table("vectors/README.md", "file", "input", "chapter")
    return frozenset(name.strip("`") for name, _, _ in rows)
