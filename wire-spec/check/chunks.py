"""Long messages: headers, questions for chunks, and what chunks hash to (chapters 6 and 7).

The hashes of chunks are chaining values of BLAKE3, which no interface of a library gives: the
compression function is written here by the BLAKE3 paper, sections 2.1 to 2.6.
"""

from functools import cache

from fields import U16, Message, Struct, array, payload
from refusal import Refused

CHUNK_BYTES = 65_536
SHORTEST, LONGEST = 16_385, 33_554_432
HASH_BYTES = 32

GET_CHUNK = Struct(message=array(HASH_BYTES), index=U16)
CHUNK = Struct(data=payload(CHUNK_BYTES))

BLOCK_BYTES, LEAF_BYTES = 64, 1_024
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
WORDS = (
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
    0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)  # fmt: skip
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
ROUNDS = 7
COLUMNS_AND_DIAGONALS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


def chunks_of(length: int) -> int:
    """How many chunks a message of so many bytes has."""
    return max(1, -(-length // CHUNK_BYTES))


def check_header(header: Message) -> bytes:
    """Hash of the message that a header describes; Refused if there can be none."""
    length, chunks = header["length"], header["chunks"]
    if not SHORTEST <= length <= LONGEST or len(chunks) != chunks_of(length):
        raise Refused("InvalidHeader")
    return root([bytes.fromhex(chunk) for chunk in chunks])


def are_there(ranges: list[Message], count: int) -> bool:
    """Whether none of the ranges is empty or reaches beyond the last of `count` chunks."""
    return all(one["count"] > 0 and one["first"] + one["count"] <= count for one in ranges)


def hashes(message: bytes) -> list[bytes]:
    """What stands in the header of a message."""
    count = chunks_of(len(message))
    parts = [message[i * CHUNK_BYTES : (i + 1) * CHUNK_BYTES] for i in range(count)]
    flags = ROOT if count == 1 else 0
    return [_subtree(part, i * CHUNK_BYTES // LEAF_BYTES, flags) for i, part in enumerate(parts)]


def root(chunks: list[bytes], flags: int = ROOT) -> bytes:
    """The hash of a message from those of its chunks."""
    if len(chunks) == 1:
        return chunks[0]
    left = _left(len(chunks))
    return _parent(root(chunks[:left], 0), root(chunks[left:], 0), flags)


def _left(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


@cache
def _subtree(data: bytes, first: int, flags: int) -> bytes:
    """Chaining value over data whose first leaf is the leaf `first` of the message."""
    if len(data) <= LEAF_BYTES:
        return _leaf(data, first, flags)
    left = _left(-(-len(data) // LEAF_BYTES))
    middle = left * LEAF_BYTES
    lower, upper = _subtree(data[:middle], first, 0), _subtree(data[middle:], first + left, 0)
    return _parent(lower, upper, flags)


def _leaf(data: bytes, counter: int, flags: int) -> bytes:
    blocks = [data[i : i + BLOCK_BYTES] for i in range(0, len(data), BLOCK_BYTES)] or [b""]
    value = WORDS
    for number, block in enumerate(blocks):
        of_block = CHUNK_START if number == 0 else 0
        if number == len(blocks) - 1:
            of_block |= CHUNK_END | flags
        value = _compress(value, block, counter, of_block)
    return _bytes(value)


def _parent(left: bytes, right: bytes, flags: int) -> bytes:
    return _bytes(_compress(WORDS, left + right, 0, PARENT | flags))


def _bytes(words: tuple[int, ...]) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in words)


def _compress(value: tuple[int, ...], block: bytes, counter: int, flags: int) -> tuple[int, ...]:
    """The first half of the output of the compression function."""
    padded = block.ljust(BLOCK_BYTES, b"\0")
    said = [int.from_bytes(padded[i : i + 4], "little") for i in range(0, BLOCK_BYTES, 4)]
    state = [*value, *WORDS[:4], counter & 0xFFFFFFFF, counter >> 32, len(block), flags]
    for _ in range(ROUNDS):
        for number, places in enumerate(COLUMNS_AND_DIAGONALS):
            _mix(state, places, said[2 * number], said[2 * number + 1])
        said = [said[i] for i in PERMUTATION]
    return tuple(state[i] ^ state[i + 8] for i in range(8))


def _mix(state: list[int], places: tuple[int, ...], x: int, y: int) -> None:
    i, j, k, l = places
    a, b, c, d = state[i], state[j], state[k], state[l]
    for word, first, second in ((x, 16, 12), (y, 8, 7)):
        a = a + b + word & 0xFFFFFFFF
        d ^= a
        d = (d >> first | d << 32 - first) & 0xFFFFFFFF
        c = c + d & 0xFFFFFFFF
        b ^= c
        b = (b >> second | b << 32 - second) & 0xFFFFFFFF
    state[i], state[j], state[k], state[l] = a, b, c, d
