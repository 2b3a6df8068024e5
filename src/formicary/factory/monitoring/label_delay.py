"""How long it takes until an outcome is told, of those told and of those that may still be.

Young rows have had little time. Counted as never told they make sources look slow and outcomes look rare, and
only to look at rows that were told makes sources look fast. The estimator of Kaplan and Meier (*Nonparametric
estimation from incomplete observations*, JASA 53, 1958) counts each row for as long as it was watched. The
intervals are those of Greenwood (1926) for the logarithm of minus the logarithm of the share that is still
untold, which stay between 0 and 1. They say nothing where nothing was told within a time: there it is the
exact one of Clopper and Pearson (Biometrika 26, 1934), of the rows that were watched for as long.

The shares are of all rows, whatever becomes of them: where most outcomes are never told, because nothing bad
happens, no share comes near 1 and the larger quantiles do not exist. Look at rows of label 1 alone for how
fast bad outcomes are told; but those still unknown are then not among them, and the youngest look fast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.factory.monitoring.shares import ERROR, standard_errors

__all__ = ["UNTOLD", "DelayReport", "ToldWithin", "label_delay"]

Integers = npt.NDArray[np.int64]

UNTOLD: Final = -1
"""Stands for the time of an outcome that was not told yet."""

_ROUNDING: Final = 1e-12
_QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)


class ToldWithin(msgspec.Struct, frozen=True, kw_only=True):
    """What share of outcomes is told within a time.

    Attributes
    ----------
    horizon_ns
        The time, in nanoseconds.
    share, low, high
        The share with its interval; None where no row was watched for as long and not all was told before.
    counted
        How many of all rows were told within it, as a share: what ``share`` would be if nothing was young.
    """

    horizon_ns: int
    share: float | None
    low: float | None
    high: float | None
    counted: float


class DelayReport(msgspec.Struct, frozen=True, kw_only=True):
    """How long it takes until outcomes are told.

    Attributes
    ----------
    rows, told
        How many rows there are, and of how many the outcome was told.
    watched_ns
        How long the oldest row has been watched, in nanoseconds.
    quantiles
        Pairs of a share and the time by which it is told, in nanoseconds; None where it is not reached.
    within
        What share is told within given times.
    """

    rows: int
    told: int
    watched_ns: int
    quantiles: tuple[tuple[float, int | None], ...]
    within: tuple[ToldWithin, ...]


def label_delay(
    *,
    asked_at: npt.ArrayLike,
    told_at: npt.ArrayLike,
    now: int,
    horizons_ns: Sequence[int],
    quantiles: Sequence[float] = _QUANTILES,
    error: float = ERROR,
) -> DelayReport:
    """Return how long it takes from events until their outcomes are told.

    Parameters
    ----------
    asked_at
        When each event asked, in nanoseconds, (n,).
    told_at
        When its outcome was first told, in nanoseconds, ``UNTOLD`` where it was not, (n,). What was told
        before the event counts as told at once.
    now
        Up to when outcomes are known, in nanoseconds.
    horizons_ns
        Times within which outcomes should be told, in nanoseconds.
    quantiles
        Shares, above 0 and below 1.
    error
        How often an interval misses, about.
    """
    asked, told = np.asarray(asked_at, np.int64), np.asarray(told_at, np.int64)
    if asked.ndim != 1 or asked.shape != told.shape:
        message = f"{asked.shape} events do not match {told.shape} times at which outcomes were told"
        raise ProgrammingError(message)
    if int(max(asked.max(initial=now), told.max(initial=now))) > now:
        message = "an event or an outcome is later than all that is known"
        raise ProgrammingError(message)
    is_told = told != UNTOLD
    delays = np.maximum(np.where(is_told, told, now) - asked, 0)
    curve = _Curve(delays, is_told)
    return DelayReport(
        rows=len(asked),
        told=int(is_told.sum()),
        watched_ns=int((now - asked).max(initial=0)),
        quantiles=tuple((share, curve.reached(share)) for share in quantiles),
        within=tuple(_within(curve, horizon, delays, is_told, error) for horizon in horizons_ns),
    )


class _Curve:
    """The share that is still untold, after each delay at which something was told.

    ``delays`` (k,) ascend; ``untold`` (k,) is the estimate of Kaplan and Meier after each, ``variances`` (k,)
    Greenwood's sum of d / (r (r - d)), r rows being watched and d told; ``watched`` is the longest delay.
    """

    def __init__(self, delays: Integers, is_told: npt.NDArray[np.bool_]) -> None:
        every = np.sort(delays)
        self.delays, events = np.unique(delays[is_told], return_counts=True)
        # Rows that stop being watched at a delay were watched at it.
        at_risk = len(every) - np.searchsorted(every, self.delays, side="left")
        left = at_risk - events
        self.untold = np.cumprod(left / at_risk, dtype=np.float64)
        with np.errstate(divide="ignore"):
            self.variances = np.cumsum(events / (at_risk * left), dtype=np.float64)
        self.watched = int(every[-1]) if len(every) else -1

    def reached(self, share: float) -> int | None:
        """Return the least delay within which a share is told, None where it never is."""
        # A product of shares is off by roundings, and must not miss a share that is reached exactly.
        found = np.flatnonzero(self.untold <= (1 - share) * (1 + _ROUNDING))
        return int(self.delays[found[0]]) if len(found) else None

    def at(self, delay: int) -> tuple[float, float] | None:
        """Return the share that is untold after a delay and Greenwood's sum, None beyond what was watched."""
        place = int(np.searchsorted(self.delays, delay, side="right")) - 1
        if place < 0:
            return (1.0, 0.0) if delay <= self.watched else None
        untold = float(self.untold[place])
        return (untold, float(self.variances[place])) if delay <= self.watched or not untold else None


def _within(
    curve: _Curve, horizon: int, delays: Integers, is_told: npt.NDArray[np.bool_], error: float
) -> ToldWithin:
    counted = float((delays[is_told] <= horizon).sum()) / len(delays) if len(delays) else 0.0
    found = curve.at(horizon)
    if found is None:
        return ToldWithin(horizon_ns=horizon, share=None, low=None, high=None, counted=counted)
    untold, variance = found
    if untold == 1 and (watched := int((delays >= horizon).sum())):
        low, high = (error / 2) ** (1 / watched), 1.0
    else:
        low, high = _interval(untold, variance, error)
    return ToldWithin(horizon_ns=horizon, share=1 - untold, low=1 - high, high=1 - low, counted=counted)


def _interval(untold: float, variance: float, error: float) -> tuple[float, float]:
    """Return between what the untold share lies; anywhere where all or nothing was told so far."""
    if not 0 < untold < 1:
        return 0.0, 1.0
    factor = math.exp(standard_errors(error) * math.sqrt(variance) / math.log(untold))
    # The logarithm is negative: the factor is below 1, and a power below 1 of a share is larger.
    return untold ** (1 / factor), untold**factor
