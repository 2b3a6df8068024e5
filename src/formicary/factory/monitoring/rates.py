"""What share of decisions comes out how, day by day: outside the band of a reference period, or within.

A chart of Shewhart for shares (a p-chart). Days differ by more than chance even where nothing is wrong: there
are weekends, and rows of one party come together. The band is therefore as wide as the reference's own days
ask for (Laney, *Improved control charts for attributes*, Quality Engineering 14(4), 2002), and never narrower
than chance makes it. Normal bounds are wrong for rare events: a point is told of only where its count is
beyond chance by the exact binomial distribution as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, bdtrc

from formicary.base.errors import ProgrammingError
from formicary.factory.monitoring.shares import ERROR, standard_errors

__all__ = [
    "CountedDays",
    "DayRate",
    "RateReport",
    "RateVerdict",
    "daily_rates",
    "missing_rates",
    "outcome_rates",
    "rates_of_days",
]

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_ALL: Final = "all"
# Rows added to those that count and to those that do not, so that no reference is sure of a share.
_SMOOTHING: Final = 0.5
# The mean distance of two standard normal deviates, 2 / sqrt(pi).
_MOVING_RANGE: Final = 1.1283791670955126


class RateVerdict(StrEnum):
    """What a day's share says."""

    STEADY = "steady"
    """It is within the band, or chance may have made it so."""
    HIGH = "high"
    """It is above the band and beyond chance."""
    LOW = "low"
    """It is below, the same."""
    NEW = "new"
    """The reference has no row of this segment."""


class DayRate(msgspec.Struct, frozen=True, kw_only=True):
    """One share of one segment on one day.

    Attributes
    ----------
    name
        Of what: an outcome, a column that is missing.
    segment, day
        Whose, and when.
    count, rows
        So many of so many.
    share
        The same as a number.
    usual
        The reference's share; None where it has no row.
    low, high
        The band.
    verdict
        What it says.
    """

    name: str
    segment: str
    day: int
    count: int
    rows: int
    share: float
    usual: float | None
    low: float
    high: float
    verdict: RateVerdict


class RateReport(msgspec.Struct, frozen=True, kw_only=True):
    """The days after the reference.

    Attributes
    ----------
    error
        How often at most a report tells of a day where nothing changed, as far as days differ by no more than
        in the reference.
    rates
        By name, segment and day.
    """

    error: float
    rates: tuple[DayRate, ...]

    @property
    def alarms(self) -> tuple[DayRate, ...]:
        """Those outside their band."""
        return tuple(one for one in self.rates if one.verdict in {RateVerdict.HIGH, RateVerdict.LOW})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountedDays:
    """One share of one segment, day by day.

    Attributes
    ----------
    name, segment
        As in ``DayRate``.
    days
        The days that have rows, ascending, (d,).
    counts, rows
        So many of so many rows on each, (d,); there is one row at least.
    """

    name: str
    segment: str
    days: Integers
    counts: Integers
    rows: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Usual:
    """A reference's share, of how many rows, and how much more than by chance its days differ."""

    share: float
    rows: int
    spread: float


def daily_rates(
    *,
    days: npt.ArrayLike,
    segments: npt.ArrayLike,
    flags: Mapping[str, npt.ArrayLike],
    reference_until: int,
    error: float = ERROR,
) -> RateReport:
    """Compare shares of the days after a reference period with those of the period.

    Parameters
    ----------
    days
        When each row was decided, as the number of a day, (n,).
    segments
        The name of the segment of each, (n,).
    flags
        By name, which rows count, (n,).
    reference_until
        The last day of the reference, which begins with the first day that there is.
    error
        How often at most a report tells of a day where nothing changed; all points share it.
    """
    when, names = np.asarray(days, np.int64), np.asarray(segments, np.str_)
    counted = {name: np.asarray(flag, np.bool_) for name, flag in flags.items()}
    if when.ndim != 1 or any(one.shape != when.shape for one in (names, *counted.values())):
        message = "days, segments and flags are of the same rows"
        raise ProgrammingError(message)
    known, places = np.unique(names, return_inverse=True)
    series = [
        _series(name, str(segment), when[places == at], flag[places == at])
        for name, flag in counted.items()
        for at, segment in enumerate(known)
    ]
    return rates_of_days(series, reference_until=reference_until, error=error)


