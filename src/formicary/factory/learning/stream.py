"""A stream of rows that is lived through again, day by day, as if it were now.

What is known of a row when it asks depends on what was done before: alerts that people looked at are facts
of the next day. So a stream is asked for one day after another, and is told what was scored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from formicary.factory.learning.learner import Learner
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import UNKNOWN, Rows
from formicary.factory.learning.standing import Happened
from formicary.factory.models.spec import ModelSpec

__all__ = ["InvestigatedStream", "JudgedStream", "Lived", "RowLog", "Stream", "Watched", "live_through"]

Reals: TypeAlias = npt.NDArray[np.float64]


class Stream(Protocol):
    """Rows day by day.

    Attributes
    ----------
    spec, plan
        Of the model that learns.
    first, after
        The days, counted from 1970, ``after`` not among them.
    """

    spec: ModelSpec
    plan: LearningPlan
    first: int
    after: int

    def asked(self, day: int) -> Rows:
        """Return the rows of a day, with what was known before each; no label is known."""
        ...

    def looked_at(self, day: int, rows: Rows, scored: Reals) -> None:
        """Take the chances (n,) that decided about the rows of a day; people look at some of them."""
        ...

    def labels(self, rows: int, now: int) -> npt.NDArray[np.int8]:
        """Return the labels of the first rows (rows,) as far as they are known at a time, in nanoseconds."""
        ...


@runtime_checkable
class InvestigatedStream(Stream, Protocol):
    """A stream in which what people looked at has a label at once: its plan names a fast one."""

    def investigated(self, rows: int, now: int) -> npt.NDArray[np.int8]:
        """Return what people found of the first rows (rows,) by a time, unknown where they did not look."""
        ...


class JudgedStream(Stream, Protocol):
    """A stream whose weeks are measured as somebody else measured them, beside other ways to learn."""

    @property
    def rivals(self) -> Sequence[Any]:
        """Return who else keeps a model up to date: ``rivals.Rival``."""
        ...

    def measured(self, day: int, scored: Reals) -> Mapping[str, float]:
        """Return what chances or scores (n,) of all rows show in the week that begins on a day."""
        ...


class RowLog:
    """Rows that are added to, without copying those before each time."""

    def __init__(self) -> None:
        self._rows: Rows | None = None
        self._count = 0

    def add(self, rows: Rows) -> None:
        """Add rows behind the others."""
        end = self._count + len(rows)
        if self._rows is None or end > len(self._rows.at):
            self._rows = _grown(self._rows, rows, self._count, 2 * end)
        for ours, theirs in zip(_columns(self._rows), _columns(rows), strict=True):
            ours[self._count : end] = theirs
        self._count = end

    def rows(self, labels: npt.NDArray[np.int8]) -> Rows:
        """Return the first rows, as many as there are labels (n,), with these."""
        assert self._rows is not None  # noqa: S101, there are labels of rows only
        known = self._rows
        count = len(labels)
        return Rows(
            values=known.values[:count],
            at=known.at[:count],
            amounts=known.amounts[:count],
            labels=labels,
            parties=known.parties[:count],
            weights=known.weights[:count],
            segments={name: column[:count] for name, column in known.segments.items()},
        )

    def __len__(self) -> int:
        return self._count


def _columns(rows: Rows) -> list[npt.NDArray[Any]]:
    columns: list[npt.NDArray[Any]] = [rows.values, rows.at, rows.amounts, rows.labels, rows.parties]
    return [*columns, rows.weights, *rows.segments.values()]


def _grown(there: Rows | None, like: Rows, count: int, size: int) -> Rows:
    made = [np.zeros((size, *column.shape[1:]), column.dtype) for column in _columns(like)]
    # What nobody reads yet are rows as well: times ascend, and each stands for itself.
    made[1][:] = np.iinfo(np.int64).max
    made[5][:] = 1.0
    if there is not None:
        for ours, theirs in zip(made, _columns(there), strict=True):
            ours[:count] = theirs[:count]
    values, at, amounts, labels, parties, weights, *segments = made
    return Rows(
        values=values,
        at=at,
        amounts=amounts,
        labels=labels,
        parties=parties,
        weights=weights,
        segments=dict(zip(like.segments, segments, strict=True)),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Lived:
    """What a stream was like for those who lived through it.

    Attributes
    ----------
    rows
        All of them, with the labels that were known in the end.
    scored
        The chances that decided, (n,), NaN where nothing did.
    happened
        What the learner said, with the time of each, in nanoseconds.
    """

    rows: Rows
    scored: Reals
    happened: Sequence[tuple[int, Happened]]


Watched: TypeAlias = Callable[[int, int], None]
"""Is told how many days are done, of how many."""


def live_through(stream: Stream, learner: Learner, *, report: Watched = lambda _done, _of: None) -> Lived:
    """Live through a stream, a day at a time: rows are scored as they come, then the learner has its day."""
    log, scored = RowLog(), list[Reals]()
    happened: list[tuple[int, Happened]] = []
    for day in range(stream.first, stream.after):
        latest = stream.asked(day)
        log.add(latest)
        chances, _ = learner.scored(latest)
        scored.append(chances)
        stream.looked_at(day, latest, chances)
        now = (day + 1) * DAY
        known = _matured(log, stream.labels(len(log), now))
        found = _investigated(stream, log, now)
        happened += [(now, one) for one in learner.day(now, known, latest, chances, found)]
        report(day + 1 - stream.first, stream.after - stream.first)
    rows = log.rows(stream.labels(len(log), now=np.iinfo(np.int64).max))
    return Lived(rows=rows, scored=np.concatenate(scored), happened=tuple(happened))


def _investigated(stream: Stream, log: RowLog, now: int) -> Rows | None:
    """Return the rows that people looked at, with what they found; None where no plan asks for it."""
    if stream.plan.fast is None or not isinstance(stream, InvestigatedStream):
        return None
    return _matured(log, stream.investigated(len(log), now))


def _matured(log: RowLog, labels: npt.NDArray[np.int8]) -> Rows:
    """Return the rows with a label; where those are the first ones, without copying."""
    known = labels != UNKNOWN
    count = int(known.sum())
    if known[:count].all():
        return log.rows(labels[:count])
    return log.rows(labels).chosen(known)
