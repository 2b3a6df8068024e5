"""Default curves of cohorts: which share of loans defaults within so many days, also where they are young.

The estimator of Kaplan and Meier with its intervals, which the factory has for labels
(``factory.monitoring.label_delay``): to default is to be told.

What is *censored* is said, as it decides what the curve means. A loan is watched until today and no longer.
One that was repaid can not default any more and is not censored: it stays among those who might have, until
today. So the curve is the share of all loans that default (cumulative incidence, with repayment as the
competing event), and that of a book in which many repay early does not look worse than it is, as it would if
repaid loans were taken out when they end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.monitoring.label_delay import ToldWithin, label_delay
from formicary.products.lending.portfolio.months import month_text, months_of

__all__ = ["CohortCurve", "default_curves"]

_DAY: Final = 86_400_000_000_000


class CohortCurve(msgspec.Struct, frozen=True, kw_only=True):
    """How the loans of one month default.

    Attributes
    ----------
    cohort
        The month, as 2024-02.
    loans, defaults
        How many loans there are, and how many defaulted so far.
    watched_days
        How long the oldest has been watched, in whole days.
    within
        What share defaults within given times, with an interval; None beyond what was watched.
    """

    cohort: str
    loans: int
    defaults: int
    watched_days: int
    within: tuple[ToldWithin, ...]


def default_curves(
    *, made_at: npt.ArrayLike, defaulted_at: npt.ArrayLike, now: int, days: Sequence[int]
) -> tuple[CohortCurve, ...]:
    """Return the curves of all cohorts, the oldest first.

    Parameters
    ----------
    made_at
        When loans were made, (n,), in nanoseconds.
    defaulted_at
        When each first was in default, ``vintages.NEVER`` where it was not, (n,).
    now
        Up to when everything is known, in nanoseconds.
    days
        Within how many days, for each point of the curves.
    """
    made, failed = np.asarray(made_at, np.int64), np.asarray(defaulted_at, np.int64)
    cohorts = months_of(made)
    curves = []
    for cohort in np.unique(cohorts).tolist():
        is_in = cohorts == cohort
        told = label_delay(
            asked_at=made[is_in],
            told_at=failed[is_in],
            now=now,
            horizons_ns=[within * _DAY for within in days],
        )
        curves.append(
            CohortCurve(
                cohort=month_text(cohort),
                loans=told.rows,
                defaults=told.told,
                watched_days=told.watched_ns // _DAY,
                within=told.within,
            )
        )
    return tuple(curves)
