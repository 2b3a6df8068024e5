"""Values as the API writes and reads them: times in RFC 3339, references as hashes."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.surfaces.api.problems import MalformedField

__all__ = ["read_time", "reference_hash", "time_text", "time_texts"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS_PER_SECOND: Final = 1_000_000_000
_NANOSECONDS_PER_DAY: Final = 86_400 * _NANOSECONDS_PER_SECOND
_TIME_MAX: Final = 2**63 - 1
_TEXT_CHARACTERS_MAX: Final = 40
_FORM: Final = "a time is written as in RFC 3339, 2011-12-09T12:50:00Z, and lies between 1970 and 2262"
_VISIBLE: Final = "a reference has visible characters only"


@lru_cache(maxsize=1024)
def _second_text(seconds: int) -> str:
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}."


def time_text(nanoseconds: int) -> str:
    """Write a time as in RFC 3339 with all nine digits, for the ledger's stamps differ in the last."""
    seconds, rest = divmod(nanoseconds, _NANOSECONDS_PER_SECOND)
    return f"{_second_text(seconds)}{rest:09}Z"


def time_texts(nanoseconds: npt.NDArray[np.int64]) -> list[str]:
    """Write many times (n,), as ``time_text`` does."""
    seconds, rests = np.divmod(nanoseconds, _NANOSECONDS_PER_SECOND)
    return [
        f"{_second_text(second)}{rest:09}Z"
        for second, rest in zip(seconds.tolist(), rests.tolist(), strict=True)
    ]


def read_time(text: str, *, param: str) -> int:
    """Read a time of RFC 3339 as nanoseconds since 1970; one without an offset is UTC.

    Raises
    ------
    MalformedField
        It is none, or before 1970 or after 2262.
    """
    head, digits = text[:_TEXT_CHARACTERS_MAX], ""
    whole, dot, fraction = head.partition(".")
    if dot:
        digits = fraction[: len(fraction) - len(fraction.lstrip("0123456789"))]
        head = whole + fraction[len(digits) :]
    try:
        read = datetime.fromisoformat(head)
    except ValueError as error:
        raise MalformedField(_FORM, param=param) from error
    since = read.replace(tzinfo=read.tzinfo or UTC) - _EPOCH
    nanoseconds = since.days * _NANOSECONDS_PER_DAY + since.seconds * _NANOSECONDS_PER_SECOND
    nanoseconds += int(digits[:9].ljust(9, "0"))
    if not 0 <= nanoseconds <= _TIME_MAX or len(text) > _TEXT_CHARACTERS_MAX:
        raise MalformedField(_FORM, param=param)
    return nanoseconds


def reference_hash(reference: str) -> int:
    """Return the 128 bits under which a caller's reference is kept and searched; 0 for none.

    The text itself is nowhere: it may name a person. Two spellings of the same characters are one reference.

    Raises
    ------
    MalformedField
        It has characters that cannot be seen.
    """
    if not reference:
        return 0
    if not reference.isascii() or not reference.isprintable():
        reference = unicodedata.normalize("NFC", reference)
        if any(unicodedata.category(character)[0] == "C" for character in reference):
            raise MalformedField(_VISIBLE, param="reference")
    return int.from_bytes(hashlib.blake2b(reference.encode(), digest_size=16).digest(), "big") or 1
