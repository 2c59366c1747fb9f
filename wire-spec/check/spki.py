"""Public keys in DER (chapter 1 section 2.1)."""

import mldsa
from refusal import Refused

PREFIX = bytes.fromhex("30820a32300b060960864801650304031303820a2100")
ID_ML_DSA_87 = PREFIX[8:17]

SEQUENCE, BIT_STRING, OBJECT_IDENTIFIER = 0x30, 0x03, 0x06


class _BadDer(Exception):
    """The bytes are no DER of the form that was asked for."""


def encode(key: bytes) -> bytes:
    return PREFIX + key


def decode(data: bytes) -> bytes:
    """The ML-DSA-87 key, if `data` is its one encoding."""
    key = data.removeprefix(PREFIX)
    if data.startswith(PREFIX) and len(key) == mldsa.PUBLIC_KEY_BYTES:
        return key
    try:
        other = _algorithm(data) != ID_ML_DSA_87
    except _BadDer:
        other = False
    raise Refused("Algorithm" if other else "Malformed")


def _algorithm(data: bytes) -> bytes:
    """Object identifier of a well-formed SubjectPublicKeyInfo of any algorithm (RFC 5280)."""
    content = _only(SEQUENCE, data)
    algorithm, key = _element(SEQUENCE, content)
    identifier, parameters = _element(OBJECT_IDENTIFIER, algorithm)
    if not identifier:
        raise _BadDer("object identifier of no byte")
    if parameters and _element(parameters[0], parameters)[1]:
        raise _BadDer("more than one element of parameters")
    bits = _only(BIT_STRING, key)
    if not bits or bits[0] > 7 or (bits[0] and len(bits) == 1):
        raise _BadDer("unused bits that are not there")
    return identifier


def _only(tag: int, data: bytes) -> bytes:
    content, rest = _element(tag, data)
    if rest:
        raise _BadDer("bytes after the element")
    return content


def _element(tag: int, data: bytes) -> tuple[bytes, bytes]:
    """Content of the element with this tag at the front, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise _BadDer("another element, or none")
    length, start = data[1], 2
    if length >= 0x80:
        start = 2 + (length & 0x7F)
        digits = data[2:start]
        length = int.from_bytes(digits, "big")
        # The shortest form is the only one in DER; 0x80, the indefinite form, has no digits.
        if not digits or len(digits) != start - 2 or digits[0] == 0 or length < 0x80:
            raise _BadDer("length in another form than the shortest")
    if length > len(data) - start:
        raise _BadDer("cut short")
    return data[start : start + length], data[start + length :]
