"""Ids as the world sees them: a prefix that says what it names, and 26 characters.

``pty_01kb2w6m9ce7y8q3v5t4r2n0xk`` is a party. The characters are the id's 128 bits in Crockford's base 32,
lower case, highest bits first: texts of one prefix sort as their ids do. An id has exactly one text, as
texts are compared, cached and logged: Crockford's look-alikes (``O`` for ``0``) and capitals are refused.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from formicary.base.errors import ProgrammingError
from formicary.base.ids import MalformedId

__all__ = ["PUBLIC_ID_CHARACTERS", "Prefix", "base32", "decode", "encode"]

PUBLIC_ID_CHARACTERS: Final = 26
"""Characters after the prefix and its underscore."""

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = [high + low for high in _ALPHABET for low in _ALPHABET]
_PAIR_BITS: Final = 10
# Python reads digits 0-9 and a-v as base 32, far faster than a loop over characters.
_AS_DIGITS: Final = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
# 26 characters hold 130 bits; the highest two are zero.
_BODY: Final = re.compile(rf"[0-7][{_ALPHABET}]{{{PUBLIC_ID_CHARACTERS - 1}}}", re.ASCII)
_ID_BITS: Final = 128


class Prefix(StrEnum):
    """What an id names."""

    PARTY = "pty"
    ACCOUNT = "acc"
    PAYMENT = "pay"
    ESCROW = "esc"
    REFUND = "rfd"
    RAIL_ORDER = "rail"
    KEY = "key"
    DEVICE = "dev"
    APPROVAL = "apr"
    APPEAL = "apl"
    EVENT = "evt"
    APPLICATION = "app"
    WEBHOOK = "whk"
    OFFER = "ofr"
    LOAN = "loan"


def encode(prefix: Prefix, value: int) -> str:
    """Return the text of a 128-bit id: ``pty_`` and 26 characters."""
    if not 0 <= value < 1 << _ID_BITS:
        message = "an id is an integer of 128 bits"
        raise ProgrammingError(message)
    return f"{prefix}_{base32(value, characters=PUBLIC_ID_CHARACTERS)}"


def decode(prefix: Prefix, text: str) -> int:
    """Return the 128-bit id behind a text.

    Raises
    ------
    MalformedId
        The text has another prefix, or is not written as ``encode`` writes it.
    """
    kind, _, body = text.rpartition("_")
    if kind != prefix or not _BODY.fullmatch(body):
        message = f"an id of this kind is {prefix}_ and {PUBLIC_ID_CHARACTERS} characters of base 32"
        raise MalformedId(message)
    return int(body.translate(_AS_DIGITS), 32)


def base32(value: int, *, characters: int) -> str:
    """Return the low ``5 * characters`` bits of a number in Crockford's base 32; ``characters`` is even."""
    shifts = range(5 * characters - _PAIR_BITS, -1, -_PAIR_BITS)
    return "".join([_PAIRS[(value >> shift) & 0x3FF] for shift in shifts])
