"""What decisions of the journal say of the model that took part in them: drift, rates, label delay.

Nothing is scored again: a decision's row has its scores, the values that were read and what came out. They
are folded day by day, so that memory grows with days, and with rows by a few words each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import point_id
from formicary.factory.features.journal_fold import FACTS_RECORDED
from formicary.factory.features.quality.sketch import ValueSketch, sketch_of
from formicary.factory.features.sources import Progress, RowSource
from formicary.factory.journal.blocks import Block
from formicary.factory.models.outcomes import outcomes_of
from formicary.factory.models.questions import Label
from formicary.factory.monitoring.drift import DriftReport, drift_of_sketches
from formicary.factory.monitoring.label_delay import UNTOLD, DelayReport, label_delay
from formicary.factory.monitoring.rates import CountedDays, RateReport, rates_of_days

__all__ = ["PointWatch", "Wanted", "watch_model"]

Rows = npt.NDArray[Any]

_DAY: Final = 86_400_000_000_000
_WORD_DIGITS: Final = 16
_ALL: Final = "all"
_DELAY_DAYS: Final = (1, 7, 30, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be watched.

    Attributes
    ----------
    hashes
        The hashes of the model's versions.
    points
        The decision points at which it may take part.
    label
        What tells how its rows came out; None where nobody said.
    days
        How many days the reference has, and the window that is compared with it.
    first
        The position from which decisions are looked at.
    """

    hashes: Sequence[str]
    points: Sequence[DecisionPoint]
    label: Label | None
    days: int
    first: int = 1


class PointWatch(msgspec.Struct, frozen=True, kw_only=True):
    """What the decisions of one decision point say, from the first that a version of the model scored.

    Attributes
    ----------
    point
        Its name.
    decisions
        How many there are.
    unread
        How many have another number of features than the point has here: their values are left out.
    first_day, reference_until, window_since, last_day
        The days of the reference and those of the window, counted from 1970-01-01. Where there are too few
        days for both, the window is what the reference leaves.
    drift
        Of scores, as ``score.NAME``, and features.
    rates
        Of outcomes, for the days after the reference.
    missing
        Of scores and features without a value, those withheld not counted.
    delay
        How long it takes until outcomes are told; None without a label that names the transfer itself.
    """

    point: str
    decisions: int
    unread: int
    first_day: int
    reference_until: int
    window_since: int
    last_day: int
    drift: DriftReport
    rates: RateReport
    missing: RateReport
    delay: DelayReport | None

    @property
    def alarms(self) -> int:
        """How many columns and days are told of."""
        return len(self.drift.alarms) + len(self.rates.alarms) + len(self.missing.alarms)


def watch_model(source: RowSource, wanted: Wanted, progress: Progress) -> tuple[PointWatch, ...]:
    """Return what the journal's decisions say of a model, for each point at which it gave a score.

    Parameters
    ----------
    source
        A journal, or an archive of it.
    wanted
        Which model, and how.
    progress
        Is told how far it is.
    """
    until = source.head()
    after = min(wanted.first - 1, until)
    words = np.array([int(one[:_WORD_DIGITS], 16) for one in wanted.hashes], np.uint64)
    folds = {point_id(point.name): _Fold(point, words, wanted.days) for point in wanted.points}
    for block in source.read(after=after, until=until):
        for number, fold in folds.items():
            fold.add(block, block.decisions[block.decisions["point"] == number])
        progress(block.until, until)
    begun = [fold for fold in folds.values() if fold.days]
    label = wanted.label if wanted.label is not None and not wanted.label.names else None
    told = _told(source, label, after, until) if label is not None and begun else None
    return tuple(fold.report(label, told) for fold in begun)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """When the outcome of each transfer was first told, in nanoseconds, and up to when that is known."""

    at: Mapping[tuple[int, int], int]
    now: int


def _told(source: RowSource, label: Label, after: int, until: int) -> _Told:
    events = list(source.events_of((FACTS_RECORDED,), after=after, until=until))
    when = {event.position: event.timestamp for event in events}
    found = outcomes_of(events, label)
    at = dict[tuple[int, int], int]()
    for (high, low), position in zip(
        found.outcomes.ids.tolist(), found.outcomes.positions.tolist(), strict=True
    ):
        at.setdefault((high, low), when[position])
    return _Told(at=at, now=found.now)


class _Day:
    """One day of a point: how many decisions there are, with each outcome, and what was read."""

    def __init__(self, outcomes: int) -> None:
        self.decisions = 0
        self.outcomes = np.zeros(outcomes, np.int64)
        self.missing = dict[str, tuple[int, int]]()
        self.sketches = dict[str, ValueSketch]()

    def add(self, rows: Rows, columns: Mapping[str, npt.NDArray[np.float64]], withheld: Rows) -> None:
        """Count rows (n,), and columns (m,) of those whose values are read."""
        self.decisions += len(rows)
        # An outcome that the point has no longer is none of those told.
        known = rows["outcome"][rows["outcome"] < len(self.outcomes)]
        self.outcomes += np.bincount(known, minlength=len(self.outcomes))
        for name, values in columns.items():
            found = sketch_of(values, withheld)
            missing, told = self.missing.get(name, (0, 0))
            self.missing[name] = (missing + found.missing - found.withheld, told + found.rows)
            self.sketches[name] = self.sketches.get(name, ValueSketch()).merge(found)


