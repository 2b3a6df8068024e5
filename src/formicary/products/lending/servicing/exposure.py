"""What is lent and what may still be drawn: of loans in columns, of the whole book as it changes, of a party.

The exposure of a line is its limit, drawn or not; that of an instalment loan what it lends until it is drawn,
and then what is left of it. Interest and fees that are owed are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from formicary.base.rounding import div_ceiling
from formicary.factory.engine.products import Totals
from formicary.products.lending.schedules import Unit
from formicary.products.lending.servicing import steps
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.layout import LoanKind, LoanState
from formicary.products.lending.servicing.steps import Numbers

__all__ = ["BOOK_TOTALS", "OfParty", "Sums", "book_key", "of_party", "sums_of"]

_SEGMENT_BITS: Final = 32
_MONTH_DAYS: Final = 30
_YEAR_DAYS: Final = 365
_BILLION: Final = 1_000_000_000
_MILLION: Final = 1_000_000
_LIVE: Final = (LoanState.ACCEPTED, LoanState.ACTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums of loans in minor units: exposure, what of it is undrawn, what is lent, what was charged off."""

    exposure: int = 0
    undrawn: int = 0
    lent: int = 0
    charged_off: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})


def book_key(currency: int, segment: int) -> int:
    """Return the key under which loans are summed up."""
    return currency << _SEGMENT_BITS | segment


def sums_of(totals: Mapping[int, tuple[int, ...]], currency: int) -> dict[int, Sums]:
    """Return the sums of a currency by segment."""
    return {
        key & (1 << _SEGMENT_BITS) - 1: Sums(**dict(zip(BOOK_TOTALS.names, sums, strict=True)))
        for key, sums in totals.items()
        if key >> _SEGMENT_BITS == currency
    }


def _measure(loans: Rows) -> tuple[Numbers, Numbers]:
    """Return keys (n,) of loans (n,) and what each adds to the sums, (n, 4)."""
    # Each field is copied once: of records of 37 words every look at one is a look at memory.
    state, kind, balance, limit = (loans[name].copy() for name in ("state", "kind", "balance", "limit"))
    is_accepted = state == LoanState.ACCEPTED
    is_live = is_accepted | (state == LoanState.ACTIVE)
    amounts = np.zeros((len(loans), len(Sums.__slots__)), np.int64)
    lent = np.where(is_live, balance, 0)
    is_open = is_accepted | (is_live & (kind == LoanKind.LINE))
    amounts[:, 0] = np.where(is_open, np.maximum(limit, balance), lent)
    amounts[:, 1] = amounts[:, 0] - lent
    amounts[:, 2] = lent
    amounts[:, 3] = loans["charged_principal"]
    return loans["currency"].astype(np.int64) << _SEGMENT_BITS | loans["segment"], amounts


BOOK_TOTALS: Final = Totals(
    names=tuple(Sums.__slots__), measure=_measure, unchanged_by=("LoansAccrued", "LoansProvided")
)
"""The sums of all loans, by currency and segment; what accrues, falls due and is put aside changes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfParty:
    """What a party owes this house in a currency, and how late it is with anything.

    Attributes
    ----------
    exposure
        Minor units, as of the book.
    debt_service
        What its loans ask for in 30 days, with what is due already, in minor units.
    arrears_days
        How many days its oldest unpaid debt is past due, in any currency; 0 for none.
    loans
        How many are not paid back.
    """

    exposure: int
    debt_service: int
    arrears_days: int
    loans: int


def of_party(loans: Rows, *, currency: int, day: int) -> OfParty:
    """Return what a party owes with its loans (n,) at a day: copies, which are brought to it."""
    brought = np.array(loans)
    steps.advanced(brought, np.maximum(brought["until"], day).astype(np.int64))
    own = brought[brought["currency"] == currency]
    owed = np.isin(brought["state"], _LIVE) | (brought["state"] == LoanState.CHARGED_OFF)
    since = brought["arrears_since"][owed & (brought["arrears_since"] > 0)]
    _, amounts = _measure(own)
    return OfParty(
        exposure=int(amounts[:, 0].sum()),
        debt_service=sum(_asked_for(loan) for loan in own),
        arrears_days=max(day - int(since.min()), 0) if len(since) else 0,
        loans=int(owed.sum()),
    )


def _asked_for(loan: Rows) -> int:
    """Return what a loan, shape (), asks for in the next 30 days, rounded up.

    An instalment counts as often as it falls due in 30 days; of a line it is the share of what is drawn. What
    is undrawn is asked for as if it were drawn: it may be tomorrow.
    """
    if loan["state"] not in _LIVE:
        return 0
    is_line = loan["kind"] == LoanKind.LINE
    owed = int(loan["limit"]) if is_line or loan["state"] == LoanState.ACCEPTED else int(loan["balance"])
    interest = div_ceiling(owed * int(loan["rate"]) * _MONTH_DAYS, _BILLION * _YEAR_DAYS)
    if is_line:
        part = div_ceiling(owed * int(loan["share"]), _MILLION)
    elif loan["state"] == LoanState.ACCEPTED:
        part = div_ceiling(owed, max(int(loan["left"]), 1))
    else:
        part = int(loan["instalment"])
    days = int(loan["every"]) * _DAYS[int(loan["unit"])]
    of_month = div_ceiling(part * _MONTH_DAYS, days) + int(loan["fee"])
    due = int(loan["fees_due"]) + int(loan["interest_due"]) + int(loan["principal_due"])
    is_within = bool(loan["is_level"]) and loan["state"] == LoanState.ACTIVE and not is_line
    return of_month + (0 if is_within else interest) + due


_DAYS: Final = {int(Unit.DAYS): 1, int(Unit.WEEKS): 7, int(Unit.MONTHS): 30}
