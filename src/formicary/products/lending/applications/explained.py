"""Why an application came out as it did, and what would have been enough: at most four reasons, each true.

A column of the model is a reason where it raised the score by its exact Shapley value, and the score would be
lower were the column all right: at the end of its direction, or missing where it has none.

What would have been enough is searched among what a party can change: more sales, more who pay, fewer
refunds, less paid out. Each is changed by itself; sales of 30 days are sales of 90 and of 365 as well, and
what follows from a value is computed anew. What is told was judged by the model and the policy, as if own
funds were no question.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.decisions.assessments import Assessment
from formicary.factory.decisions.counterfactuals import Direction, Lever, smallest_changes
from formicary.products.lending.applications.book import PARTY
from formicary.products.lending.applications.house import House
from formicary.products.lending.applications.schemas import ChangeTold, PartyTold, ReasonTold, text_of
from formicary.products.lending.limits import LENDING_AMOUNT_MAX
from formicary.products.lending.millionths import MILLION, UNTOLD, millionths_of
from formicary.products.lending.underwriting.capital import Book
from formicary.products.lending.underwriting.models import MERCHANT_DEFAULT
from formicary.products.lending.underwriting.notice import Unit
from formicary.products.lending.underwriting.preapproval import Condition, Parties, decide
from formicary.products.lending.underwriting.reasons import (
    COLUMN_FIRST,
    confirmed,
    needs_columns,
    principal_reasons,
    sentences,
)

__all__ = ["enough", "parties_of", "reasons_told", "whole"]

Reals = npt.NDArray[np.float64]

_COLUMNS: Final = {column.name: column for column in MERCHANT_DEFAULT.columns}
_BEST: Final = {1: -np.inf, -1: np.inf, 0: np.nan}
"""What a column is where it counts against nobody, by its direction."""

_MENDED: Final = sum(1 << one for one in (Condition.RISK, Condition.SALES, Condition.DEBTS, Condition.PRICE))
"""The conditions that a party's own doing can mend."""

_ROWS_MAX: Final = 256
"""Changes that are judged for one application: some milliseconds of the engine."""

_STEPS: Final = tuple(1.2**step for step in range(1, 13))
"""By how much amounts are tried to change: up to ninefold, each a fifth further."""

_UNLIMITED: Final = Book(own_funds=10**18, cash=10**18)
_SALES: Final = ("sales_30d", "sales_90d", "sales_365d")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changeable:
    words: str
    unit: Unit
    direction: Direction


_CHANGEABLE: Final = {
    "sales_30d": _Changeable(words="sales of the last 30 days", unit=Unit.AMOUNT, direction=Direction.UP),
    "payers_90d": _Changeable(
        words="customers of the last 90 days", unit=Unit.NUMBER, direction=Direction.UP
    ),
    "refunds_90d": _Changeable(
        words="refunds of the last 90 days", unit=Unit.AMOUNT, direction=Direction.DOWN
    ),
    "debits_90d": _Changeable(
        words="payments to others in the last 90 days", unit=Unit.AMOUNT, direction=Direction.DOWN
    ),
}


def whole(value: float | None, most: int = LENDING_AMOUNT_MAX) -> int:
    """Return a feature as a whole number from 0 to ``most``, rounded down; 0 where it is missing."""
    if value is None or math.isnan(value):
        return 0
    return int(min(max(value, 0.0), float(most)))


def parties_of(told: PartyTold, retained: int) -> Parties:
    """Return one party as the decision takes it; the house retains so many millionths of what it gets."""
    return Parties(
        default=np.array([told.default]),
        loss=np.array([told.loss]),
        sales_30d=np.array([told.sales_30d]),
        sales_90d=np.array([told.sales_90d]),
        debt_service=np.array([told.debt_service]),
        history_days=np.array([told.history_days]),
        arrears_days=np.array([told.arrears_days]),
        warned_days=np.array([told.warned_days]),
        is_stopped=np.array([told.is_stopped]),
        segments=np.array([told.segment]),
        groups=np.array([PARTY]),
        retained=np.array([retained]),
    )