def rates_of_days(series: Iterable[CountedDays], *, reference_until: int, error: float = ERROR) -> RateReport:
    """Compare days that are counted already as ``daily_rates`` compares rows."""
    ordered = sorted(series, key=lambda one: (one.name, one.segment))
    points = sum(int((one.days > reference_until).sum()) for one in ordered)
    each = error / max(points, 1)
    rates = [rate for one in ordered for rate in _watched(one, reference_until, each)]
    return RateReport(error=error, rates=tuple(rates))


def outcome_rates(
    *,
    days: npt.ArrayLike,
    segments: npt.ArrayLike,
    outcomes: npt.ArrayLike,
    reference_until: int,
    error: float = ERROR,
) -> RateReport:
    """Return the rates of every outcome that there is, such as approved, declined and stepped up.

    Takes what ``daily_rates`` does, with the name of the outcome of each row, (n,), for the flags.
    """
    names = np.asarray(outcomes, np.str_)
    flags = {str(name): names == name for name in np.unique(names)}
    return daily_rates(
        days=days, segments=segments, flags=flags, reference_until=reference_until, error=error
    )


def missing_rates(
    *,
    days: npt.ArrayLike,
    columns: Mapping[str, npt.ArrayLike],
    reference_until: int,
    error: float = ERROR,
) -> RateReport:
    """Return the rates at which columns (n,) have no value, NaN, in one segment of all rows."""
    flags = {name: np.isnan(np.asarray(column, np.float64)) for name, column in columns.items()}
    segments = np.full(np.shape(days), _ALL)
    return daily_rates(
        days=days, segments=segments, flags=flags, reference_until=reference_until, error=error
    )


# -- one series ----------------------------------------------------------------------------


def _series(name: str, segment: str, days: Integers, flags: Flags) -> CountedDays:
    known, places, rows = np.unique(days, return_inverse=True, return_counts=True)
    counts = np.bincount(places[flags], minlength=len(known))
    return CountedDays(name=name, segment=segment, days=known, counts=counts, rows=rows)


def _watched(series: CountedDays, reference_until: int, error: float) -> list[DayRate]:
    """Return the days after the reference."""
    is_known = series.days <= reference_until
    usual = _usual(series.counts[is_known], series.rows[is_known])
    return [_rate(series, int(place), usual, error) for place in np.flatnonzero(~is_known)]


def _usual(counts: Integers, rows: Integers) -> _Usual | None:
    """Return what is usual by the reference's days (d,), None where there is none."""
    if not len(rows):
        return None
    total = int(rows.sum())
    share = (int(counts.sum()) + _SMOOTHING) / (total + 2 * _SMOOTHING)
    deviates = (counts / rows - share) / np.sqrt(share * (1 - share) / rows)
    ranges = np.abs(np.diff(deviates))
    spread = float(ranges.mean()) / _MOVING_RANGE if len(ranges) else 1.0
    return _Usual(share=share, rows=total, spread=max(spread, 1.0))


def _rate(series: CountedDays, place: int, usual: _Usual | None, error: float) -> DayRate:
    count, rows = int(series.counts[place]), int(series.rows[place])
    low, high, verdict = 0.0, 1.0, RateVerdict.NEW
    if usual is not None:
        # The reference's share is known from its rows only: the variance of both counts.
        variance = usual.share * (1 - usual.share) * (1 / rows + 1 / usual.rows)
        half = standard_errors(error) * usual.spread * math.sqrt(variance)
        low, high = max(usual.share - half, 0.0), min(usual.share + half, 1.0)
        is_chance = _chance(count, rows, usual.share) > error / 2
        verdict = RateVerdict.STEADY if is_chance else _verdict(count / rows, low, high)
    return DayRate(
        name=series.name,
        segment=series.segment,
        day=int(series.days[place]),
        count=count,
        rows=rows,
        share=count / rows,
        usual=None if usual is None else usual.share,
        low=low,
        high=high,
        verdict=verdict,
    )


def _chance(count: int, rows: int, share: float) -> float:
    """Return how often chance gives a count as far or farther to its side of what is expected."""
    if count > rows * share:
        return float(bdtrc(count - 1, rows, share))
    return float(bdtr(count, rows, share))


def _verdict(share: float, low: float, high: float) -> RateVerdict:
    if share > high:
        return RateVerdict.HIGH
    return RateVerdict.LOW if share < low else RateVerdict.STEADY
