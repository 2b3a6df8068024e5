"""Many ids at once as the world sees them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.public_ids import PUBLIC_ID_CHARACTERS, Prefix

__all__ = ["id_texts"]

_ALPHABET: Final = np.frombuffer(b"0123456789abcdefghjkmnpqrstvwxyz", np.uint8)
_BITS: Final = 5
_MASK: Final = np.uint64(31)
_WORD_BITS: Final = 64


def id_texts(prefix: Prefix, high: npt.NDArray[Any], low: npt.NDArray[Any]) -> list[str]:
    """Return the texts of 128-bit ids in two words (n,) each: as ``encode``, but as columns."""
    head = f"{prefix}_".encode()
    width = len(head) + PUBLIC_ID_CHARACTERS
    characters = np.empty((len(high), width), np.uint8)
    characters[:, : len(head)] = np.frombuffer(head, np.uint8)
    for place in range(PUBLIC_ID_CHARACTERS):
        shift = _BITS * (PUBLIC_ID_CHARACTERS - 1 - place)
        if shift >= _WORD_BITS:
            digit = high >> np.uint64(shift - _WORD_BITS)
        elif shift + _BITS <= _WORD_BITS:
            digit = low >> np.uint64(shift)
        else:
            digit = (low >> np.uint64(shift)) | (high << np.uint64(_WORD_BITS - shift))
        characters[:, len(head) + place] = _ALPHABET[(digit & _MASK).astype(np.intp)]
    text = characters.tobytes().decode()
    return [text[at : at + width] for at in range(0, len(text), width)]
