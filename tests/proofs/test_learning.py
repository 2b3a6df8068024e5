"""The labs of the learning loop, each in one world: what they find is what they were built to find."""

from __future__ import annotations

import pytest

from proofs.learning.__main__ import sabotage_report
from proofs.learning.charts import line_chart
from proofs.learning.injected import injected, sensed
from proofs.learning.sabotage import SABOTEURS, UNDONE, sabotaged
from proofs.learning.selection import SHARE, lent


def test_saboteurs_are_refused_and_what_breaks_is_undone() -> None:
    """Each by the gate meant for it, or by an alarm and a rollback in the same look; the honest one stays."""
    outcomes = {one.kind: one for one in sabotaged(0, ("leaking", "exaggerating"))}
    assert list(outcomes) == ["leaking", "exaggerating", "honest", *UNDONE]
    assert [kind for kind, one in outcomes.items() if not one.is_right] == []
    assert outcomes["honest"].by == ()
    for kind in ("leaking", "exaggerating"):
        assert SABOTEURS[kind][1] in outcomes[kind].by
    assert {outcomes[kind].hours_to_rollback for kind in UNDONE} == {0.0}
    assert outcomes["answers mixed up"].by == ("skew",)
    assert outcomes["not loaded"].by == ("missing",)
    tables, figures, is_right = sabotage_report(list(outcomes.values()), 1)
    assert is_right
    assert tables[0].row_count == len(figures) == len(outcomes)


def test_an_attack_is_seen_within_the_hour_and_learnt_in_a_day() -> None:
    """Rows like it are held meanwhile; the frozen champion sees nothing of it."""
    found = injected(0, with_schedule=False)
    assert found.is_right
    assert found.false_alarms == 0
    assert found.held > 0.9
    assert found.held_good < 0.05
    assert found.caught_frozen < 0.2


def test_a_small_attack_takes_longer_to_see() -> None:
    """Forty rows an hour show at once; of five among a hundred it takes longer, or nobody sees them."""
    assert sensed(0, 40) == pytest.approx(2 / 3)
    assert (sensed(0, 5) or 48.0) > 2 / 3


def test_a_lender_that_never_explores_does_not_see_what_it_forgets() -> None:
    """Its own rows say it orders well, applicants that nobody chose say it does not."""
    *_, last = lent(0, 0.0, cycles=3)
    assert last.own_area - last.true_area > 0.1
    assert last.explored == 0
    (first,) = lent(0, SHARE, cycles=1)
    assert first.explored > 0
    assert first.explored_money < 0


def test_a_chart_has_a_line_each_and_escapes_names() -> None:
    """Values beyond the ends are drawn at them."""
    drawn = line_chart("<one>", {"a & b": [0.5, 2.0], "c": [0.7, 0.6]}, low=0.5, high=0.9)
    assert drawn.count("<polyline") == 2
    assert "&lt;one&gt;" in drawn
    assert "a &amp; b" in drawn
    assert ",34.0" in drawn
