"""A price is the smallest that is enough, judged by fractions, and never falls where the risk rises."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from formicary.products.lending.millionths import MILLION
from formicary.products.lending.underwriting.policy import RATE_MAX, CreditPolicy, TurnoverBand
from formicary.products.lending.underwriting.pricing import (
    NO_RATE,
    expected_losses,
    exposures,
    rates,
    smallest_rates,
)

BANDS = (TurnoverBand(default_millionths=100_000, sales_millionths=MILLION),)
POLICY = CreditPolicy(currency="CNY", bands=BANDS)

shares = st.integers(0, MILLION)
policies = st.builds(
    CreditPolicy,
    currency=st.just("CNY"),
    bands=st.just(BANDS),
    horizon_days=st.integers(1, 3_650),
    funding_cost_millionths=shares,
    own_funds_millionths=shares,
    target_return_millionths=shares,
    cost_per_line=st.integers(0, 10**9),
)


def return_beside_target(policy: CreditPolicy, default: int, loss: int, amount: int, rate: int) -> Fraction:
    """Return what is earned beyond all that it must cover, in minor units, by the formula of the page."""
    p, g, r = (Fraction(number, MILLION) for number in (default, loss, rate))
    f, k, t = (
        Fraction(number, MILLION)
        for number in (
            policy.funding_cost_millionths,
            policy.own_funds_millionths,
            policy.target_return_millionths,
        )
    )
    earned = (1 - p) * r * policy.horizon_days * amount
    money = (f * (1 - k) + t * k) * amount * Fraction(policy.horizon_days, 365)
    return earned - p * g * amount - money - policy.cost_per_line


def price(policy: CreditPolicy, default: int, loss: int, amount: int) -> int:
    """Return the smallest rate of one loan."""
    columns = {"default": default, "loss": loss, "amounts": amount}
    found = smallest_rates(policy, **{name: np.array([one]) for name, one in columns.items()})
    return int(found[0])


@settings(max_examples=80)
@given(policies, st.integers(0, MILLION - 1), shares, st.integers(1, 10**12))
@example(replace(POLICY, cost_per_line=10**9), 0, 0, 1)
@example(replace(POLICY, cost_per_line=10**9, horizon_days=1), MILLION - 1, MILLION, 10**12)
@example(replace(POLICY, cost_per_line=7), 20_000, 450_000, 3)
def test_a_price_is_the_smallest_that_is_enough(
    policy: CreditPolicy, default: int, loss: int, amount: int
) -> None:
    """One millionth a day less misses the target; what is above all caps is told as such."""
    rate = price(policy, default, loss, amount)
    if rate <= RATE_MAX:
        assert return_beside_target(policy, default, loss, amount, rate) >= 0
    if rate > 0:
        assert return_beside_target(policy, default, loss, amount, rate - 1) < 0


@settings(max_examples=50)
@given(policies, shares, shares, st.integers(1, 10**12), st.data())
def test_prices_do_not_fall_where_the_risk_rises(
    policy: CreditPolicy, default: int, loss: int, amount: int, data: st.DataObject
) -> None:
    """Nor where the loss is larger, or the same cost is borne by less."""
    rate = price(policy, default, loss, amount)
    assert price(policy, data.draw(st.integers(default, MILLION)), loss, amount) >= rate
    assert price(policy, default, data.draw(st.integers(loss, MILLION)), amount) >= rate
    assert price(policy, default, loss, data.draw(st.integers(0, amount))) >= rate


def test_prices_are_stepped_between_floor_and_cap() -> None:
    """By hand: 2 % and 45 % of loss and 4.65 % of money are 5.55 % a year, 0.98 x 365 days earn 155.2."""
    default = np.array([20_000, 0, 60_000, 260_000, 330_000, MILLION])
    asked = {"default": default, "loss": np.full(6, 450_000), "amounts": np.full(6, 1_000_000)}
    assert smallest_rates(POLICY, **asked).tolist() == [156, 128, 215, 606, 798, RATE_MAX + 1]
    assert rates(POLICY, **asked).tolist() == [160, 150, 215, NO_RATE, NO_RATE, NO_RATE]


def test_a_chance_below_the_floor_is_not_believed() -> None:
    """Nobody is as good as a model says at its best."""
    policy = replace(POLICY, rate_floor_millionths=0, rate_step_millionths=1, default_floor_millionths=10_000)
    columns = {"loss": np.full(2, 450_000), "amounts": np.full(2, 1_000)}
    told = rates(policy, default=np.array([0, 10_000]), **columns)
    assert told[0] == told[1] > price(policy, 0, 450_000, 1_000)


def test_losses_are_rounded_once() -> None:
    """PD x LGD x EAD, half even; the exposure is the share that is drawn by then."""
    owed = exposures(replace(POLICY, drawn_at_default_millionths=750_000), np.array([1_000_000, 2]))
    assert owed.tolist() == [750_000, 2]
    assert expected_losses(owed, np.array([20_000, MILLION]), np.array([450_000, 250_000])).tolist() == [
        6_750,
        0,
    ]
