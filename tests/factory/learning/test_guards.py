"""Guards alarm for what must not be, and for nothing else."""

from __future__ import annotations

import numpy as np

from formicary.factory.learning.guards import Seen, alarms, money_alarm
from formicary.factory.learning.rows import UNKNOWN
from tests.factory.learning.learning_kit import PLAN, made_rows

ROWS = made_rows(10)
KNOWING = np.where(ROWS.labels == 1, 0.9, 0.01)


def _names(seen: Seen) -> list[str]:
    return [alarm.name for alarm in alarms(seen, PLAN)]


def test_what_is_as_before_alarms_nobody() -> None:
    """Nor do a few rows, whatever they say."""
    assert _names(Seen(rows=ROWS, scored=KNOWING, own=KNOWING, before=KNOWING)) == []
    few = ROWS.chosen(slice(0, 50))
    assert _names(Seen(rows=few, scored=KNOWING[:50] * np.nan, own=KNOWING[:50], before=KNOWING[:50])) == []


def test_scores_that_are_missing_alarm() -> None:
    """One in a hundred is enough; what else is wrong does not matter then."""
    scored = KNOWING.copy()
    scored[::100] = np.nan
    assert _names(Seen(rows=ROWS, scored=scored, own=KNOWING, before=KNOWING)) == ["missing"]


def test_one_missing_in_thousands_is_no_alarm() -> None:
    """If the model itself has none there, too."""
    rows = made_rows(30)
    scored = np.full(len(rows), 0.01)
    scored[5] = np.nan
    assert _names(Seen(rows=rows, scored=scored, own=scored, before=scored)) == []


def test_many_more_stopped_alarm() -> None:
    """Than by the model before, on the same rows."""
    assert _names(Seen(rows=ROWS, scored=KNOWING + 0.5, own=KNOWING + 0.5, before=KNOWING)) == ["stopped"]


def test_scores_that_are_not_the_models_own_alarm() -> None:
    """By a bit."""
    scored = KNOWING.copy()
    scored[7] = np.nextafter(scored[7], 1)
    (alarm,) = alarms(Seen(rows=ROWS, scored=scored, own=KNOWING, before=KNOWING), PLAN)
    assert alarm.name == "skew"
    assert alarm.figure == 1 / len(ROWS)


def test_a_loss_alarms_once_it_is_sure() -> None:
    """Who knows nothing loses beside who knows; on few days, or without labels, nobody can tell."""
    wrong = 1 - KNOWING
    (alarm,) = money_alarm(Seen(rows=ROWS, scored=wrong, own=wrong, before=KNOWING), PLAN)
    assert alarm.name == "money"
    assert alarm.figure > 0
    assert not list(money_alarm(Seen(rows=ROWS, scored=KNOWING, own=KNOWING, before=wrong), PLAN))
    few = ROWS.chosen(slice(0, 120))
    seen = Seen(rows=few, scored=wrong[:120], own=wrong[:120], before=KNOWING[:120])
    assert not list(money_alarm(seen, PLAN))
    untold = made_rows(1)
    untold.labels[:] = UNKNOWN
    nothing = np.full(len(untold), 0.5)
    assert not list(money_alarm(Seen(rows=untold, scored=nothing, own=nothing, before=nothing), PLAN))
