"""Leaves and the signed input of seals (chapter 1 sections 5 and 6)."""

from dataclasses import dataclass

from identity import digest, kdf
from refusal import Refused

SEAL_INPUT_BYTES = 178
MOST_LEAVES = 1024
LARGEST_U64 = 2**64 - 1


@dataclass(frozen=True)
class LeafFields:
    """What a leaf binds besides the data of its message."""

    network: bytes
    topic: bytes
    publisher: bytes
    epoch: int
    counter: int
    timestamp_ms: int


@dataclass(frozen=True)
class SealInput:
    """Fields of the bytes that a seal signs, in their order."""

    network: bytes
    publisher: bytes
    topic: bytes
    epoch: int
    first: int
    count: int
    leaves_hash: bytes


def leaf(fields: LeafFields, data: bytes) -> bytes:
    return leaf_of(fields, len(data), digest(data))


def leaf_of(fields: LeafFields, length: int, data_hash: bytes) -> bytes:
    """The same where the data is known by its length and hash alone."""
    return kdf(
        "LEAF",
        fields.network
        + fields.topic
        + fields.publisher
        + _le64(fields.epoch)
        + _le64(fields.counter)
        + _le64(fields.timestamp_ms)
        + _le64(length)
        + data_hash,
    )


def encode(seal: SealInput) -> bytes:
    return (
        kdf("SEAL", b"")
        + seal.network
        + seal.publisher
        + seal.topic
        + _le64(seal.epoch)
        + _le64(seal.first)
        + seal.count.to_bytes(2, "little")
        + seal.leaves_hash
    )


def decode(data: bytes) -> SealInput:
    if len(data) != SEAL_INPUT_BYTES:
        raise Refused(f"Length({len(data)})")
    if data[:32] != kdf("SEAL", b""):
        raise Refused("Label")
    count = int.from_bytes(data[144:146], "little")
    first = int.from_bytes(data[136:144], "little")
    if not 1 <= count <= MOST_LEAVES:
        raise Refused(f"LeafCount({count})")
    if first + count > LARGEST_U64:
        raise Refused("CounterOverflow")
    epoch = int.from_bytes(data[128:136], "little")
    return SealInput(data[32:64], data[64:96], data[96:128], epoch, first, count, data[146:])


def _le64(value: int) -> bytes:
    return value.to_bytes(8, "little")
