"""How long an experiment takes: by the formula of the field, and by the definition of power."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from formicary.base.limits import EXPERIMENT_DAYS_MAX
from formicary.factory.experiments import power
from formicary.factory.experiments.errors import PlanRefused
from formicary.factory.experiments.power import (
    Plan,
    anytime_days,
    anytime_power,
    fixed_days,
    fixed_effect,
    fixed_parties,
    fixed_power,
    peeking_errors,
    smallest_effect,
)

PLAN = Plan(parties_per_day=500, deviation=0.4)


def test_the_rule_of_sixteen() -> None:
    """Sixteen times the variance over the squared effect, in each arm, for 5 % and 80 % (van Belle, 2002)."""
    assert fixed_parties(PLAN, 0.02) / 2 == pytest.approx(16 * 0.16 / 0.0004, rel=0.02)
    exact = 2 * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2 * 0.16 / 0.0004
    assert fixed_parties(PLAN, -0.02) / 2 == pytest.approx(exact)
    assert fixed_days(PLAN, 0.02) == math.ceil(2 * exact / 500)


def test_uneven_arms_and_a_covariate() -> None:
    """Parties grow by 1 / (4 s (1 - s)), and shrink by 1 - rho^2."""
    uneven = Plan(parties_per_day=500, deviation=0.4, share=0.1)
    assert fixed_parties(uneven, 0.02) == pytest.approx(fixed_parties(PLAN, 0.02) / (4 * 0.1 * 0.9))
    known = Plan(parties_per_day=500, deviation=0.4, correlation=-0.6)
    assert fixed_parties(known, 0.02) == pytest.approx(fixed_parties(PLAN, 0.02) * 0.64)


def test_power_and_effect_are_each_others_inverse() -> None:
    """The smallest effect of some days has the power that was asked for on the last of them."""
    effect = fixed_effect(PLAN, 20)
    assert fixed_power(PLAN, effect, 20) == pytest.approx(0.8, abs=1e-6)
    smallest = smallest_effect(PLAN, 20)
    shown = anytime_power(PLAN, -smallest, 20, planned_parties=10_000)
    assert shown[-1] == pytest.approx(0.8, abs=1e-4)
    assert 1 < smallest / effect < 1.5


def test_a_sequence_takes_longer_and_keeps_its_promise() -> None:
    """On the day it names power is reached, and not on the one before."""
    days = anytime_days(PLAN, 0.02)
    assert days is not None
    assert 1 < days / fixed_days(PLAN, 0.02) < 2
    shown = anytime_power(PLAN, 0.02, days, planned_parties=fixed_parties(PLAN, 0.02))
    assert shown[-1] >= 0.8 > shown[-2]
    assert (np.diff(shown) >= 0).all()
    # Where there is nothing to be shown it errs less than alpha, however long, and less than looking does.
    nothing = anytime_power(PLAN, 1e-12, 100, planned_parties=25_000)[-1]
    assert nothing < 0.05 < peeking_errors(0.05, 100)[-1]


def test_what_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sequence that no planned number of days is enough for has none, though one look might."""
    assert anytime_days(Plan(parties_per_day=1, deviation=1.0), 0.02) is None
    monkeypatch.setattr(power, "EXPERIMENT_DAYS_MAX", fixed_days(PLAN, 0.02) + 1)
    assert anytime_days(PLAN, 0.02) is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"alpha": 0.0}, "alpha lies"),
        ({"power": 1.0}, "power lies"),
        ({"share": math.nan}, "share lies"),
        ({"parties_per_day": 0.5}, "one party a day"),
        ({"parties_per_day": math.inf}, "one party a day"),
        ({"deviation": 0.0}, "deviation is more"),
        ({"deviation": math.nan}, "deviation is more"),
        ({"correlation": 1.0}, "correlation lies"),
        ({"power": 0.04}, "more than alpha"),
    ],
)
def test_what_cannot_be_planned(changed: dict[str, Any], said: str) -> None:
    """A number that is outside of what it can be."""
    with pytest.raises(PlanRefused, match=said):
        Plan(**({"parties_per_day": 500, "deviation": 0.4} | changed))


@pytest.mark.parametrize("effect", [0.0, math.nan, math.inf])
def test_no_effect_is_to_be_shown(effect: float) -> None:
    """Nothing shows it."""
    with pytest.raises(PlanRefused, match="other than 0"):
        fixed_parties(PLAN, effect)


@pytest.mark.parametrize("days", [0, EXPERIMENT_DAYS_MAX + 1])
def test_too_few_or_too_many_days(days: int) -> None:
    """They are bounded."""
    with pytest.raises(PlanRefused, match="days are planned"):
        fixed_effect(PLAN, days)
