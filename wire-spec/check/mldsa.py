"""ML-DSA-87 (FIPS 204): the public key of a seed, and verification. No signing, not for use.

The vectors state the seed that a key was expanded from; only an expansion can tell whether it was.
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache

Q = 8380417
N = 256
DROPPED_BITS = 13
ROWS, COLUMNS, ETA = 8, 7, 2
ROOT = 1753
GAMMA_1, GAMMA_2 = 2**19, (Q - 1) // 32
TAU, OMEGA, BETA = 60, 75, 120
CHALLENGE_BYTES, Z_BYTES = 64, 640
PUBLIC_KEY_BYTES = 32 + 320 * ROWS
SIGNATURE_BYTES = CHALLENGE_BYTES + Z_BYTES * COLUMNS + OMEGA + ROWS

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


@lru_cache(maxsize=4096)
def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Algorithm 3 with the empty context, and algorithm 8."""
    if len(signature) != SIGNATURE_BYTES or len(key) != PUBLIC_KEY_BYTES:
        return False
    challenge, rest = signature[:CHALLENGE_BYTES], signature[CHALLENGE_BYTES:]
    z = [_unpack_z(rest[Z_BYTES * i : Z_BYTES * (i + 1)]) for i in range(COLUMNS)]
    hints = _unpack_hints(rest[Z_BYTES * COLUMNS :])
    if hints is None or any(abs(value) >= GAMMA_1 - BETA for row in z for value in row):
        return False
    digest = hashlib.shake_256(key).digest(64)
    mu = hashlib.shake_256(digest + b"\x00\x00" + message).digest(64)
    z = [_ntt([value % Q for value in row]) for row in z]
    c = _ntt(_sample_in_ball(challenge))
    high = b""
    for row, entries in enumerate(_matrix(key[:32])):
        t = _ntt(_unpack_t(key[32 + 320 * row : 32 + 320 * (row + 1)]))
        product = [-a * b % Q for a, b in zip(c, t)]
        for entry, z_row in zip(entries, z):
            product = [(p + a * b) % Q for p, a, b in zip(product, entry, z_row)]
        w = _inverse_ntt(product)
        high += _pack_nibbles([_use_hint(h, r) for h, r in zip(hints[row], w)])
    return hashlib.shake_256(mu + high).digest(CHALLENGE_BYTES) == challenge


@lru_cache(maxsize=8)
def _matrix(rho: bytes) -> list[list[Polynomial]]:
    return [[_uniform(rho, column, row) for column in range(COLUMNS)] for row in range(ROWS)]


def _unpack_z(data: bytes) -> Polynomial:
    """Algorithm 19 with 20 bits each."""
    packed = int.from_bytes(data, "little")
    return [GAMMA_1 - (packed >> 20 * index & 0xFFFFF) for index in range(N)]


def _unpack_t(data: bytes) -> Polynomial:
    """High parts of t, ten bits each (algorithm 18), times 2^d."""
    packed = int.from_bytes(data, "little")
    return [(packed >> 10 * index & 0x3FF) << DROPPED_BITS for index in range(N)]


def _unpack_hints(data: bytes) -> list[Polynomial] | None:
    """Algorithm 21."""
    hints, index = [[0] * N for _ in range(ROWS)], 0
    for row, end in enumerate(data[OMEGA:]):
        if not index <= end <= OMEGA:
            return None
        positions, index = data[index:end], end
        if any(a >= b for a, b in zip(positions, positions[1:])):
            return None
        for position in positions:
            hints[row][position] = 1
    return None if any(data[index:OMEGA]) else hints


def _sample_in_ball(challenge: bytes) -> Polynomial:
    """Algorithm 29."""
    stream = hashlib.shake_256(challenge).digest(8 + 1024)
    signs, candidates = int.from_bytes(stream[:8], "little"), iter(stream[8:])
    c = [0] * N
    for index in range(N - TAU, N):
        j = next(candidate for candidate in candidates if candidate <= index)
        c[index] = c[j]
        c[j] = Q - 1 if signs >> index + TAU - N & 1 else 1
    return c


def _use_hint(hint: int, r: int) -> int:
    """Algorithms 36 and 40."""
    low = r % (2 * GAMMA_2)
    if low > GAMMA_2:
        low -= 2 * GAMMA_2
    if r - low == Q - 1:
        high, low = 0, low - 1
    else:
        high = (r - low) // (2 * GAMMA_2)
    if hint:
        high += 1 if low > 0 else -1
    return high % ((Q - 1) // (2 * GAMMA_2))


def _pack_nibbles(values: Polynomial) -> bytes:
    """Algorithm 28, four bits each."""
    packed = sum(value << 4 * index for index, value in enumerate(values))
    return packed.to_bytes(N // 2, "little")


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


@lru_cache
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
