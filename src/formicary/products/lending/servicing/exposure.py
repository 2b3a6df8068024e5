"""What is lent and what may still be drawn: of loans in columns, of the whole book as it changes, of parties.

The exposure of a line is its limit, drawn or not; that of an instalment loan what it lends until it is drawn,
and then what is left of it. Interest and fees that are owed are not in it. Of a joint loan it is what the
house retains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.engine.products import Totals
from formicary.products.lending.servicing import _exposure_kernels as kernels
from formicary.products.lending.servicing import steps
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.joint import own_part
from formicary.products.lending.servicing.layout import LoanKind, LoanState
from formicary.products.lending.servicing.steps import Numbers

__all__ = ["BOOK_TOTALS", "OWED", "OfParty", "Sums", "book_key", "currency_of", "of_parties", "of_party"]
__all__ += ["sums_of"]

_SEGMENT_BITS: Final = 32
_LIVE: Final = (LoanState.ACCEPTED, LoanState.ACTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums of loans in minor units: exposure, and what of it is undrawn."""

    exposure: int = 0
    undrawn: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})


def book_key(currency: int, segment: int) -> int:
    """Return the key under which loans are summed up."""
    return currency << _SEGMENT_BITS | segment


def currency_of(key: int) -> int:
    """Return the currency, by its ISO 4217 number, of a key under which loans are summed up."""
    return key >> _SEGMENT_BITS


def sums_of(totals: Mapping[int, tuple[int, ...]], currency: int) -> dict[int, Sums]:
    """Return the sums of a currency by segment."""
    return {
        key & (1 << _SEGMENT_BITS) - 1: Sums(**dict(zip(BOOK_TOTALS.names, sums, strict=True)))
        for key, sums in totals.items()
        if currency_of(key) == currency
    }


def _measure(loans: Rows) -> tuple[Numbers, Numbers]:
    """Return keys (n,) of loans (n,) and what each adds to the sums, (n, 2)."""
    # Each field is copied once: of records of 37 words every look at one is a look at memory.
    state, kind, balance, limit = (loans[name].copy() for name in ("state", "kind", "balance", "limit"))
    is_accepted = state == LoanState.ACCEPTED
    is_live = is_accepted | (state == LoanState.ACTIVE)
    amounts = np.zeros((len(loans), len(Sums.__slots__)), np.int64)
    lent = np.where(is_live, balance, 0)
    is_open = is_accepted | (is_live & (kind == LoanKind.LINE))
    shares = loans["partner_share"].copy()
    amounts[:, 0] = own_part(np.where(is_open, np.maximum(limit, balance), lent), shares)
    amounts[:, 1] = amounts[:, 0] - own_part(lent, shares)
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


OWED: Final = np.dtype([(name, np.int64) for name in OfParty.__slots__])
"""What parties owe, as ``OfParty`` has it of one."""


def of_parties(
    loans: Rows, places: npt.NDArray[np.int64], *, count: int, currency: int, day: int
) -> npt.NDArray[Any]:
    """Return what so many parties owe at a day, (count,) of ``OWED``.

    Parameters
    ----------
    loans, places
        Loans (m,), copies of which are brought to the day, and the place of each one's party, (m,).
    """
    brought = np.array(loans)
    steps.advanced(brought, np.maximum(brought["until"], day).astype(np.int64))
    owed = np.zeros(count, OWED)
    own = np.flatnonzero(brought["currency"] == currency)
    _, amounts = _measure(brought[own])
    np.add.at(owed["exposure"], places[own], amounts[:, 0])
    asked = np.zeros(len(own), np.int64)
    kernels.ask(brought[own], asked)
    np.add.at(owed["debt_service"], places[own], asked)
    is_owed = np.isin(brought["state"], (*_LIVE, LoanState.CHARGED_OFF))
    np.add.at(owed["loans"], places[is_owed], 1)
    is_late = is_owed & (brought["arrears_since"] > 0)
    late = np.maximum(day - brought["arrears_since"][is_late].astype(np.int64), 0)
    np.maximum.at(owed["arrears_days"], places[is_late], late)
    return owed


def of_party(loans: Rows, *, currency: int, day: int) -> OfParty:
    """Return what a party owes with its loans (n,) at a day."""
    owed = of_parties(loans, np.zeros(len(loans), np.int64), count=1, currency=currency, day=day)
    return OfParty(**{name: int(owed[name][0]) for name in OWED.names or ()})