class _Fold:
    """The decisions of one point, day by day, from the first that the model scored."""

    def __init__(self, point: DecisionPoint, words: npt.NDArray[np.uint64], days: int) -> None:
        self._point = point
        self._scores = tuple(f"score.{name}" for name in point.scores)
        self._words = words
        self._length = days
        self.days = dict[int, _Day]()
        self._unread = 0
        self._ids = [np.zeros((0, 2), np.uint64)]
        self._at = [np.zeros(0, np.int64)]
        # Where the transfer of a decision stands that was the last row of its block.
        self._awaited = np.zeros(0, np.int64)

    def add(self, block: Block, rows: Rows) -> None:
        """Take in the point's decisions (n,) of a block, and their transfers."""
        if not self.days:
            scored = np.flatnonzero(self._is_scored(rows).any(axis=0))
            rows = rows[scored[0] :] if len(scored) else rows[:0]
        wanted = np.concatenate([self._awaited, rows["position"] + 1])
        transfers = block.transfers[np.isin(block.transfers["position"], wanted)]
        self._awaited = wanted[wanted > block.until]
        self._ids.append(np.stack([transfers["id_high"], transfers["id_low"]], axis=1))
        self._at.append(transfers["timestamp"])
        days = rows["timestamp"] // _DAY
        for day in np.unique(days).tolist():
            self._add_day(day, rows[days == day])
        self._forget()

    def _is_scored(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Return by which scores of the point the model scored rows (n,), (scores, n)."""
        places = range(len(self._point.scores))
        found = [np.isin(rows[f"model_{place}"], self._words) for place in places]
        return np.array(found, np.bool_).reshape(len(places), len(rows))

    def _add_day(self, day: int, rows: Rows) -> None:
        there = self.days.setdefault(day, _Day(len(self._point.outcomes)))
        readable = rows[rows["features"] == len(self._point.features)]
        self._unread += len(rows) - len(readable)
        is_scored = self._is_scored(readable)
        scores = {
            name: np.where(is_scored[place], readable[f"score_{place}"], np.nan)
            for place, name in enumerate(self._scores)
        }
        features = {
            name: np.ascontiguousarray(readable[f"value_{place:02}"])
            for place, name in enumerate(self._point.features)
        }
        there.add(rows, scores | features, readable["withheld"] != 0)

    def _forget(self) -> None:
        """Let go of what days looked like that are neither in the reference nor in any window."""
        first, last = min(self.days, default=0), max(self.days, default=0)
        for day, there in self.days.items():
            if first + self._length <= day <= last - self._length:
                there.sketches.clear()

    # -- the report ------------------------------------------------------------------------

    def report(self, label: Label | None, told: _Told | None) -> PointWatch:
        """Return what all of it says."""
        first, last = min(self.days), max(self.days)
        until = first + self._length - 1
        since = max(last - self._length + 1, until + 1)
        reference = self._merged(first, until)
        window = self._merged(since, last)
        # A score that another model gives, here or in another alias, has no value.
        given = [name for name in self._scores if reference[name].present or window[name].present]
        given += self._point.features
        return PointWatch(
            point=self._point.name,
            decisions=sum(day.decisions for day in self.days.values()),
            unread=self._unread,
            first_day=first,
            reference_until=until,
            window_since=since,
            last_day=last,
            drift=drift_of_sketches(
                {name: reference[name] for name in given}, {name: window[name] for name in given}
            ),
            rates=rates_of_days(self._outcomes(), reference_until=until),
            missing=rates_of_days(self._missing(given), reference_until=until),
            delay=None if label is None or told is None else self._delay(label, told),
        )

    def _merged(self, first: int, last: int) -> dict[str, ValueSketch]:
        merged = dict.fromkeys((*self._scores, *self._point.features), ValueSketch())
        for day, there in sorted(self.days.items()):
            if first <= day <= last:
                merged = {
                    name: one.merge(there.sketches.get(name, ValueSketch())) for name, one in merged.items()
                }
        return merged

    def _outcomes(self) -> Iterator[CountedDays]:
        days = sorted(self.days)
        rows = np.array([self.days[day].decisions for day in days])
        for place, name in enumerate(self._point.outcomes):
            counts = np.array([self.days[day].outcomes[place] for day in days])
            yield CountedDays(name=name, segment=_ALL, days=np.array(days), counts=counts, rows=rows)

    def _missing(self, names: Sequence[str]) -> Iterator[CountedDays]:
        for name in names:
            told = {
                day: there.missing[name] for day, there in sorted(self.days.items()) if there.missing[name][1]
            }
            counts, rows = np.array(list(told.values()), np.int64).reshape(-1, 2).T
            yield CountedDays(
                name=name, segment=_ALL, days=np.array(list(told), np.int64), counts=counts, rows=rows
            )

    def _delay(self, label: Label, told: _Told) -> DelayReport:
        ids, at = np.concatenate(self._ids), np.concatenate(self._at)
        told_at = [told.at.get((high, low), UNTOLD) for high, low in ids.tolist()]
        horizons = sorted({label.horizon_ns, *(days * _DAY for days in _DELAY_DAYS)})
        now = max(told.now, int(at.max(initial=0)))
        return label_delay(asked_at=at, told_at=told_at, now=now, horizons_ns=horizons)
