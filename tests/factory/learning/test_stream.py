"""A stream is lived through a day at a time, and knows no label before its time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.factory.learning.learner import Learner
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.rivals import ONCE, Rival, rival_scores
from formicary.factory.learning.rows import UNKNOWN, Rows
from formicary.factory.learning.standing import Happened, StageEntered
from formicary.factory.learning.stream import RowLog, live_through
from formicary.factory.models.metrics import area_under_roc
from tests.factory.learning.learning_kit import (
    FIRST,
    PLAN,
    SPEC,
    SmallStream,
    clock,
    made_challenger,
    made_rows,
)

DAYS = 16


def _learner() -> Learner:
    return Learner(SPEC, replace(PLAN, every_days=99), clock=clock, train=lambda *_, **__: made_challenger())


def test_a_stream_is_lived_through_with_every_row() -> None:
    """Scores begin with the first champion; who looks is told every day."""
    stream, days = SmallStream(DAYS), list[tuple[int, int]]()
    lived = live_through(stream, _learner(), report=lambda done, of: days.append((done, of)))
    assert np.array_equal(lived.rows.values, made_rows(DAYS).values)
    assert np.array_equal(lived.rows.labels, made_rows(DAYS).labels)
    (began,) = (at for at, one in lived.happened if isinstance(one, StageEntered) and one.stage == "champion")
    assert np.isnan(lived.scored[lived.rows.at < began]).all()
    assert not np.isnan(lived.scored[lived.rows.at >= began]).any()
    assert days == [(done, DAYS) for done in range(1, DAYS + 1)]
    assert [day for day, _ in stream.seen] == list(range(FIRST, FIRST + DAYS))


def test_the_learner_is_shown_no_label_before_its_time() -> None:
    """Nor a row that has none yet, even where late labels leave gaps."""
    shown: list[int] = []

    class Watching(Learner):
        def day(self, now: int, rows: Rows, *rest: Any) -> list[Happened]:
            assert (rows.labels != UNKNOWN).all()
            assert (rows.at <= now - 2 * DAY).all()
            shown.append(len(rows))
            return super().day(now, rows, *rest)

    class Gaps(SmallStream):
        def labels(self, rows: int, now: int) -> npt.NDArray[np.int8]:
            labels = super().labels(rows, now)
            labels[::7] = UNKNOWN
            return labels

    learner = Watching(SPEC, PLAN, clock=clock, train=lambda *_, **__: made_challenger())
    live_through(Gaps(6), learner)
    assert shown == sorted(shown)
    # Those of four days and the first one of the fifth, but for every seventh.
    assert shown[-1] == 241 - 35


def test_a_log_grows_without_losing_a_row() -> None:
    """Whatever the sizes of what is added."""
    rows, log = made_rows(5, each=100), RowLog()
    for first, after in ((0, 1), (1, 3), (3, 200), (200, 450), (450, 500)):
        log.add(rows.chosen(slice(first, after)))
    back = log.rows(rows.labels)
    assert len(log) == 500
    for ours, theirs in ((back.values, rows.values), (back.at, rows.at), (back.parties, rows.parties)):
        assert np.array_equal(ours, theirs)
    assert np.array_equal(back.segments["region"], rows.segments["region"])


def test_rivals_are_trained_on_their_days_from_what_was_known() -> None:
    """Nothing is scored before; with no window and with one, of all columns and of one."""
    stream, rows = SmallStream(DAYS), made_rows(DAYS)
    spec = replace(SPEC, columns=SPEC.columns[:1])
    begins = FIRST + 8
    frozen = Rival(name="frozen", said="never again", spec=SPEC, every_days=ONCE)
    weekly = Rival(name="weekly", said="each four days", spec=spec, every_days=4, window_days=6)
    is_after = rows.at >= (begins + 1) * DAY
    for rival in (frozen, weekly):
        scores = rival_scores(rival, stream, rows, begins=begins)
        assert np.array_equal(np.isnan(scores), ~is_after)
        assert area_under_roc(scores=scores[is_after], labels=rows.labels[is_after]) > 0.65
