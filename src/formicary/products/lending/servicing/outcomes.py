"""How loans come out, told as facts: how late one is when a date closes, and that one was charged off.

A fact ``loan_outcome`` names the loan and its party. ``days_late`` is 30, 60 or 90 on the very date on which
a loan is so late; ``charged_off`` is 1 where the house took the loss. ``written_back`` is 1 where it took it
back of a loan that was not 90 days late: that one was no default. A loan that stays late is told of once a
step, since dates are closed one after the other, each once.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final

import numpy as np

from formicary.factory.engine.products import Consequence
from formicary.factory.facts import FACTS_PRODUCT, FactsRecorded
from formicary.products.lending.servicing.fields import Rows, id_of
from formicary.products.lending.servicing.layout import LoanState
from formicary.products.lending.servicing.postings import HOUSE

__all__ = ["LOAN_OUTCOME", "Lateness", "came_out", "late_loans", "lost_loans"]

LOAN_OUTCOME: Final = "loan_outcome"
"""The kind of the facts."""

_TOLD_AT_ONCE: Final = 400
"""Facts of one event: of two ids and three numbers each, well below ``FACTS_BYTES_MAX``."""

_NUMBERS: Final = ("days_late", "charged_off", "written_back")


class Lateness(IntEnum):
    """For how many days something that fell due is unpaid when it is told."""

    DAYS_30 = 30
    DAYS_60 = 60
    DAYS_90 = 90


def late_loans(loans: Rows, day: int, at: int) -> list[Consequence]:
    """Return what is told of loans (n,) that were brought to the end of a date, dated ``at`` nanoseconds."""
    late = day - loans["arrears_since"].astype(np.int64)
    is_told = (
        (loans["state"] == LoanState.ACTIVE) & (loans["arrears_since"] > 0) & np.isin(late, list(Lateness))
    )
    found, days = loans[is_told], late[is_told]
    return [
        _told(found[first:after], at, {"days_late": days[first:after].tolist()})
        for first, after in _parts(len(found))
    ]


def lost_loans(loans: Rows, at: int) -> list[Consequence]:
    """Return what is told of loans (n,) whose losses were taken, dated ``at`` nanoseconds."""
    return [
        _told(loans[first:after], at, {"charged_off": [1] * (after - first)})
        for first, after in _parts(len(loans))
    ]


def came_out(loan: Rows, at: int, outcome: str) -> Consequence:
    """Return what is told of one loan, (1,): that it was ``charged_off``, or ``written_back``."""
    return _told(loan, at, {outcome: [1]})


def _parts(count: int) -> Iterator[tuple[int, int]]:
    for first in range(0, count, _TOLD_AT_ONCE):
        yield first, min(first + _TOLD_AT_ONCE, count)


def _told(loans: Rows, at: int, numbers: dict[str, list[int]]) -> Consequence:
    nothing = [0] * len(loans)
    ids: dict[str, list[Any]] = {
        field: [f"{id_of(loan, name):032x}" for loan in loans]
        for field, name in (("loan", "id"), ("party", "party"))
    }
    event = FactsRecorded(
        kind=LOAN_OUTCOME,
        at=[at] * len(loans),
        ids=ids,
        numbers={name: numbers.get(name, nothing) for name in _NUMBERS},
        real_bits={},
    )
    # The house itself tells it.
    return Consequence(product=FACTS_PRODUCT.name, subject=HOUSE, event=event)
