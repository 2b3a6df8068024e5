"""The largest line that is affordable is affordable, and one unit more is not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from formicary.products.lending.millionths import MILLION
from formicary.products.lending.underwriting.affordability import affordable_limits
from formicary.products.lending.underwriting.limits import monthly_sales, stepped, turnover_limits
from formicary.products.lending.underwriting.policy import CreditPolicy, TurnoverBand

POLICY = CreditPolicy(
    currency="CNY",
    bands=(
        TurnoverBand(default_millionths=10_000, sales_millionths=2_000_000),
        TurnoverBand(default_millionths=80_000, sales_millionths=500_000),
    ),
)


@settings(max_examples=60)
@given(
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    st.integers(1, 120),
    st.integers(1, MILLION),
    st.integers(1, 2_000),
)
@example(10**12, 0, 120, MILLION, 1)
def test_the_first_instalment_is_carried(sales: int, debts: int, months: int, share: int, steps: int) -> None:
    """By fractions: L / n + 30 r L is no more than what sales leave, of L + 1 it is more."""
    policy = replace(
        POLICY,
        repaid_months=months,
        affordable_millionths=share,
        rate_floor_millionths=0,
        rate_cap_millionths=5 * steps,
    )
    limit = int(affordable_limits(policy, sales=np.array([sales]), debt_service=np.array([debts]))[0])
    left = max(sales * share // MILLION - debts, 0)
    each = Fraction(1, months) + 30 * Fraction(policy.rate_cap_millionths, MILLION)
    assert limit * each <= left < (limit + 1) * each


def test_sales_that_fall_count_at_once() -> None:
    """The lesser of a month and a third of three: a good month raises nothing."""
    assert monthly_sales(np.array([100, 300, 50]), np.array([300, 300, 599])).tolist() == [100, 100, 50]


def test_limits_are_shares_of_sales_by_band() -> None:
    """A chance on the end of a band is in it; above the last nothing is lent."""
    default = np.array([0, 10_000, 10_001, 80_000, 80_001])
    limits = turnover_limits(POLICY, default=default, sales=np.full(5, 333))
    assert limits.tolist() == [666, 666, 166, 166, 0]


def test_limits_are_lent_in_steps() -> None:
    """Down to a step, up to the largest, and not below the least."""
    limits = np.array([99_999, 100_000, 119_999, 100_010_000])
    assert stepped(POLICY, limits).tolist() == [0, 100_000, 110_000, 100_000_000]
