"""Types of fields and messages made of them (chapter 3 section 5).

A message is a dictionary in the form of `vectors/README.md`, so that an encoder can start from what
a vector states and not only from what a decoder returned. A type is how to read it and how to write
it.
"""

from collections.abc import Callable

import address
import codec
from refusal import Refused

Message = dict[str, object]
Read = Callable[[codec.Reader], object]
Write = Callable[[object], bytes]


class Struct:
    """A message by its fields, in the order of encoding."""

    def __init__(self, **fields: tuple[Read, Write]) -> None:
        self._fields = fields

    def read(self, reader: codec.Reader) -> Message:
        return {name: read(reader) for name, (read, _) in self._fields.items()}

    def write(self, message: Message) -> bytes:
        if message.keys() != self._fields.keys():
            raise KeyError(f"{sorted(message)} where {sorted(self._fields)} are the fields")
        return b"".join(write(message[name]) for name, (_, write) in self._fields.items())

    def field(self) -> tuple[Read, Write]:
        """The message as a field of another one."""
        return self.read, self.write

    def decode(self, body: bytes) -> Message:
        return codec.decode_body(body, self.read, self.write)


def array(length: int) -> tuple[Read, Write]:
    def write(text: str) -> bytes:
        data = bytes.fromhex(text)
        if len(data) != length:
            raise ValueError(f"{len(data)} bytes where {length} are needed")
        return data

    return lambda reader: reader.array(length).hex(), write


def payload(most: int) -> tuple[Read, Write]:
    def write(text: str) -> bytes:
        data = bytes.fromhex(text)
        if len(data) > most:
            raise ValueError(f"{len(data)} bytes where {most} are allowed")
        return codec.compact(len(data), 8) + data

    return lambda reader: reader.payload(most).hex(), write


def integer(width: int) -> tuple[Read, Write]:
    return lambda reader: reader.compact(width), lambda value: codec.compact(value, width)


def option(item: tuple[Read, Write]) -> tuple[Read, Write]:
    read, write = item
    return lambda reader: reader.option(read), lambda value: codec.option(value, write)


def sequence(most: int, smallest: int, item: tuple[Read, Write]) -> tuple[Read, Write]:
    read, write = item
    return (
        lambda reader: reader.sequence(most, smallest, read),
        lambda values: codec.items(values, most, write),
    )


def enum(*variants: str) -> tuple[Read, Write]:
    """Variants without fields, numbered from 0."""
    return (
        lambda reader: _number(variants, reader),
        lambda name: codec.compact(variants.index(name), 4),
    )


def _number(variants: tuple[str, ...], reader: codec.Reader) -> str:
    number = reader.compact(4)
    if number >= len(variants):
        raise Refused("InvalidValue")
    return variants[number]


U8 = (lambda reader: reader.array(1)[0], lambda value: bytes([value]))
U16, U32 = integer(2), integer(4)
U64 = (lambda reader: str(reader.compact(8)), lambda text: codec.compact(int(text), 8))
ADDRESS = (
    lambda reader: address.to_text(address.read(reader)),
    lambda text: address.write(address.from_text(text)),
)
