"""Stream headers and frames (chapter 3 sections 2 and 3)."""

from dataclasses import dataclass

import varint
from refusal import Refused

LARGEST_PROTOCOL = 2**32 - 1
LARGEST_VERSION = 2**16 - 1


@dataclass(frozen=True)
class State:
    """Which frames a receiver takes now, and which its protocol has at all."""

    largest_body: dict[int, int]
    defined: frozenset[int]


def decode_header(data: bytes) -> tuple[int, int, int]:
    """Protocol number, version, and where the header ends."""
    protocol, end = varint.decode(data, 0)
    if protocol > LARGEST_PROTOCOL:
        raise Refused("UnknownProtocol")
    version, end = varint.decode(data, end)
    if version > LARGEST_VERSION:
        raise Refused("UnknownVersion")
    return protocol, version, end


def encode_header(protocol: int, version: int) -> bytes:
    return varint.encode(protocol) + varint.encode(version)


def decode_frames(data: bytes, state: State) -> list[tuple[int, bytes]]:
    """Type and body of every frame of a stream that ends after `data`."""
    frames, position = [], 0
    while position < len(data):
        kind, body, position = _decode_frame(data, position, state)
        frames.append((kind, body))
    return frames


def encode_frame(kind: int, body: bytes) -> bytes:
    return varint.encode(1 + len(body)) + bytes([kind]) + body


def _decode_frame(data: bytes, start: int, state: State) -> tuple[int, bytes, int]:
    length, start = varint.decode(data, start)
    if length == 0:
        raise Refused("ZeroLengthFrame")
    if start == len(data):
        raise Refused("UnfinishedFrame")
    kind = data[start]
    if kind not in state.largest_body:
        raise Refused("IllegalFrame" if kind in state.defined else "UnknownFrame")
    if length - 1 > state.largest_body[kind]:
        raise Refused("OversizeFrame")
    if start + length > len(data):
        raise Refused("UnfinishedFrame")
    return kind, data[start + 1 : start + length], start + length
