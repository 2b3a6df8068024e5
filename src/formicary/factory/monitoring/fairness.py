"""Whether groups that a model must not know are treated alike.

Attributes such as age or sex are no features, and are looked at here only. Three things are told of them,
and none follows from another (Kleinberg, Mullainathan and Raghavan, *Inherent trade-offs in the fair
determination of risk scores*, ITCS 2017):

- The ratio of approval rates, the lowest over the highest. Below four fifths it is evidence of adverse
  impact, unless it may be chance (Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D, 1978,
  by which decisions about credit are measured as well).
- The difference of equal opportunity: how much more often good rows of one group are approved than those of
  another (Hardt, Price and Srebro, *Equality of opportunity in supervised learning*, NeurIPS 2016).
- Whether chances come true in each group: ``calibration_by_segment`` with groups as segments.

Whether a row is good is often known only if it was approved. Give the second measure rows whose outcome is
known whatever was decided: explored ones, or a challenger's decisions about rows that the champion let
through. Of rows that are known because they were approved, it says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.factory.monitoring.shares import ERROR, Share, standard_errors, wilson_share

__all__ = [
    "FOUR_FIFTHS",
    "OPPORTUNITY_DIFFERENCE",
    "SMALL_GROUP",
    "FairnessReport",
    "FairnessVerdict",
    "GroupFairness",
    "approval_ratio",
    "equal_opportunity",
]

FOUR_FIFTHS: Final = 0.8
"""The ratio of approval rates below which there is evidence of adverse impact, by the Guidelines."""

OPPORTUNITY_DIFFERENCE: Final = 0.1
"""The difference of equal opportunity from which groups are not treated alike: one in ten of those whom it
should concern. No law says a number; this is the one that toolkits of the field look at (Bellamy and others,
*AI Fairness 360*, 2018)."""

SMALL_GROUP: Final = 0.02
"""Groups of less than this share of all rows are told, but judge nothing: 29 CFR 1607.15 A (2)."""

# Rows added to those approved and to those not, so that a logarithm of none has a value (Walter, 1975).
_SMOOTHING: Final = 0.5


class FairnessVerdict(StrEnum):
    """How a group compares with the one that is treated best."""

    FAIR = "fair"
    """The whole interval is on the right side of the limit."""
    ADVERSE = "adverse"
    """The measure is beyond the limit, and more than chance makes of it."""
    UNSURE = "unsure"
    """Neither: there are too few rows to tell."""
    SMALL = "small"
    """The group is less than ``SMALL_GROUP`` of all rows, and was not judged."""


class GroupFairness(msgspec.Struct, frozen=True, kw_only=True):
    """One group compared with the one that is approved most often.

    Attributes
    ----------
    group
        Its name.
    approved
        How many of how many rows are approved.
    verdict
        What the measure says.
    measure, low, high
        Ratio or difference, with its interval; None where nobody is approved, or for a small group.
    """

    group: str
    approved: Share
    verdict: FairnessVerdict
    measure: float | None = None
    low: float | None = None
    high: float | None = None


class FairnessReport(msgspec.Struct, frozen=True, kw_only=True):
    """All groups of one attribute.

    Attributes
    ----------
    rows
        How many rows have a group.
    unknown
        How many have none, and are in no figure.
    best
        The group that is approved most often, of those that are not small; empty where there is none.
    measure
        The lowest ratio or the largest difference of a group that was judged; None where there is none.
    limit
        What the measure is compared with.
    verdict
        The worst of a group that was judged.
    groups
        By name.
    """

    rows: int
    unknown: int
    best: str
    measure: float | None
    limit: float
    verdict: FairnessVerdict
    groups: tuple[GroupFairness, ...]


def approval_ratio(
    *, approved: npt.ArrayLike, groups: npt.ArrayLike, limit: float = FOUR_FIFTHS, error: float = ERROR
) -> FairnessReport:
    """Return the ratio of every group's approval rate to the highest.

    Parameters
    ----------
    approved
        Which rows are approved, (n,).
    groups
        The name of the group of each, empty where it is not known, (n,).
    limit
        The least ratio that is no evidence of adverse impact.
    error
        How often at most any interval misses, about; all of them share it.

    Notes
    -----
    The interval is that of Katz, Baptista, Azen and Pike (*Obtaining confidence intervals for the risk ratio
    in cohort studies*, Biometrics 34, 1978), of the logarithm, with half a row added to every count.
    """
    counted, unknown = _counted(np.asarray(approved, np.bool_), groups)
    by = _Measure(limit=limit, interval=_ratio, verdict=partial(_ratio_verdict, limit), worst=min)
    return _report(counted, unknown, by, error)


def equal_opportunity(
    *,
    approved: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    limit: float = OPPORTUNITY_DIFFERENCE,
    error: float = ERROR,
) -> FairnessReport:
    """Return how much less often good rows of every group are approved than those of the best.

    Takes what ``approval_ratio`` does, and labels (n,): 0 good, anything else left out.

    Notes
    -----
    The interval is the one of Newcombe, from intervals of Wilson (*Interval estimation for the difference
    between independent proportions*, Statistics in Medicine 17, 1998, method 10).
    """
    is_good, names = np.asarray(labels) == 0, np.asarray(groups, np.str_)
    told = np.asarray(approved, np.bool_)
    if not told.shape == is_good.shape == names.shape:
        message = f"{told.shape} decisions, {is_good.shape} labels and {names.shape} groups do not match"
        raise ProgrammingError(message)
    counted, unknown = _counted(told[is_good], names[is_good])
    by = _Measure(limit=limit, interval=_difference, verdict=partial(_difference_verdict, limit), worst=max)
    return _report(counted, unknown, by, error)


_WORST_FIRST: Final = (FairnessVerdict.ADVERSE, FairnessVerdict.UNSURE, FairnessVerdict.FAIR)


# -- comparing -----------------------------------------------------------------------------

_Counted: TypeAlias = dict[str, tuple[int, int]]


class _Interval(NamedTuple):
    """A measure, and between what the true one lies."""

    measure: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    """What groups are compared by.

    ``interval`` is of a group's share, the best group's and an error, None where there is nothing to compare
    with; ``worst`` chooses among measures.
    """

    limit: float
    interval: Callable[[Share, Share, float], _Interval | None]
    verdict: Callable[[_Interval], FairnessVerdict]
    worst: Callable[[list[float]], float]


def _counted(approved: npt.NDArray[np.bool_], groups: npt.ArrayLike) -> tuple[_Counted, int]:
    """Return how many of how many rows (n,) of each group are approved, and how many have no group."""
    names = np.asarray(groups, np.str_)
    if approved.ndim != 1 or approved.shape != names.shape:
        message = f"{approved.shape} decisions do not match {names.shape} groups"
        raise ProgrammingError(message)
    known = names != ""
    every, places, rows = np.unique(names[known], return_inverse=True, return_counts=True)
    counts = np.bincount(places[approved[known]], minlength=len(every))
    pairs = zip(counts.tolist(), rows.tolist(), strict=True)
    return dict(zip(every.tolist(), pairs, strict=True)), int((~known).sum())


def _report(counted: _Counted, unknown: int, by: _Measure, error: float) -> FairnessReport:
    rows = sum(of_group for _, of_group in counted.values())
    each = error / max(len(counted), 1)
    shares = {name: wilson_share(*counts, error=each) for name, counts in counted.items()}
    judged = [name for name, one in shares.items() if one.rows >= SMALL_GROUP * rows]
    best = max(judged, key=lambda name: shares[name].share or 0.0, default="")
    groups = tuple(
        _judged(name, one, by.interval(one, shares[best], each), by.verdict)
        if name in judged
        else GroupFairness(group=name, approved=one, verdict=FairnessVerdict.SMALL)
        for name, one in shares.items()
    )
    measures = [one.measure for one in groups if one.measure is not None]
    verdicts = {one.verdict for one in groups}
    return FairnessReport(
        rows=rows,
        unknown=unknown,
        best=best,
        measure=by.worst(measures) if measures else None,
        limit=by.limit,
        verdict=next((one for one in _WORST_FIRST if one in verdicts), FairnessVerdict.UNSURE),
        groups=groups,
    )


def _judged(
    name: str, share: Share, found: _Interval | None, verdict: Callable[[_Interval], FairnessVerdict]
) -> GroupFairness:
    if found is None:
        return GroupFairness(group=name, approved=share, verdict=FairnessVerdict.UNSURE)
    return GroupFairness(
        group=name,
        approved=share,
        verdict=verdict(found),
        measure=found.measure,
        low=found.low,
        high=found.high,
    )


def _ratio(share: Share, best: Share, error: float) -> _Interval | None:
    """Return the ratio of two shares; None where the best has none to compare with."""
    if not best.count:
        return None
    if share is best:
        # Compared with itself it is known exactly.
        return _Interval(1.0, 1.0, 1.0)
    logarithm = variance = 0.0
    for one, sign in ((share, 1), (best, -1)):
        count, rows = one.count + _SMOOTHING, one.rows + _SMOOTHING
        logarithm += sign * math.log(count / rows)
        variance += 1 / count - 1 / rows
    half = standard_errors(error) * math.sqrt(variance)
    measure = share.count * best.rows / (share.rows * best.count)
    # Of few rows the half that was added may carry the interval past what was seen.
    low, high = math.exp(logarithm - half), math.exp(logarithm + half)
    return _Interval(measure, min(low, measure), max(high, measure))


def _ratio_verdict(limit: float, found: _Interval) -> FairnessVerdict:
    if found.measure < limit and found.high < 1:
        return FairnessVerdict.ADVERSE
    return FairnessVerdict.FAIR if found.low >= limit else FairnessVerdict.UNSURE


def _difference(share: Share, best: Share, _error: float) -> _Interval:
    """Return how much less a share is than the best; its error is that of the shares' own intervals."""
    if share is best:
        return _Interval(0.0, 0.0, 0.0)
    less, more = share.count / share.rows, best.count / best.rows
    measure = more - less
    low = measure - math.hypot(more - best.low, share.high - less)
    high = measure + math.hypot(best.high - more, less - share.low)
    return _Interval(measure, low, high)


def _difference_verdict(limit: float, found: _Interval) -> FairnessVerdict:
    if found.measure > limit and found.low > 0:
        return FairnessVerdict.ADVERSE
    return FairnessVerdict.FAIR if found.high <= limit else FairnessVerdict.UNSURE
