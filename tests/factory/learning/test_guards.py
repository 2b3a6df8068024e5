"""Guards alarm for what must not be, and for nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from formicary.factory.learning.guards import Before, Seen, alarms, latency_alarm, money_alarm, moved_index
from formicary.factory.learning.rows import UNKNOWN
from tests.factory.learning.learning_kit import PLAN, made_challenger, made_rows

ROWS = made_rows(10)
KNOWING = np.where(ROWS.labels == 1, 0.9, 0.01)


def _names(seen: Seen) -> list[str]:
    return [alarm.name for alarm in alarms(seen, PLAN)]


def test_what_is_as_before_alarms_nobody() -> None:
    """Nor do a few rows, whatever they say."""
    assert _names(Seen(rows=ROWS, scored=KNOWING, own=KNOWING, before=Before(chances=KNOWING))) == []
    few = ROWS.chosen(slice(0, 50))
    assert (
        _names(
            Seen(
                rows=few, scored=KNOWING[:50] * np.nan, own=KNOWING[:50], before=Before(chances=KNOWING[:50])
            )
        )
        == []
    )


def test_scores_that_are_missing_alarm() -> None:
    """One in a hundred is enough; what else is wrong does not matter then."""
    scored = KNOWING.copy()
    scored[::100] = np.nan
    assert _names(Seen(rows=ROWS, scored=scored, own=KNOWING, before=Before(chances=KNOWING))) == ["missing"]


def test_one_missing_in_thousands_is_no_alarm() -> None:
    """If the model itself has none there, too."""
    rows = made_rows(30)
    scored = np.full(len(rows), 0.01)
    scored[5] = np.nan
    assert _names(Seen(rows=rows, scored=scored, own=scored, before=Before(chances=scored))) == []


def test_many_more_stopped_alarm() -> None:
    """Than by the model before, on the same rows."""
    assert _names(
        Seen(rows=ROWS, scored=KNOWING + 0.5, own=KNOWING + 0.5, before=Before(chances=KNOWING))
    ) == ["stopped"]


def test_scores_that_are_not_the_models_own_alarm() -> None:
    """By a bit."""
    scored = KNOWING.copy()
    scored[7] = np.nextafter(scored[7], 1)
    (alarm,) = alarms(Seen(rows=ROWS, scored=scored, own=KNOWING, before=Before(chances=KNOWING)), PLAN)
    assert alarm.name == "skew"
    assert alarm.figure == 1 / len(ROWS)


def test_a_loss_alarms_once_it_is_sure() -> None:
    """Who knows nothing loses beside who knows; on few days, or without labels, nobody can tell."""
    wrong = 1 - KNOWING
    (alarm,) = money_alarm(Seen(rows=ROWS, scored=wrong, own=wrong, before=Before(chances=KNOWING)), PLAN)
    assert alarm.name == "money"
    assert alarm.figure > 0
    assert not list(
        money_alarm(Seen(rows=ROWS, scored=KNOWING, own=KNOWING, before=Before(chances=wrong)), PLAN)
    )
    few = ROWS.chosen(slice(0, 120))
    seen = Seen(rows=few, scored=wrong[:120], own=wrong[:120], before=Before(chances=KNOWING[:120]))
    assert not list(money_alarm(seen, PLAN))
    untold = made_rows(1)
    untold.labels[:] = UNKNOWN
    nothing = np.full(len(untold), 0.5)
    assert not list(
        money_alarm(Seen(rows=untold, scored=nothing, own=nothing, before=Before(chances=nothing)), PLAN)
    )


def test_a_first_model_may_not_stop_more_than_its_plan_says() -> None:
    """There is none before it on the same rows."""
    seen = Seen(rows=ROWS, scored=KNOWING, own=KNOWING)
    share = float(PLAN.worth.stops(KNOWING, ROWS.amounts).mean())
    assert not list(alarms(seen, replace(PLAN, first_stopped_max=share)))
    (alarm,) = alarms(seen, replace(PLAN, first_stopped_max=share / 2))
    assert alarm.name == "stopped"
    assert alarm.bound < alarm.figure == share


def test_a_first_model_may_not_earn_less_than_none() -> None:
    """Whoever stops what is good loses its margin; who stops what is bad does not."""
    wrong = 1 - KNOWING
    (alarm,) = money_alarm(Seen(rows=ROWS, scored=wrong, own=wrong), PLAN)
    assert "without a model" in alarm.said
    assert not list(money_alarm(Seen(rows=ROWS, scored=KNOWING, own=KNOWING), PLAN))


def test_chances_that_moved_alarm_where_those_before_did_not() -> None:
    """What moves both is the world's doing; few rows tell nothing."""
    rows = made_rows(10, seed=5)
    low, high = (np.random.default_rng(2).beta(*odds, len(rows)) for odds in ((1, 9), (4, 6)))
    assert moved_index(low[:300], low[300:]) < 0.1
    assert moved_index(low, high) > PLAN.moved_index_max
    assert moved_index(low[:150], high) == 0.0

    def names(moved: float) -> list[str]:
        before = Before(chances=KNOWING, moved=moved)
        return [one.name for one in alarms(Seen(rows=ROWS, scored=KNOWING, own=KNOWING, before=before), PLAN)]

    assert names(PLAN.moved_index_max) == []
    assert names(PLAN.moved_index_max + 0.01) == ["scores"]


@pytest.mark.parametrize(("longer", "free", "names"), [(3, 0, ["latency"]), (2, 0, []), (3, 3, [])])
def test_what_takes_too_long_beside_the_model_before_alarms(longer: int, free: int, names: list[str]) -> None:
    """The best of several turns, by a clock on which one forest takes so many times as long as the other."""
    plan = replace(PLAN, latency_ratio_max=2.5, latency_free_ns=free)
    forest = made_challenger().model.forest
    rows = ROWS.chosen(slice(0, 10))
    turns = iter(time for number in range(18) for time in (0, 10 * (1 if number % 2 else longer)))
    found = latency_alarm(forest, forest, rows, plan, turns.__next__)
    assert [one.name for one in found] == names
    assert not list(latency_alarm(forest, forest, ROWS.chosen(slice(0, 0)), plan, turns.__next__))
