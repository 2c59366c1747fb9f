"""Message bodies (chapter 3 section 5)."""

from collections.abc import Callable
from typing import TypeVar

from refusal import Refused

T = TypeVar("T")

# First byte of each longer compact integer, and the number of bytes that follow it.
MARKERS = {0xFB: 2, 0xFC: 4, 0xFD: 8}
LARGEST_IN_ONE_BYTE = 0xFA


class Reader:
    """A body and how far it was read."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def left(self) -> int:
        return len(self._data) - self._position

    def array(self, length: int) -> bytes:
        if length > self.left():
            raise Refused("Truncated")
        start, self._position = self._position, self._position + length
        return self._data[start : self._position]

    def compact(self, width: int) -> int:
        """A compact integer for a field of `width` bytes, in any form that fits the field."""
        first = self.array(1)[0]
        if first <= LARGEST_IN_ONE_BYTE:
            return first
        if MARKERS.get(first, 16) > width:
            raise Refused("InvalidValue")
        return int.from_bytes(self.array(MARKERS[first]), "little")

    def option(self, item: Callable[["Reader"], T]) -> T | None:
        present = self.array(1)[0]
        if present > 1:
            raise Refused("InvalidValue")
        return item(self) if present else None

    def sequence(self, most: int, smallest: int, item: Callable[["Reader"], T]) -> list[T]:
        """A list of at most `most` items, each of at least `smallest` bytes."""
        count = self.compact(8)
        if count > most:
            raise Refused("OverLimit")
        if count * smallest > self.left():
            raise Refused("Truncated")
        return [item(self) for _ in range(count)]

    def payload(self, most: int) -> bytes:
        length = self.compact(8)
        if length > most:
            raise Refused("OverLimit")
        return self.array(length)

    def text(self, most: int) -> str:
        data = self.payload(most)
        if any(not 0x20 <= byte <= 0x7E for byte in data):
            raise Refused("InvalidText")
        return data.decode("ascii")


def compact(value: int, width: int) -> bytes:
    """Shortest form of the compact integer of a field of `width` bytes."""
    if not 0 <= value < 2 ** (8 * width):
        raise ValueError(f"{value} does not fit {width} bytes")
    if value <= LARGEST_IN_ONE_BYTE:
        return bytes([value])
    marker, length = next((m, n) for m, n in MARKERS.items() if value < 2 ** (8 * n))
    return bytes([marker]) + value.to_bytes(length, "little")


def option(value: T | None, item: Callable[[T], bytes]) -> bytes:
    return b"\x00" if value is None else b"\x01" + item(value)


def items(values: list[T], most: int, item: Callable[[T], bytes]) -> bytes:
    if len(values) > most:
        raise ValueError(f"{len(values)} items where {most} are allowed")
    return compact(len(values), 8) + b"".join(item(value) for value in values)


def text(value: str, most: int) -> bytes:
    data = value.encode("ascii")
    if len(data) > most:
        raise ValueError(f"{len(data)} characters where {most} are allowed")
    return compact(len(data), 8) + data


def decode_body(data: bytes, message: Callable[[Reader], T], encode: Callable[[T], bytes]) -> T:
    """The message that fills `data`, by the three steps of section 5.6."""
    reader = Reader(data)
    value = message(reader)
    if reader.left():
        raise Refused("TrailingBytes")
    if encode(value) != data:
        raise Refused("NonCanonical")
    return value
