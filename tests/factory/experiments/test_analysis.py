"""What came of experiments whose effects are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from formicary.base.limits import EXPERIMENT_ARM_PARTIES_MIN, EXPERIMENT_DAYS_MAX
from formicary.factory.experiments.analysis import Results, Verdict, analyse
from formicary.factory.experiments.assignment import NOWHERE, arms_of
from formicary.factory.experiments.definitions import DAY_NS, Definition, read_definition
from formicary.factory.experiments.errors import PlanRefused
from formicary.factory.experiments.outcomes import outcomes_for
from formicary.factory.experiments.reading import Exposures
from tests.factory.experiments.kit import document_of, ids

BEGIN = 19_000 * DAY_NS
GOALS = (
    "{name: orders, kind: proportion, column: ordered, good: up}, "
    "{name: spend, kind: mean, column: spent, good: up, covariate: before}"
)
GUARDS = (
    "{name: returns, kind: ratio, column: returned, per: seen, good: down, tolerated_harm: 0.05}, "
    "{name: stay, kind: mean, column: stayed, good: up, tolerated_harm: 0.5}"
)


class World:
    """Parties that met an experiment over ten days, and what they did."""

    def __init__(self, count: int = 4_000, metrics: str = f"{GOALS}, {GUARDS}", **document: Any) -> None:
        self.definition: Definition = read_definition(document_of(metrics=metrics, **document))
        parties = ids(count, seed=4)
        arms = arms_of(parties, self.definition.slice)
        self.parties, self.arms = parties[arms != NOWHERE], arms[arms != NOWHERE]
        chance = np.random.default_rng(5)
        self.count = len(self.parties)
        self.at = BEGIN + np.sort(chance.integers(0, 10 * DAY_NS, self.count))
        before = chance.gamma(2, 2, self.count)
        self.columns: dict[str, npt.NDArray[np.float64]] = {
            "ordered": (chance.random(self.count) < 0.3).astype(float),
            "spent": 0.9 * before + chance.normal(0, 1, self.count),
            "before": before,
            "returned": chance.poisson(1, self.count).astype(float),
            "seen": 1.0 + chance.poisson(3, self.count).astype(float),
            "stayed": chance.exponential(2, self.count),
        }

    def adds(self, column: str, amount: float, arm: int = 1) -> World:
        """Add an amount to what the parties of an arm did."""
        self.columns[column] = self.columns[column] + amount * (self.arms == arm)
        return self

    def analysed(self, rows: Any = slice(None), until: int = BEGIN + 30 * DAY_NS) -> Results:
        """Analyse, with the outcomes of some rows."""
        outcomes = outcomes_for(
            self.definition, self.parties[rows], {name: column[rows] for name, column in self.columns.items()}
        )
        return analyse(
            self.definition,
            Exposures(at=self.at, parties=self.parties, arms=self.arms),
            outcomes,
            until=until,
        )


def verdicts(found: Results) -> dict[str, Verdict]:
    """Return verdicts by metric."""
    return {one.metric.name: one.verdict for one in found.comparisons}


def test_nothing_is_made_of_nothing() -> None:
    """Without an effect nothing is decided; a covariate takes its share of variance away."""
    world = World()
    found = world.analysed()
    assert {*verdicts(found).values()} == {Verdict.UNDECIDED}
    assert list(verdicts(found)) == ["orders", "spend", "returns", "stay"]
    assert found.days.tolist() == list(range(19_000, 19_010))
    assert found.exposed.sum() == found.analysed.sum() == world.count
    assert not found.is_mismatched
    assert found.harmful == ()
    orders, spend, returns, stay = found.comparisons
    for one in (orders, spend):
        assert (one.look.low[-1] < one.fixed[0], one.look.high[-1] > one.fixed[1]) == (True, True)
        assert one.look.low[-1] < 0 < one.look.high[-1]
    rho = np.corrcoef(world.columns["spent"], world.columns["before"])[0, 1]
    assert spend.variance_reduction == pytest.approx(rho**2, abs=0.02)
    assert orders.variance_reduction == orders.theta == 0
    # A guardrail has one end, on the side of harm.
    assert np.isnan(returns.look.high).all()
    assert np.isnan(stay.look.low).all()
    assert returns.look.low[-1] < returns.estimate
    assert stay.look.high[-1] > stay.estimate
    treated = world.columns["stayed"][world.arms == 1]
    control = world.columns["stayed"][world.arms == 0]
    assert stay.fixed[2] == pytest.approx(stats.ttest_ind(treated, control, equal_var=False).pvalue)


@pytest.mark.parametrize(("amount", "verdict"), [(0.5, Verdict.BETTER), (-0.5, Verdict.WORSE)])
def test_an_effect_is_found(amount: float, verdict: Verdict) -> None:
    """On a day before the last one, and for good."""
    found = World().adds("spent", amount).analysed()
    assert verdicts(found)["spend"] is verdict
    spend = found.comparisons[1]
    assert 0 <= spend.look.decided < 9
    assert spend.look.p_value[-1] < 0.025
    assert spend.estimate == pytest.approx(amount, abs=0.15)


def test_less_may_be_better() -> None:
    """Where a metric says so."""
    goal = "{name: waiting, kind: mean, column: stayed, good: down}"
    assert verdicts(World(metrics=goal).adds("stayed", -1).analysed()) == {"waiting": Verdict.BETTER}


def test_what_was_decided_stays_decided() -> None:
    """Though later parties speak against it."""
    world = World(metrics="{name: spend, kind: mean, column: spent, good: up}")
    late = world.at >= BEGIN + 5 * DAY_NS
    world.columns["spent"] += np.where(late, -1.0, 1.0) * (world.arms == 1)
    found = world.analysed()
    assert verdicts(found) == {"spend": Verdict.BETTER}
    assert found.comparisons[0].look.low[-1] < 0


@pytest.mark.parametrize(("column", "amount"), [("returned", 0.9), ("stayed", -1.2)])
def test_harm_asks_for_a_stop(column: str, amount: float) -> None:
    """More than is tolerated, in the direction that is worse; as much good does nothing."""
    found = World().adds(column, amount).analysed()
    (harmful,) = found.harmful
    assert harmful.metric.column == column
    assert harmful.verdict is Verdict.HARMFUL
    good = World().adds(column, -amount / 2).analysed()
    assert good.harmful == ()


def test_harm_that_is_tolerated_stops_nothing() -> None:
    """Though it is clearly there."""
    found = World().adds("stayed", -0.4).analysed()
    assert found.harmful == ()
    assert found.comparisons[3].look.high[-1] < 0


def test_uneven_arms_void_all_verdicts() -> None:
    """Where parties of one arm are not told, or their outcomes are missing."""
    world = World().adds("spent", 0.5)
    kept = (world.arms == 0) | (np.arange(world.count) % 4 > 0)
    missing = world.analysed(rows=kept)
    assert missing.is_mismatched
    assert missing.exposed_p_value > 0.001 > missing.analysed_p_value
    assert {*verdicts(missing).values()} == {Verdict.VOID}
    assert missing.harmful == ()
    for name in ("parties", "arms", "at"):
        setattr(world, name, getattr(world, name)[kept])
    world.columns = {name: column[kept] for name, column in world.columns.items()}
    untold = world.analysed()
    assert untold.exposed_p_value == untold.analysed_p_value < 0.001
    assert {*verdicts(untold).values()} == {Verdict.VOID}


def test_outcomes_are_waited_for() -> None:
    """A party counts once its outcome is known, and its day is that on which it is."""
    world = World(outcome_days=7)
    found = world.analysed(until=BEGIN + 12 * DAY_NS)
    assert found.days.tolist() == list(range(19_007, 19_012))
    due = world.at <= BEGIN + 5 * DAY_NS
    assert found.analysed.tolist() == np.bincount(world.arms[due]).tolist()
    assert found.waiting.tolist() == np.bincount(world.arms[~due]).tolist()
    early = world.analysed(until=BEGIN)
    assert early.days.tolist() == []
    assert early.comparisons == ()
    assert early.exposed_p_value == 1


def test_each_arm_is_compared_with_the_first() -> None:
    """And alpha is shared by all goals of all arms."""
    arms = "{control: 1, short: 1, shorter: 1}"
    goal = "{name: spend, kind: mean, column: spent, good: up, covariate: before}"
    world = World(metrics=goal, arms=arms).adds("spent", 0.6, arm=2)
    found = world.analysed()
    assert [(one.arm, one.verdict) for one in found.comparisons] == [
        ("short", Verdict.UNDECIDED),
        ("shorter", Verdict.BETTER),
    ]
    alone = World(metrics=goal, arms=arms, alpha=0.025).adds("spent", 0.6, arm=2).analysed()
    assert alone.comparisons[0].look.low[-1] < found.comparisons[0].look.low[-1]


def test_nothing_is_said_before_there_are_parties_enough() -> None:
    """In each of the arms."""
    world = World(count=1_500)
    days = world.at // DAY_NS - 19_000
    smaller = [np.bincount(world.arms[days <= day], minlength=2).min() for day in range(10)]
    is_silent = [count < EXPERIMENT_ARM_PARTIES_MIN for count in smaller]
    assert np.isnan(world.analysed().comparisons[0].look.estimate).tolist() == is_silent
    assert {*is_silent} == {True, False}


def test_too_few_parties_say_nothing() -> None:
    """Nor do parties who all did the same."""
    few = World(count=150).adds("spent", 9.0).analysed()
    assert {*verdicts(few).values()} == {Verdict.UNDECIDED}
    world = World()
    world.columns["ordered"][:] = 0
    orders = world.analysed().comparisons[0]
    assert orders.verdict is Verdict.UNDECIDED
    assert np.isnan(orders.look.estimate).all()
    assert orders.look.p_value[-1] == 1


def test_too_many_days() -> None:
    """They are bounded."""
    world = World()
    world.at = BEGIN + np.linspace(0, EXPERIMENT_DAYS_MAX * DAY_NS, world.count).astype(np.int64)
    with pytest.raises(PlanRefused, match="401 days"):
        world.analysed(until=BEGIN + 999 * DAY_NS)
