"""Varints of frames and stream headers (chapter 3 section 1)."""

from refusal import Refused

LARGEST = 2**62 - 1
LENGTHS = (1, 2, 4, 8)


def decode(data: bytes, start: int) -> tuple[int, int]:
    """Value of the varint at `start`, and where it ends.

    A varint that is cut short is reported like a stream that ends there.
    """
    if start >= len(data):
        raise Refused("UnfinishedFrame")
    length = LENGTHS[data[start] >> 6]
    end = start + length
    if end > len(data):
        raise Refused("UnfinishedFrame")
    value = int.from_bytes(data[start:end], "big") & (2 ** (8 * length - 2) - 1)
    if _shortest(value) != length:
        raise Refused("NonMinimalVarint")
    return value, end


def encode(value: int) -> bytes:
    """Shortest form of `value`."""
    if not 0 <= value <= LARGEST:
        raise ValueError(f"{value} is no varint")
    length = _shortest(value)
    prefix = LENGTHS.index(length) << (8 * length - 2)
    return (prefix | value).to_bytes(length, "big")


def _shortest(value: int) -> int:
    return next(length for length in LENGTHS if value < 2 ** (8 * length - 2))
