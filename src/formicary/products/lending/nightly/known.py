"""What is known of many parties at once, as a decision takes it: what an application is told of one.

A row of it is what the live decision knows of that party at the same moment, so that a run over all parties
offers what each of them would be offered if it asked.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.purposes import Purpose
from formicary.factory.engine.products import Context
from formicary.products.lending.applications import refusals
from formicary.products.lending.applications.book import LOANS
from formicary.products.lending.applications.borrowers import BORROWERS
from formicary.products.lending.applications.house import House
from formicary.products.lending.limits import LENDING_AMOUNT_MAX
from formicary.products.lending.millionths import UNTOLD, Words, millionths_of
from formicary.products.lending.servicing.exposure import of_parties
from formicary.products.lending.servicing.terms import day_at
from formicary.products.lending.underwriting.features import MERCHANT_CREDIT
from formicary.products.lending.underwriting.models import MERCHANT_DEFAULT
from formicary.products.lending.underwriting.preapproval import NEVER_WARNED, Parties
from formicary.products.lending.watching.borrowers import WATCHED, warned_days

__all__ = ["KnownParties", "known_parties"]

Ids: TypeAlias = npt.NDArray[np.uint64]

_NUMBER_MAX: Final = 10**6
"""Days, or frauds, above which nobody counts."""


class KnownParties:
    """Parties (n,) as a decision takes them, and what each owes this house, (n,) in minor units."""

    def __init__(self, parties: Parties, exposures: npt.NDArray[np.int64]) -> None:
        self.parties = parties
        self.exposures = exposures


def known_parties(context: Context, house: House, ids: Ids) -> KnownParties:
    """Return what is known now of parties by ids (n, 2), high word first.

    Nothing is told of a party that does not agree to credit, and so it has no chance of default.

    Raises
    ------
    CreditModelMissing
        No champion tells the risk.
    """
    told = context.features_of(MERCHANT_CREDIT.name, purpose=Purpose.CREDIT, asking={"party": ids})
    assessed = context.assess_all(MERCHANT_DEFAULT.name, told.names, told.values)
    if assessed is None:
        raise refusals.CreditModelMissing
    column = {name: told.values[:, place] for place, name in enumerate(told.names)}
    is_told = (told.withheld == 0) & np.isfinite(assessed.chances)
    default = millionths_of(np.where(is_told, assessed.chances, np.nan))
    frauds = _whole(column["frauds_365d"], _NUMBER_MAX)
    owed = _owed(context, house.currency, ids)
    said = _said(context, ids)
    return KnownParties(
        Parties(
            default=default,
            loss=np.where(is_told, house.settings.loss, UNTOLD),
            sales_30d=_whole(column["sales_30d"], LENDING_AMOUNT_MAX),
            sales_90d=_whole(column["sales_90d"], LENDING_AMOUNT_MAX),
            debt_service=np.minimum(owed["debt_service"] + said["other_debts"], LENDING_AMOUNT_MAX),
            history_days=_whole(column["days_known"], _NUMBER_MAX),
            arrears_days=np.minimum(owed["arrears_days"], _NUMBER_MAX),
            warned_days=np.minimum(_warned(context, ids), _NUMBER_MAX),
            is_stopped=(said["is_stopped"] > 0) | (frauds > house.settings.frauds_max),
            segments=said["segment"],
            groups=np.arange(len(ids)),
            retained=np.full(len(ids), house.settings.retained),
        ),
        owed["exposure"],
    )


_SAID: Final = np.dtype([("segment", np.int64), ("other_debts", np.int64), ("is_stopped", np.int64)])


def _owed(context: Context, currency: int, ids: Ids) -> npt.NDArray[Any]:
    """Return what parties owe, (n,) of ``OWED``."""
    numbers, places = context.holders(LOANS, "party", ids)
    loans = context.columns(LOANS)[numbers]
    return of_parties(loans, places, count=len(ids), currency=currency, day=day_at(context.now))


def _said(context: Context, ids: Ids) -> npt.NDArray[Any]:
    """Return what the house said of parties, (n,) of ``_SAID``; nothing against those of whom it did not."""
    said = np.zeros(len(ids), _SAID)
    numbers = context.numbers(BORROWERS.name, ids)
    records = context.columns(BORROWERS.name)[numbers[numbers >= 0]]
    for name in _SAID.names or ():
        said[name][numbers >= 0] = records[name]
    return said


def _warned(context: Context, ids: Ids) -> Words:
    """Return how many days ago parties were last warned of, (n,)."""
    told = np.full(len(ids), NEVER_WARNED)
    numbers = context.numbers(WATCHED.name, ids)
    borrowers = context.columns(WATCHED.name)[numbers[numbers >= 0]]
    told[numbers >= 0] = warned_days(borrowers, day_at(context.now))
    return told


def _whole(values: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.int64]:
    """Return features (n,) as whole numbers from 0 to ``most``, rounded down; 0 where one is missing."""
    return np.minimum(np.maximum(np.nan_to_num(values, nan=0.0), 0.0), float(most)).astype(np.int64)
