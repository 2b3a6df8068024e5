"""Documents of the house's own in events: bytes of a model, rules, and why they were changed.

The journal cannot forget, so its events hold no free text: nobody's name could be taken out of it again. What
the house writes about its own models and rules is about no party, and may be free text, and real numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from formicary.base.errors import Refusal

__all__ = ["HOUSE_DOCUMENT", "DocumentMalformed", "storable"]

HOUSE_DOCUMENT: Final = msgspec.Meta(extra={"house_document": True})
"""Marks such a field of an event. Its product bounds its size, and gives objects to ``storable``."""

_DEPTH_MAX: Final = 8
_INTEGERS: Final = range(-(2**63), 2**63)
# From 1e16 on a real is written with an exponent, and the database would make an integer of it.
_REAL_MAX: Final = 1e15
_KEY: Final = re.compile(r"[ -~]{1,64}", re.ASCII)


class DocumentMalformed(Refusal):
    """A document holds what the journal cannot keep as it was written."""

    code = "document_malformed"


def storable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object of plain values such that the database gives back what it was given.

    These are texts without NUL, truth values, None, integers of 64 bits, reals from -10^15 to 10^15, and
    lists and objects of them, at most 8 deep; keys are 1 to 64 printable characters of ASCII. A negative zero
    is none in the database, and becomes zero here.

    Raises
    ------
    DocumentMalformed
        It holds anything else; the message says where.
    """
    kept: dict[str, Any] = _plain(document, "the document", _DEPTH_MAX)
    return kept


def _plain(value: Any, place: str, depth: int) -> Any:
    if not depth:
        raise _malformed(place, "is nested too deeply")
    match value:
        case None | bool():
            return value
        case str() if "\0" not in value:
            return value
        case int() if value in _INTEGERS:
            return value
        case float() if math.fabs(value) <= _REAL_MAX:
            return value + 0.0
        case list():
            return [_plain(one, f"{place}[{number}]", depth - 1) for number, one in enumerate(value)]
        case dict() if all(isinstance(key, str) and _KEY.fullmatch(key) for key in value):
            return {key: _plain(one, f"{place}.{key}", depth - 1) for key, one in value.items()}
    raise _malformed(place, "is no value that the journal keeps")


def _malformed(place: str, why: str) -> DocumentMalformed:
    message = f"{place} {why}"
    return DocumentMalformed(message)