def reasons_told(decided: npt.NDArray[Any], assessment: Assessment | None) -> list[ReasonTold]:
    """Return the reasons of one decision, (1,) of ``DECISION``."""
    columns = () if assessment is None else assessment.columns
    attributions = np.zeros((0, len(columns)))
    if assessment is not None and needs_columns(decided)[0]:
        row = assessment.values[None, assessment.assessor.places]
        best = [_BEST[_COLUMNS[name].monotone] for name in columns]
        attributions = confirmed(assessment.attributions[None], row, assessment.raw_scores, best)
    said = [_COLUMNS[name].reason for name in columns]
    numbers = [int(number) for number in principal_reasons(decided, attributions)[0].tolist() if number]
    told = [
        ReasonTold(
            number=number,
            column=columns[number - COLUMN_FIRST] if number >= COLUMN_FIRST else None,
            said=sentences([number], said)[0],
        )
        for number in numbers
    ]
    # Two columns may have one sentence.
    return list({one.said: one for one in reversed(told)}.values())[::-1]


def enough(
    house: House, told: PartyTold, wanted: int, failed: int, assessment: Assessment
) -> list[ChangeTold]:
    """Return the smallest change that would have been enough, nothing where none was found."""
    names = assessment.names
    if not failed or failed & ~_MENDED or _SALES[0] not in names:
        return []

    def judge(rows: Reals) -> npt.NDArray[np.int64]:
        parties = _changed(told, assessment, rows)
        decided = decide(house.credit, house.capital, _UNLIMITED, parties, wanted=np.full(len(rows), wanted))
        return np.asarray(decided.decisions["failed"] == 0, np.int64)

    levers = list(_levers(assessment))
    # Where nothing but what it is not judged by was against it, nothing of its own would have been enough.
    if judge(assessment.values[None])[0]:
        return []
    found = smallest_changes(assessment.values, judge, levers, wanted=[1], rows_max=_ROWS_MAX).nearest
    if not found:
        return []
    return [
        ChangeTold(
            feature=names[change.feature],
            after=text_of(change.after),
            words=_CHANGEABLE[names[change.feature]].words,
            unit=_CHANGEABLE[names[change.feature]].unit.value,
        )
        for change in found[0].changes
    ]


def _levers(assessment: Assessment) -> Iterator[Lever]:
    """Go through what a party can change, with where it is tried."""
    cuts = assessment.assessor.cuts
    for name, one in _CHANGEABLE.items():
        place = assessment.names.index(name)
        now = float(assessment.values[place])
        if math.isfinite(now) and now > 0:
            is_up = one.direction == Direction.UP
            tried = [now * step if is_up else now / step for step in _STEPS]
            yield Lever(
                feature=place,
                cuts=tuple(sorted({*tried, *cuts.get(name, ())})),
                direction=one.direction,
                step=1.0,
            )


def _changed(told: PartyTold, assessment: Assessment, rows: Reals) -> Parties:
    """Return the party of a decision with other features, (n, names), and what follows from them."""
    names = assessment.names
    place = {name: names.index(name) for name in _SALES}
    more = rows[:, place["sales_30d"]] - assessment.values[place["sales_30d"]]
    changed = rows.copy()
    for name in _SALES[1:]:
        changed[:, place[name]] += np.nan_to_num(more)
    changed = assessment.assessor.followed(changed)
    default = millionths_of(assessment.chances(changed))
    count = len(rows)
    sales = {
        name: np.clip(np.nan_to_num(changed[:, place[name]]), 0, LENDING_AMOUNT_MAX).astype(np.int64)
        for name in ("sales_30d", "sales_90d")
    }
    return Parties(
        default=np.where(told.default == UNTOLD, UNTOLD, default),
        loss=np.full(count, told.loss),
        sales_30d=sales["sales_30d"],
        sales_90d=sales["sales_90d"],
        debt_service=np.full(count, told.debt_service),
        history_days=np.full(count, told.history_days),
        arrears_days=np.full(count, told.arrears_days),
        warned_days=np.full(count, told.warned_days),
        is_stopped=np.full(count, told.is_stopped),
        segments=np.full(count, told.segment),
        groups=np.arange(count),
        retained=np.full(count, MILLION),
    )
