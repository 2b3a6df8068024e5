"""The labs of the learning loop, each in one world: what they find is what they were built to find."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from proofs.learning.__main__ import sabotage_report, selection_figure, selection_tables
from proofs.learning.charts import line_chart
from proofs.learning.injected import ALARM_MINUTES_MAX, Injected, injected, quiet_alarms, sensed
from proofs.learning.sabotage import SABOTEURS, UNDONE, sabotaged
from proofs.learning.selection import CYCLES, SHARE, Cycle, behind, is_right, lent


def test_saboteurs_are_refused_and_what_breaks_is_undone() -> None:
    """Each by the gate meant for it, or by an alarm and a rollback in the same look; the honest one stays."""
    outcomes = {one.kind: one for one in sabotaged(0, ("leaking", "exaggerating"))}
    assert list(outcomes) == ["the first, inverted", "leaking", "exaggerating", "honest", *UNDONE]
    assert outcomes["the first, inverted"].is_alone
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
    assert found.held > 0.8
    assert found.held_good < 0.05
    assert found.caught_frozen < 0.2


def test_an_attack_is_not_right_if_seen_late_or_learnt_late() -> None:
    """Nor if it is never seen, or never learnt."""
    right = Injected(
        seed=0,
        an_hour=30,
        false_alarms=0,
        minutes_to_alarm=60.0,
        held=1.0,
        held_good=0.0,
        labels_day=6,
        champion_day=7,
        caught=0.8,
        caught_frozen=0.0,
        scheduled_day=None,
    )
    assert right.is_right
    wrong: list[dict[str, Any]] = [
        {"minutes_to_alarm": 61.0},
        {"minutes_to_alarm": None},
        {"champion_day": 8},
        {"champion_day": None},
        {"caught": 0.79},
    ]
    assert not any(replace(right, **one).is_right for one in wrong)


def test_a_small_attack_takes_longer_to_see() -> None:
    """Forty rows an hour show within the hour; five among a hundred take longer, or nobody sees them."""
    large, small = sensed(0, 40), sensed(0, 5)
    assert large is not None
    assert large <= ALARM_MINUTES_MAX
    assert small is None or small > ALARM_MINUTES_MAX


def test_a_quiet_world_is_looked_at_three_times_an_hour() -> None:
    """All day but for the first forty minutes: no hour is whole before."""
    looks, alarms = quiet_alarms(0, days=1)
    assert looks == 24 * 3 - 2
    assert alarms == []


def test_a_lender_that_never_explores_does_not_see_what_it_forgets() -> None:
    """By its own rows it orders better than one that is told everything; it orders worse."""
    off, on, told = (
        list(lent(0, share, cycles=3, applicants=2_000, is_told=is_told))
        for share, is_told in ((0.0, False), (SHARE, False), (0.0, True))
    )
    assert all(one.own_area > best.own_area for one, best in zip(off, told, strict=True))
    assert off[-1].own_area - off[-1].true_area > 0.1
    assert behind(off, told)[-1] > 2 * max(behind(on, told))
    assert {one.explored for one in off} == {0}
    assert on[0].explored > 0
    assert on[0].explored_money < 0


def test_the_claim_about_exploring_can_fail() -> None:
    """If no harm comes of not exploring, if the harm shows, or if exploring does not help."""
    told = [_cycle(0.7, 0.8), _cycle(0.7, 0.8)]
    off = [_cycle(0.75, 0.79), _cycle(0.75, 0.6)]
    on = [_cycle(0.7, 0.78), _cycle(0.7, 0.76)]
    assert is_right(off, on, told)
    assert not is_right(on, on, told)
    assert not is_right([off[0], replace(off[1], own_area=0.69)], on, told)
    assert not is_right(off, off, told)


def test_lenders_are_told_in_two_tables_and_six_lines() -> None:
    """Each with how far it is behind the one that was told everything."""
    lenders = {
        name: [[_cycle(0.7, true)] * CYCLES] for name, true in (("off", 0.6), ("3%", 0.78), ("told all", 0.8))
    }
    cycles, totals = selection_tables(lenders)
    assert cycles.row_count == 3 * CYCLES
    assert list(totals.columns[-1].cells) == ["0.200", "0.020", "0.000"]
    assert selection_figure(lenders).count("<polyline") == 6


def _cycle(own: float, true: float) -> Cycle:
    return Cycle(
        number=1,
        share=0.0,
        own_area=own,
        true_area=true,
        approved=0.5,
        default_rate=0.1,
        money=100,
        explored=0,
        explored_money=0,
    )


def test_a_chart_has_a_line_each_and_escapes_names() -> None:
    """Values beyond the ends are drawn at them."""
    drawn = line_chart("<one>", {"a & b": [0.5, 2.0], "c": [0.7, 0.6]}, low=0.5, high=0.9)
    assert drawn.count("<polyline") == 2
    assert "&lt;one&gt;" in drawn
    assert "a &amp; b" in drawn
    assert ",34.0" in drawn
