"""Public key of an ML-DSA-87 seed (FIPS 204, algorithm 6): no signing, no secrets, not for use.

The vectors state the seed that a key was expanded from; only an expansion can tell whether it was.
"""

import hashlib
from collections.abc import Iterator

Q = 8380417
N = 256
DROPPED_BITS = 13
ROWS, COLUMNS, ETA = 8, 7, 2
ROOT = 1753
PUBLIC_KEY_BYTES = 32 + 320 * ROWS

Polynomial = list[int]


def public_key(seed: bytes) -> bytes:
    expanded = hashlib.shake_256(seed + bytes([ROWS, COLUMNS])).digest(128)
    rho, rho_prime = expanded[:32], expanded[32:96]
    s1 = [_ntt(_short(rho_prime, index)) for index in range(COLUMNS)]
    key = rho
    for row in range(ROWS):
        product = [0] * N
        for column in range(COLUMNS):
            entry = _uniform(rho, column, row)
            product = [(p + a * s) % Q for p, a, s in zip(product, entry, s1[column])]
        s2 = _short(rho_prime, COLUMNS + row)
        t = [(a + b) % Q for a, b in zip(_inverse_ntt(product), s2)]
        key += _pack_high(t)
    return key


def _pack_high(t: Polynomial) -> bytes:
    """High parts of Power2Round (algorithm 35), ten bits each (algorithm 16)."""
    packed = 0
    for index, coefficient in enumerate(t):
        high = (coefficient + 2 ** (DROPPED_BITS - 1) - 1) >> DROPPED_BITS
        packed |= high << 10 * index
    return packed.to_bytes(320, "little")


def _uniform(rho: bytes, column: int, row: int) -> Polynomial:
    """One entry of the matrix, in NTT form (algorithms 14, 30 and 32)."""
    stream = hashlib.shake_128(rho + bytes([column, row])).digest(3 * 512)
    candidates = (
        int.from_bytes(stream[i : i + 3], "little") & 0x7FFFFF for i in range(0, len(stream), 3)
    )
    return _take(value for value in candidates if value < Q)


def _short(rho_prime: bytes, index: int) -> Polynomial:
    """A polynomial of coefficients between -ETA and ETA (algorithms 15, 31 and 33)."""
    stream = hashlib.shake_256(rho_prime + index.to_bytes(2, "little")).digest(512)
    halves = (half for byte in stream for half in (byte & 15, byte >> 4))
    return _take((ETA - half % 5) % Q for half in halves if half < 15)


def _take(values: Iterator[int]) -> Polynomial:
    coefficients = [value for _, value in zip(range(N), values)]
    if len(coefficients) != N:
        raise ArithmeticError("the stream was too short for this seed")
    return coefficients


def _zetas() -> list[int]:
    return [pow(ROOT, int(f"{index:08b}"[::-1], 2), Q) for index in range(N)]


def _ntt(w: Polynomial) -> Polynomial:
    """Algorithm 41."""
    w, zetas, index, length = list(w), _zetas(), 0, N // 2
    while length:
        for start in range(0, N, 2 * length):
            index += 1
            for j in range(start, start + length):
                t = zetas[index] * w[j + length] % Q
                w[j], w[j + length] = (w[j] + t) % Q, (w[j] - t) % Q
        length //= 2
    return w


def _inverse_ntt(w: Polynomial) -> Polynomial:
    """Algorithm 42."""
    w, zetas, index, length = list(w), _zetas(), N, 1
    while length < N:
        for start in range(0, N, 2 * length):
            index -= 1
            for j in range(start, start + length):
                t = w[j]
                w[j] = (t + w[j + length]) % Q
                w[j + length] = -zetas[index] * (t - w[j + length]) % Q
        length *= 2
    scale = pow(N, -1, Q)
    return [value * scale % Q for value in w]
