"""What a party's data may be used for: the purposes that consent and features name.

They stand below the factory because both sides of a question name them: consent records for which purposes
a party agreed, a feature says for which purpose it is read.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import Final

from formicary.base.errors import Refusal

__all__ = [
    "NEEDS_CONSENT",
    "PURPOSES_MAX",
    "Purpose",
    "UnknownPurpose",
    "purpose_name",
    "purpose_named",
    "wording_of",
]

PURPOSES_MAX: Final = 32
"""Purposes there can ever be: a set of them is one number of 32 bits."""

_WORDING_DIGITS: Final = 32


class UnknownPurpose(Refusal):
    """There is no purpose of this name."""

    code = "unknown_purpose"


class Purpose(IntEnum):
    """One use of a party's data each, by the number of its bit; a number never changes its meaning."""

    FRAUD = 0
    CREDIT = 1
    INSURANCE = 2
    MARKETING = 3
    WEALTH = 4
    SCORE_SHARING = 5
    RESEARCH = 6


NEEDS_CONSENT: Final = frozenset(Purpose) - {Purpose.FRAUD}
"""The purposes for which a party must have agreed.

Fraud is looked for without asking: who keeps other people's money must by law watch over it, and has a
legitimate interest in it. Consent that a thief could withdraw would protect nobody.
"""


def purpose_name(purpose: Purpose) -> str:
    """Return a purpose's name, ``score_sharing`` and so on."""
    return purpose.name.lower()


def purpose_named(name: str) -> Purpose:
    """Return the purpose of a name.

    Raises
    ------
    UnknownPurpose
        There is none.
    """
    if name not in _NAMED:
        raise UnknownPurpose
    return _NAMED[name]


def wording_of(text: str) -> str:
    """Return the hash under which consent keeps the exact text that a party was shown.

    It is the first half of the SHA-256 of the text in UTF-8, 32 hexadecimal digits: what
    ``sha256sum text | cut -c1-32`` says of a file.

    Examples
    --------
    >>> wording_of("I agree that my payments are used to decide on credit.")
    'e11d5688d2108cb3116cd12e45e4b6d0'
    """
    return hashlib.sha256(text.encode()).hexdigest()[:_WORDING_DIGITS]


_NAMED = {purpose_name(purpose): purpose for purpose in Purpose}
