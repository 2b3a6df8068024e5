"""What a check of a product finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from formicary.base.errors import FormicaryError

__all__ = ["CRASHES", "Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the rule that is broken, where, and how."""

    rule: str
    place: str
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.rule}: {self.detail}"


CRASHES: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    FormicaryError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
)
"""What a wrong product raises; anything else, as running out of memory, is not the product's."""
