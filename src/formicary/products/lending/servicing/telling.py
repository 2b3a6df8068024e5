"""Who is told what at the close of a business date: loans that fell due, and those that are late.

One event names them in columns, so that whoever writes to parties needs no look at the book: ids, how many
days late each is, and what is due. A loan is in it on the day on which something first fell due and was not
paid, and after 1, 30, 60 and 90 days; nobody is told on any other day.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from formicary.factory.engine.columns import IDS, Column
from formicary.products.lending.limits import CLOSE_LOANS_MAX, REMINDERS_MAX
from formicary.products.lending.servicing.fields import AMOUNTS, Rows
from formicary.products.lending.servicing.layout import BUCKET_DAYS, LoanState

__all__ = ["DAYS", "Reminders", "reminders"]

DAYS: Final = Column("<u1", like=BUCKET_DAYS)
"""Days late, one of each loan."""


class Reminders(NamedTuple):
    """What one command tells: up to before which loan, of how many, and three columns of them."""

    after: int
    told: int
    loans: str
    days: str
    amounts: str


def reminders(loans: Rows, first: int, after: int, day: int) -> Reminders:
    """Return what is told of the loans (n,) from ``first`` on, as far as one command goes."""
    end = min(first + CLOSE_LOANS_MAX, after)
    part = loans[first:end]
    late = day - part["arrears_since"].astype(np.int64)
    is_told = (part["state"] == LoanState.ACTIVE) & (part["arrears_since"] > 0) & np.isin(late, BUCKET_DAYS)
    places = np.flatnonzero(is_told)
    if len(places) > REMINDERS_MAX:
        places = places[:REMINDERS_MAX]
        end = first + int(places[-1]) + 1
    told = part[places]
    return Reminders(
        after=end,
        told=len(told),
        loans=IDS.pack(np.column_stack([told["id_high"], told["id_low"]])),
        days=DAYS.pack(late[places]),
        amounts=AMOUNTS.pack(told["fees_due"] + told["interest_due"] + told["principal_due"]),
    )
