"""What a filter asks for, in values that a row can hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeVar

from formicary.factory.ledger import AccountFilter, QueryFilter

__all__ = ["BITS", "within_range"]

BITS: Final = {"user_data_128": 128, "user_data_64": 64, "user_data_32": 32, "ledger": 32, "code": 16}
"""The width of the fields that a filter may name."""

_TIMESTAMP_MAX: Final = 2**63 - 1

Filter = TypeVar("Filter", AccountFilter, QueryFilter)


def within_range(wanted: Filter) -> Filter | None:
    """Return a filter that finds the same with values that fit their fields; None if nothing can match.

    A value that does not fit is no error: nothing has it, and nothing is later than the last time.
    """
    values = ((getattr(wanted, name, 0), bits) for name, bits in BITS.items())
    fit = all(0 <= value < 1 << bits for value, bits in values)
    if not (wanted.is_valid and fit and wanted.timestamp_min <= _TIMESTAMP_MAX):
        return None
    return replace(wanted, timestamp_max=min(wanted.timestamp_max, _TIMESTAMP_MAX))
