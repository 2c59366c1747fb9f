"""Labels, peer ids, network ids (chapter 1 sections 2 to 4)."""

from blake3 import blake3

import mldsa
import spec
from refusal import Refused

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
PEER_ID_BYTES = 32
PEER_ID_CHARACTERS = 52
ML_DSA_87 = 1
ALPN_PREFIX = "creto/1/"
ALPN_ID_BYTES = 16


def kdf(label: str, material: bytes) -> bytes:
    """BLAKE3 in derive_key mode with the context of the label that the registry calls `label`."""
    return derive(spec.labels()[label][0], material)


def derive(context: str, material: bytes) -> bytes:
    return blake3(material, derive_key_context=context).digest()


def digest(data: bytes) -> bytes:
    """BLAKE3 without key or context, H in the chapters."""
    return blake3(data).digest()


def network_id(name: str) -> bytes:
    return kdf("NETWORK", name.encode("utf-8"))


def alpn(network: bytes) -> str:
    return ALPN_PREFIX + base32(network[:ALPN_ID_BYTES])


def split_key(data: bytes) -> bytes:
    """The public key that follows its suite byte."""
    if data and data[0] != ML_DSA_87:
        raise Refused(f"UnknownSuite({data[0]})")
    if len(data) != 1 + mldsa.PUBLIC_KEY_BYTES:
        raise Refused(f"Length({len(data)})")
    return data[1:]


def peer_id(key: bytes) -> bytes:
    return kdf("PEER_ID", bytes([ML_DSA_87]) + key)


def peer_id_from_text(text: str) -> bytes:
    length = len(text.encode("utf-8"))
    if length != PEER_ID_CHARACTERS:
        raise Refused(f"Length({length})")
    if any(character not in ALPHABET for character in text):
        raise Refused("Character")
    bits = 0
    for character in text:
        bits = bits << 5 | ALPHABET.index(character)
    spare = 5 * PEER_ID_CHARACTERS - 8 * PEER_ID_BYTES
    if bits & (2**spare - 1):
        raise Refused("TrailingBits")
    return (bits >> spare).to_bytes(PEER_ID_BYTES, "big")


def base32(data: bytes) -> str:
    """RFC 4648 section 6 in lower case, without padding."""
    spare = -8 * len(data) % 5
    bits = int.from_bytes(data, "big") << spare
    count = (8 * len(data) + spare) // 5
    return "".join(ALPHABET[bits >> 5 * i & 31] for i in reversed(range(count)))
