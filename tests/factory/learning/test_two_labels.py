"""Two kinds of labels have a model each, whose weighted scores are those of one forest."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from formicary.factory.learning.challengers import Challenger, train_challenger
from formicary.factory.learning.errors import PlanMalformed
from formicary.factory.learning.learner import Learner
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.rows import UNKNOWN, Rows
from formicary.factory.learning.stream import live_through
from formicary.factory.learning.tables import table_of_rows
from formicary.factory.learning.two_labels import Fast, Fitted, fitted
from formicary.factory.models.forest import forest_of
from formicary.factory.models.metrics import area_under_roc
from tests.factory.learning.learning_kit import (
    FIRST,
    PLAN,
    SmallStream,
    clock,
    made_challenger,
    made_rows,
)
from tests.factory.learning.learning_kit import SPEC as SMALL

DAYS = 16
# Few trees, each of which learns much.
SPEC = replace(SMALL, search=(*SMALL.search[:2], ("learning_rate", (0.3,))))
ALERTS = replace(SPEC, name="alerts")
BOTH = replace(PLAN, fast=ALERTS)
BORDER = (FIRST + DAYS - PLAN.judged_days) * DAY
ROWS = made_rows(DAYS)
LOOKED_AT = made_rows(DAYS + 2, each=180, seed=9)
"""More rows than have slow labels, and two days newer."""
MANY = made_rows(10, each=2_000, seed=5)
"""To tell who knows more."""
LEARNT = table_of_rows(SPEC, ROWS.between(0, BORDER), negatives_each=PLAN.negatives_each)


def _fitted(rows: Rows | None = LOOKED_AT, plan: Any = BOTH) -> Fitted:
    return fitted(SPEC, plan, LEARNT, rows, threads=1)


@cache
def _both() -> tuple[Fitted, Fast]:
    found = _fitted()
    assert found.fast is not None
    return found, found.fast


def _turned(first: int) -> Rows:
    """Return what was looked at with other labels from a time on."""
    labels = np.where(LOOKED_AT.at >= first, 1 - LOOKED_AT.labels, LOOKED_AT.labels)
    return replace(LOOKED_AT, labels=labels.astype(np.int8))


def test_the_score_is_the_weighted_sum_of_both_learners_own() -> None:
    """By LightGBM's own predictions; so are the scores of rows that were left out, and both know more."""
    found, fast = _both()
    boosters = [found.slow.booster, fast.again(LEARNT.categories, PLAN.negatives_each, BORDER)]
    slow, quick = (np.asarray(one.predict(ROWS.values, raw_score=True)) for one in boosters)
    share = fast.weight / 100
    scores = found.judged(BORDER).raw_scores(ROWS.values)
    assert 0 < fast.weight < 100
    assert scores == pytest.approx(slow * (1 - share) + quick * share, abs=1e-12)
    is_left_out = ~np.isnan(found.slow.left_out)
    assert np.array_equal(~np.isnan(found.left_out), is_left_out)
    first = np.asarray(fast.trained.booster.predict(LEARNT.values[is_left_out], raw_score=True))
    expected = found.slow.left_out[is_left_out] * (1 - share) + first * share
    assert found.left_out[is_left_out] == pytest.approx(expected, abs=1e-12)
    both, alone = (
        area_under_roc(scores=one.raw_scores(MANY.values), labels=MANY.labels)
        for one in (found.judged(BORDER), forest_of(found.slow.booster))
    )
    assert both > alone
    (shown,) = found.shown
    assert (shown.figure, f"{fast.weight} percent" in shown.said) == (fast.weight, True)


def test_nothing_is_learnt_from_what_judges() -> None:
    """Neither the weight by what chose it nor the judged forest by newer alerts; the released one is."""
    found, fast = _both()
    turned = _fitted(_turned(BORDER))
    assert turned.judged(BORDER) == found.judged(BORDER)
    assert turned.forest(turned.again(LEARNT)) != found.forest(found.again(LEARNT))
    assert LEARNT.at is not None
    chosen_from = int(LEARNT.at[~np.isnan(found.slow.left_out)].min())
    again = _fitted(_turned(chosen_from)).fast
    assert again is not None
    assert again.weight == fast.weight


