"""Standing offers of many parties at once: made, renewed and taken back by one event for a part of a run.

A run over all parties leaves an offer for each that may have credit. One event creates offers for those that
had none; one renews a range of those that are there, whoever of them it is about: a limit of ``STAYS`` leaves
an offer as it is, one of 0 takes it back. What all of them share stands in the event once.

No effective rate is kept with them: it depends on the amount and on the day, and whoever shows it asks.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import numpy as np

from formicary.factory.engine.columns import IDS, Column
from formicary.factory.engine.products import DomainEvent, Totals
from formicary.products.lending.servicing.fields import (
    CurrencyNumber,
    IdColumn,
    LoanTerms,
    Number,
    Rows,
    Time,
)
from formicary.products.lending.servicing.layout import OfferState, Origin

__all__ = [
    "LIMITS",
    "OFFER_TOTALS",
    "SHARES",
    "STANDING_SWEEPS",
    "STAYS",
    "TIMES",
    "OffersMade",
    "OffersRenewed",
    "sweep",
    "yearly",
]

STAYS: Final = -1
"""The limit of an offer that an event leaves as it is."""

LIMITS: Final = Column("<i8", like=(0, 100_000, 2_000_000))
"""Minor units."""

TIMES: Final = Column("<i8", like=(0, 10**18))
"""Nanoseconds since 1970."""

SHARES: Final = Column("<u4", like=(0, 150, 450_000))
"""Millionths, of a day or of the whole; and numbers of segments."""

_SEGMENT_BITS: Final = 32
_DAYS_OF_A_YEAR: Final = 365
_BILLIONTHS: Final = 1_000

_SharesText = Annotated[str, SHARES.meta]


class OffersMade(DomainEvent, frozen=True, kw_only=True):
    """Parties that had no standing offer have one; rates are in millionths a day."""

    first: Number
    after: Number
    ids: IdColumn
    parties: IdColumn
    limits: Annotated[str, LIMITS.meta]
    rates: _SharesText
    defaults: _SharesText
    losses: _SharesText
    segments: _SharesText
    currency: CurrencyNumber
    terms: LoanTerms
    expires: Time


class OffersRenewed(DomainEvent, frozen=True, kw_only=True):
    """Standing offers were looked at again; each says until when its price holds."""

    first: Number
    after: Number
    limits: Annotated[str, LIMITS.meta]
    rates: _SharesText
    defaults: _SharesText
    losses: _SharesText
    segments: _SharesText
    expires: Annotated[str, TIMES.meta]
    terms: LoanTerms


STANDING_SWEEPS: Final = (OffersMade, OffersRenewed)


def sweep(kind: str, offers: Rows, event: Any) -> None:
    """Change offers (n,) as one event says."""
    limits = LIMITS.unpack(event.limits)
    if kind == "OffersMade":
        ids = IDS.unpack(event.parties)
        offers["party_high"], offers["party_low"] = ids[:, 0], ids[:, 1]
        offers["currency"] = event.currency
    is_offered = limits > 0
    changed = offers[is_offered]
    event.terms.put(changed)
    changed["limit"] = limits[is_offered]
    changed["rate"] = yearly(SHARES.unpack(event.rates)[is_offered])
    expires = event.expires if kind == "OffersMade" else TIMES.unpack(event.expires)[is_offered]
    changed["expires"], changed["effective_rate"] = expires, 0
    for name, column in (("default", event.defaults), ("loss", event.losses), ("segment", event.segments)):
        changed[name] = SHARES.unpack(column)[is_offered]
    changed["origin"], changed["state"] = Origin.PREAPPROVAL, OfferState.OPEN
    offers[is_offered] = changed
    offers["state"][limits == 0] = OfferState.WITHDRAWN


def yearly(rates: Rows) -> Rows:
    """Return rates (n,) in millionths a day as loans have them: billionths a year of actual/365, exactly."""
    return rates.astype(np.int64) * (_DAYS_OF_A_YEAR * _BILLIONTHS)


def _measure(offers: Rows) -> tuple[Rows, Rows]:
    """Return keys (n,) of offers (n,), as of a book, and what each adds: its limit where it is open."""
    is_standing = (offers["state"] == OfferState.OPEN) & (offers["origin"] != Origin.HOUSE)
    keys = offers["currency"].astype(np.int64) << _SEGMENT_BITS | offers["segment"]
    return keys, np.where(is_standing, offers["limit"], 0)[:, None]


OFFER_TOTALS: Final = Totals(names=("limit",), measure=_measure)
"""What is offered and was not taken, by currency and segment: the house has promised it to nobody twice."""
