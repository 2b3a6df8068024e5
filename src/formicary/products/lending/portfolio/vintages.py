"""Vintages: of the loans of one month, how much had defaulted by each age; the classic triangle.

A cohort is the loans that were made in one month. By age a, in months, are defaults of the month of origin
and the a months after it. An age is told once its last month is over for the whole cohort, so that every
figure of a column compares like with like; younger ages are left out, not counted as nothing.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.base.rounding import div_half_even
from formicary.products.lending.millionths import MILLION, checked_amounts
from formicary.products.lending.portfolio.months import months_of

__all__ = ["NEVER", "VINTAGE", "vintages"]

NEVER: Final = -1
"""Stands for the time of a default that did not happen."""

VINTAGE: Final = np.dtype(
    [
        ("cohort", np.int64),
        ("age", np.int64),
        ("loans", np.int64),
        ("amount", np.int64),
        ("defaulted", np.int64),
        ("defaulted_amount", np.int64),
        ("share", np.int64),
    ]
)
"""One cohort at one age: its month since January 1970 and the age in months; how many loans it is and of how
much; how many, and of how much as it was lent, had defaulted by then; its share in millionths."""

Rows: TypeAlias = npt.NDArray[Any]


def vintages(
    *, made_at: npt.ArrayLike, defaulted_at: npt.ArrayLike, amounts: npt.ArrayLike, now: int
) -> Rows:
    """Return the vintages of a book, of ``VINTAGE``, by cohort and age.

    Parameters
    ----------
    made_at
        When loans were made, (n,), in nanoseconds.
    defaulted_at
        When each first was in default, ``NEVER`` where it was not, (n,).
    amounts
        What was lent, (n,), in minor units.
    now
        Up to when everything is known, in nanoseconds; nothing may be later.
    """
    made, failed = np.asarray(made_at, np.int64), np.asarray(defaulted_at, np.int64)
    lent = checked_amounts(amounts)
    if not made.shape == failed.shape == lent.shape:
        message = f"columns of loans differ in length: {made.shape}, {failed.shape}, {lent.shape}"
        raise ProgrammingError(message)
    has_failed = failed != NEVER
    if (made > now).any() or (failed > now).any() or (failed[has_failed] < made[has_failed]).any():
        message = "a loan or a default is later than all that is known, or a default before its loan"
        raise ProgrammingError(message)
    this_month = int(months_of(now))
    cohorts, ages = months_of(made), np.where(has_failed, months_of(failed) - months_of(made), NEVER)
    told = [
        _told(int(cohort), this_month, lent[cohorts == cohort], ages[cohorts == cohort])
        for cohort in np.unique(cohorts)
    ]
    return np.concatenate([np.zeros(0, VINTAGE), *told])


def _told(cohort: int, this_month: int, amounts: npt.NDArray[np.int64], ages: npt.NDArray[np.int64]) -> Rows:
    """Return a cohort at every age whose last month is over, of its amounts and ages at default (n,)."""
    told = np.zeros(this_month - cohort, VINTAGE)
    told["cohort"], told["age"] = cohort, np.arange(len(told))
    told["loans"], told["amount"] = len(amounts), amounts.sum()
    is_told = (ages != NEVER) & (ages < len(told))
    np.add.at(told["defaulted"], ages[is_told], 1)
    np.add.at(told["defaulted_amount"], ages[is_told], amounts[is_told])
    for name in ("defaulted", "defaulted_amount"):
        told[name] = np.cumsum(told[name])
    told["share"] = [
        div_half_even(lost * MILLION, max(whole, 1))
        for lost, whole in zip(told["defaulted_amount"].tolist(), told["amount"].tolist(), strict=True)
    ]
    return told