def test_all_of_the_weight_is_the_fast_model() -> None:
    """The slow one's trees would add nothing."""
    found, fast = _both()
    boosters = found.again(LEARNT)
    assert replace(found, fast=replace(fast, weight=100)).forest(boosters) == forest_of(boosters[1])


def test_the_slow_model_is_alone_where_the_fast_one_is_of_no_use() -> None:
    """Without a second label, without alerts, by too few of them, or where they tell nothing."""
    alone = _fitted(None)
    for rows, plan in ((None, BOTH), (LOOKED_AT, PLAN)):
        found = _fitted(rows, plan)
        assert (found.fast, found.shown) == (None, ())
        assert found.judged(BORDER) == alone.judged(BORDER) == forest_of(alone.slow.booster)
    few = _fitted(LOOKED_AT.between(0, (FIRST + 1) * DAY).chosen(slice(0, 20)))
    assert "the slow model is alone: alerts: " in few.shown[0].said
    alike = _fitted(replace(LOOKED_AT, values=np.ones_like(LOOKED_AT.values)))
    assert (alike.fast, alike.shown[0].figure) == (None, 0.0)
    assert "0 percent" in alike.shown[0].said
    timeless = table_of_rows(SPEC, ROWS, negatives_each=4, is_timeless=True)
    assert fitted(SPEC, BOTH, timeless, LOOKED_AT, threads=1).fast is None


def test_a_column_that_alerts_have_in_common_is_learnt_around() -> None:
    """They were chosen by it."""
    values = LOOKED_AT.values.copy()
    values[:, 2] = 1.0
    assert _fitted(replace(LOOKED_AT, values=values)).fast is not None


def test_models_of_other_columns_do_not_add_up() -> None:
    """Whoever writes the plan is told."""
    with pytest.raises(PlanMalformed, match="other columns"):
        _fitted(plan=replace(BOTH, fast=replace(ALERTS, columns=ALERTS.columns[:2])))


def test_a_challenger_of_both_is_one_model() -> None:
    """It passes the gates of any other, and knows more than the slow one alone."""
    found, slow = (
        train_challenger(SPEC, BOTH, ROWS, None, window_days=0, clock=clock, investigated=fast)
        for fast in (LOOKED_AT, None)
    )
    assert found.is_passed, [gate for gate in found.gates if not gate.is_passed]
    assert found.shown[-1].name == "fast labels"
    assert slow.shown[-1].name != "fast labels"
    assert found.model.forest.tree_count > slow.model.forest.tree_count
    both, alone = (
        area_under_roc(scores=one.model.forest.raw_scores(MANY.values), labels=MANY.labels)
        for one in (found, slow)
    )
    assert both > alone


class Looking(SmallStream):
    """A stream in which every fifth row is looked at, at once."""

    plan = replace(BOTH, every_days=99)

    def investigated(self, rows: int, now: int) -> npt.NDArray[np.int8]:
        """Return what is found at once."""
        found = self._rows.labels[:rows].copy()
        found[(self._rows.at[:rows] >= now) | (np.arange(rows) % 5 > 0)] = UNKNOWN
        return found


def test_a_stream_tells_what_people_looked_at() -> None:
    """The newest among it, whose slow labels nobody knows; a plan without a second label asks for none."""
    for plan, is_told in ((Looking.plan, True), (replace(PLAN, every_days=99), False)):
        asked: list[Any] = []

        def train(*given: Any, asked: list[Any] = asked, **options: Any) -> Challenger:
            asked.append((given[2], options.get("investigated")))
            return made_challenger()

        stream = Looking(DAYS)
        stream.plan = plan
        live_through(stream, Learner(SPEC, plan, clock=clock, train=train))
        ((known, looked_at),) = asked
        assert (looked_at is not None) is is_told
        if is_told:
            assert known.at[-1] < looked_at.at[-1]
            assert np.array_equal(np.unique(looked_at.labels), [0, 1])
