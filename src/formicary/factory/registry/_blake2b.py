"""BLAKE2b of bytes that come in parts: between two parts, all that is known of a hash is eight words.

``hashlib`` keeps that state to itself, and an aggregate has to be stored. The algorithm is that of RFC 7693,
with a digest of 16 bytes and no key; ``hashlib`` is what the tests compare with.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import kernel, kernel_part

__all__ = ["BLOCK_BYTES", "STATE_WORDS", "absorbed", "digest_of", "first_state"]

Words = npt.NDArray[np.uint64]

BLOCK_BYTES: Final = 128
"""Bytes of a block: every part but the last is a whole number of them."""

STATE_WORDS: Final = 8

_DIGEST_BYTES: Final = 16
_ROUNDS: Final = 12
_BLOCK_WORDS: Final = 16
# The first 64 bits of the fractional parts of the square roots of the first eight primes.
_START: Final = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
# Which word of a block is mixed in where, in each of ten rounds; the last two are the first two again.
_ORDERS: Final = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    np.int64,
)
_PARAMETERS: Final = 0x01010000 ^ _DIGEST_BYTES


def first_state() -> Words:
    """Return the state before the first byte, (8,)."""
    state = _START.copy()
    state[0] ^= np.uint64(_PARAMETERS)
    return state


def absorbed(state: Words, part: bytes, *, before: int, is_last: bool) -> Words:
    """Return the state (8,) after a part.

    Parameters
    ----------
    state
        After the parts before, (8,).
    part
        At least one byte; a whole number of blocks unless it is the last.
    before
        How many bytes came before.
    is_last
        Whether nothing follows: then the state holds the digest.
    """
    blocks = -(-len(part) // BLOCK_BYTES)
    words = np.frombuffer(part.ljust(blocks * BLOCK_BYTES, b"\0"), "<u8").copy()
    after = state.copy()
    _absorb(after, words, before, len(part), is_last, _START, _ORDERS, np.zeros(_BLOCK_WORDS, np.uint64))
    return after


def digest_of(state: Words) -> int:
    """Return the digest of a last state as an integer of 128 bits, as its 32 hexadecimal digits say it."""
    return int.from_bytes(state.astype("<u8").tobytes()[:_DIGEST_BYTES])


@kernel
def _absorb(
    state: Any,
    words: Any,
    before: int,
    length: int,
    is_last: bool,
    start: Any,
    orders: Any,
    mixed: Any,
) -> None:
    """Mix all blocks into a state, with ``mixed`` (16,) as room."""
    for block in range(len(words) // _BLOCK_WORDS):
        first = block * _BLOCK_WORDS
        for place in range(STATE_WORDS):
            mixed[place] = state[place]
            mixed[place + 8] = start[place]
        mixed[12] ^= np.uint64(before + min(length, (block + 1) * BLOCK_BYTES))
        if is_last and (block + 1) * BLOCK_BYTES >= length:
            mixed[14] = ~mixed[14]
        for turn in range(_ROUNDS):
            order = orders[turn % 10]
            for lane in range(4):
                _mix(mixed, lane, lane + 4, lane + 8, lane + 12, words, first, order, 2 * lane)
            for lane in range(4):
                second, third, fourth = (lane + 1) % 4 + 4, (lane + 2) % 4 + 8, (lane + 3) % 4 + 12
                _mix(mixed, lane, second, third, fourth, words, first, order, 8 + 2 * lane)
        for place in range(STATE_WORDS):
            state[place] ^= mixed[place] ^ mixed[place + 8]


@kernel_part
def _mix(mixed: Any, a: int, b: int, c: int, d: int, words: Any, first: int, order: Any, place: int) -> None:
    """Mix two words of a block into a column or a diagonal; the names are those of the standard."""
    mixed[a] = mixed[a] + mixed[b] + words[first + order[place]]
    mixed[d] = _turned(mixed[d] ^ mixed[a], 32)
    mixed[c] = mixed[c] + mixed[d]
    mixed[b] = _turned(mixed[b] ^ mixed[c], 24)
    mixed[a] = mixed[a] + mixed[b] + words[first + order[place + 1]]
    mixed[d] = _turned(mixed[d] ^ mixed[a], 16)
    mixed[c] = mixed[c] + mixed[d]
    mixed[b] = _turned(mixed[b] ^ mixed[c], 63)


@kernel_part
def _turned(word: Any, bits: int) -> Any:
    """Rotate a word to the right."""
    return (word >> np.uint64(bits)) | (word << np.uint64(64 - bits))
