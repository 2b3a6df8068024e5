"""The hash of bytes in parts: what ``hashlib`` says of the whole, wherever it is cut."""

from __future__ import annotations

import hashlib
from random import Random

import pytest

from formicary.factory.registry._blake2b import BLOCK_BYTES, absorbed, digest_of, first_state


def digest_in_parts(whole: bytes, part_bytes: int) -> str:
    """Return the hash of bytes that come in parts, as hexadecimal digits."""
    state = first_state()
    for first in range(0, len(whole), part_bytes):
        part = whole[first : first + part_bytes]
        state = absorbed(state, part, before=first, is_last=first + len(part) == len(whole))
    return f"{digest_of(state):032x}"


@pytest.mark.parametrize("length", [1, 7, 127, 128, 129, 255, 256, 257, 1_000, 4_096, 100_001])
@pytest.mark.parametrize("blocks", [1, 3, 1_000])
def test_parts_hash_like_the_whole(length: int, blocks: int) -> None:
    """Also where the last part is a whole block, which is then the one that ends it."""
    whole = Random(length).randbytes(length)
    expected = hashlib.blake2b(whole, digest_size=16).hexdigest()
    assert digest_in_parts(whole, blocks * BLOCK_BYTES) == expected


def test_a_state_is_not_changed() -> None:
    """What came before stays what it was, so that a part that is refused leaves nothing."""
    state = first_state()
    absorbed(state, b"part", before=0, is_last=True)
    assert state.tolist() == first_state().tolist()
