"""Keys, and what the owner of a mutable record signs (chapter 5 sections 2 and 5.2)."""

from dataclasses import dataclass

import identity
import mldsa
from refusal import Refused

INPUT_BYTES = 184
LONGEST_LIFE_MS = 172_800_000


@dataclass(frozen=True)
class RecordInput:
    """Fields of the bytes that the owner of a mutable record signs, in their order."""

    network: bytes
    owner: bytes
    salt_hash: bytes
    sequence: int
    created: int
    expires: int
    value_hash: bytes


def key_of_value(value: bytes) -> bytes:
    return identity.kdf("IMMUTABLE_KEY", value)


def key_of_owner(owner: bytes, salt: bytes) -> bytes:
    return identity.kdf("MUTABLE_KEY", owner + salt)


def key_of_role(role: str) -> bytes:
    return identity.kdf("ROLE_KEY", role.encode("utf-8"))


def distance(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def common_prefix(a: bytes, b: bytes) -> int:
    return 8 * len(a) - int.from_bytes(distance(a, b), "big").bit_length()


def encode_input(fields: RecordInput) -> bytes:
    numbers = (fields.sequence, fields.created, fields.expires)
    return (
        identity.kdf("MUTABLE_RECORD", b"")
        + fields.network
        + fields.owner
        + fields.salt_hash
        + b"".join(number.to_bytes(8, "little") for number in numbers)
        + fields.value_hash
    )


def decode_input(data: bytes) -> RecordInput:
    if len(data) != INPUT_BYTES:
        raise Refused(f"Length({len(data)})")
    if data[:32] != identity.kdf("MUTABLE_RECORD", b""):
        raise Refused("Label")
    sequence, created, expires = (
        int.from_bytes(data[start : start + 8], "little") for start in (128, 136, 144)
    )
    return RecordInput(
        data[32:64], data[64:96], data[96:128], sequence, created, expires, data[152:]
    )


def check_mutable(record: dict[str, object], network: bytes) -> tuple[bytes, bytes]:
    """Owner and key of a mutable record that has nothing wrong that time cannot mend."""
    if record["suite"] != identity.ML_DSA_87:
        raise Refused(f"UnknownSuite({record['suite']})")
    created, expires = int(record["created"]), int(record["expires"])
    if not created < expires <= created + LONGEST_LIFE_MS:
        raise Refused("Lifetime")
    public_key, salt = bytes.fromhex(record["public_key"]), bytes.fromhex(record["salt"])
    owner = identity.peer_id(public_key)
    signed = RecordInput(
        network=network,
        owner=owner,
        salt_hash=identity.digest(salt),
        sequence=int(record["sequence"]),
        created=created,
        expires=expires,
        value_hash=identity.digest(bytes.fromhex(record["value"])),
    )
    signature = bytes.fromhex(record["signature"])
    if not mldsa.verify(public_key, encode_input(signed), signature):
        raise Refused("Signature")
    return owner, key_of_owner(owner, salt)
