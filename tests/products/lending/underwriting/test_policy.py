"""A policy that contradicts itself is refused, with everything that is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from formicary.products.lending.underwriting.capital import CapitalPolicy
from formicary.products.lending.underwriting.early_warning import Cut, WarningPolicy
from formicary.products.lending.underwriting.errors import CreditPolicyMalformed
from formicary.products.lending.underwriting.policy import CreditPolicy, TurnoverBand
from formicary.products.lending.underwriting.provisions import ProvisionPolicy

POLICY = CreditPolicy(
    currency="CNY",
    bands=(
        TurnoverBand(default_millionths=10_000, sales_millionths=2_000_000),
        TurnoverBand(default_millionths=80_000, sales_millionths=500_000),
    ),
)


def band(default: int, sales: int) -> TurnoverBand:
    """Return a band."""
    return TurnoverBand(default_millionths=default, sales_millionths=sales)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"currency": "XXX"}, "is no currency"),
        ({"horizon_days": 0}, "horizon_days lies from 1"),
        ({"rate_floor_millionths": 501}, "floor of rates is above"),
        ({"rate_step_millionths": 7}, "cap of rates is a multiple"),
        ({"rate_step_millionths": 0}, "rate_step_millionths lies from 1"),
        ({"limit_min": 200_000_000}, "least limit is above"),
        ({"limit_min": 105_000}, "multiples of their step"),
        ({"limit_max": 105_000}, "multiples of their step"),
        ({"limit_step": 0}, "limit_step lies from 1"),
        ({"bands": ()}, "one band at least"),
        ({"bands": (band(0, 1),)}, "a band ends between"),
        ({"bands": (band(1_000_000, 1),)}, "a band ends between"),
        ({"bands": (band(10, 0),)}, "a limit is above 0"),
        ({"bands": (band(10, 9_000_001),)}, "a limit is above 0"),
        ({"bands": (band(10, 5), band(10, 5))}, "bands ascend"),
        ({"bands": (band(10, 5), band(20, 6))}, "no higher limit"),
    ],
)
def test_contradictions_are_told(changes: dict[str, Any], message: str) -> None:
    """In the words of the rule."""
    with pytest.raises(CreditPolicyMalformed, match=message):
        replace(POLICY, **changes)


def test_all_findings_are_told_at_once() -> None:
    """Whoever corrects a policy corrects it once."""
    with pytest.raises(CreditPolicyMalformed, match="no currency; horizon_days"):
        replace(POLICY, currency="", horizon_days=-1)


def test_what_money_costs() -> None:
    """Borrowed at 3.5 % for nine tenths, and own funds at 15 % for one: 4.65 %."""
    assert POLICY.hurdle_millionths == 46_500 * 1_000_000
    assert POLICY.default_cap_millionths == 80_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"leverage_min_millionths": 0}, "leverage_min_millionths is above 0"),
        ({"retained_min_millionths": 1_000_001}, "retained_min_millionths is above 0"),
        ({"segment_max_millionths": 0}, "segment_max_millionths is above 0"),
        ({"liquidity_reserve": -1}, "not negative"),
        ({"step": 0}, "multiple of the step"),
        ({"least": 15_000}, "multiple of the step"),
    ],
)
def test_limits_that_contradict_themselves(changes: dict[str, Any], message: str) -> None:
    """Shares beyond all or nothing limit nothing."""
    with pytest.raises(CreditPolicyMalformed, match=message):
        replace(CapitalPolicy(), **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"past_weeks": 1}, "2 to 520 weeks"),
        ({"fall_millionths": 49_999}, "a fall is to"),
        ({"log_fall_millionths": 500_000}, "not the logarithm"),
        ({"log_fall_millionths": 1_000_000}, "not the logarithm"),
        ({"usual_min": 0}, "one count at least"),
        ({"cuts": (Cut(evidence_millionths=5, undrawn_millionths=1_000_001),)}, "no more than all"),
        (
            {
                "cuts": (
                    Cut(evidence_millionths=5, undrawn_millionths=9),
                    Cut(evidence_millionths=5, undrawn_millionths=9),
                )
            },
            "ascend above 0 by evidence_millionths; cuts ascend above 0 by undrawn_millionths",
        ),
    ],
)
def test_warnings_that_contradict_themselves(changes: dict[str, Any], message: str) -> None:
    """A logarithm that is none would turn evidence around."""
    with pytest.raises(CreditPolicyMalformed, match=message):
        replace(WarningPolicy(), **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"increased_days": 90}, "before a loan is in default"),
        ({"ratio_percent": 100}, "above 100 percent"),
        ({"rise_min_millionths": -1}, "rise_min_millionths lies"),
        ({"drawn_millionths": 1_000_001}, "drawn_millionths lies"),
    ],
)
def test_provisions_that_contradict_themselves(changes: dict[str, Any], message: str) -> None:
    """Stages come one after the other."""
    with pytest.raises(CreditPolicyMalformed, match=message):
        replace(ProvisionPolicy(), **changes)
