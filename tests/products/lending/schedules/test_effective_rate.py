"""Effective annual rates: published ones, and against the definition by another way."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.products.lending.schedules import (
    DayCount,
    Disbursement,
    EffectiveRateUnknown,
    Fee,
    FeeOn,
    Intervals,
    Method,
    Terms,
    effective_annual_rate,
    resolve,
    valued,
)
from tests.products.lending.schedules.oracle import day

LENT = day("1994-01-01")


@pytest.mark.parametrize(
    ("flows", "expected"),
    [
        ([("1994-01-01", -1_000_00), ("1995-07-01", 1_200_00)], "12.96"),
        ([("1994-01-01", -950_00), ("1995-07-01", 1_200_00)], "16.9"),
        ([("1994-01-01", -1_000_00), ("1995-01-01", 600_00), ("1996-01-01", 600_00)], "13.07"),
    ],
)
def test_examples_of_the_directive(flows: list[tuple[str, int]], expected: str) -> None:
    """Annex III of Directive 87/102/EEC as amended by 98/7/EC, A: on a calendar basis."""
    found = effective_annual_rate([(day(when), amount) for when, amount in flows])
    decimals = len(expected.partition(".")[2])
    assert f"{found / 10_000:.{decimals}f}" == expected


def test_the_third_example_to_the_last_digit() -> None:
    """It is solved by algebra there: i = 0.1306623..., of which 0.130662 are millionths."""
    flows = [(LENT, -1_000), (LENT + 365, 600), (LENT + 730, 600)]
    exact = 1 / ((math.sqrt(69) - 3) / 6) - 1
    assert effective_annual_rate(flows) == round(exact * 10**6) == 130_662


def test_an_example_of_regulation_z() -> None:
    """12 CFR 1026, Appendix J, (c)(1)(i): 5,000 for 24 times 230 are 9.69 %, nominal."""
    flows = [(day("1978-01-10"), -5_000_00)]
    months = [f"{1978 + place // 12}-{place % 12 + 1:02}-10" for place in range(1, 25)]
    flows += [(day(month), 230_00) for month in months]
    found = effective_annual_rate(flows, intervals=Intervals.MONTHS)
    nominal = 12 * ((1 + found / 10**6) ** (1 / 12) - 1)
    assert f"{nominal:.4f}" == "0.0969"


def test_an_example_of_a_bank() -> None:
    """55,000 at 3.0 % in 240 equal principals and 165 for the contract: 3.12 %.

    Published by Šiaulių bankas with its calculator of housing credits (sb.lt). It does not say its day count;
    Actual/360 is the one that gives its sum to a few euros, too.
    """
    contract = Fee(name="contract", on=FeeOn.DISBURSEMENT, amount=165_00)
    terms = Terms(
        rate=30_000_000,
        instalments=240,
        method=Method.EQUAL_PRINCIPAL,
        day_count=DayCount.ACTUAL_360,
        fees=(contract,),
    )
    valuation = valued(resolve(terms, [Disbursement(day("2022-01-15"), 55_000_00)]))
    assert f"{effective_annual_rate(valuation.flows()) / 10_000:.2f}" == "3.12"
    assert sum(row.payment for row in valuation.rows) == pytest.approx(71_975_41, abs=10_00)


def test_fees_raise_it() -> None:
    """Without fees, a year of months at 1 % each is (1.01)^12 - 1, but for the rounding of cents."""
    terms = Terms(rate=120_000_000, instalments=12)
    plain = valued(resolve(terms, [Disbursement(LENT, 10**9)]))
    rate = effective_annual_rate(plain.flows(), intervals=Intervals.MONTHS)
    assert rate == pytest.approx((1.01**12 - 1) * 10**6, abs=1)
    fees = (Fee(name="service", on=FeeOn.INSTALMENT, share=10_000),)
    costly = valued(resolve(replace(terms, fees=fees), [Disbursement(LENT, 10**9)]))
    assert costly.fees > 0
    assert effective_annual_rate(costly.flows(), intervals=Intervals.MONTHS) > rate


@given(
    st.lists(st.tuples(st.integers(60, 4_000), st.integers(1, 10**6)), min_size=1, max_size=8),
    st.integers(1, 10**6),
)
@settings(max_examples=60)
def test_it_makes_both_sides_equal(paid: list[tuple[int, int]], amount: int) -> None:
    """Half a millionth above, and below, the difference has another sign."""
    flows = [(LENT, -amount), *((LENT + days, part) for days, part in paid)]
    if sum(part for _, part in flows) < 0:
        with pytest.raises(EffectiveRateUnknown):
            effective_annual_rate(flows)
        return
    try:
        found = effective_annual_rate(flows)
    except EffectiveRateUnknown:
        assert _worth(flows, 10**6) > 0
        return
    width = 0.5 + found * 1e-9
    assert _worth(flows, (found + width) / 10**6) <= 1e-6
    assert found == 0 or _worth(flows, (found - width) / 10**6) >= -1e-6


def _worth(flows: list[tuple[int, int]], rate: float) -> float:
    return math.fsum(amount * (1 + rate) ** (-(when - LENT) / 365) for when, amount in flows)


@pytest.mark.parametrize(
    "flows",
    [[], [(LENT, 5)], [(LENT, -5), (LENT + 1, 4)], [(LENT, -5), (LENT, 6)], [(LENT, -1), (LENT + 1, 10**9)]],
)
def test_flows_without_a_rate_are_refused(flows: list[tuple[int, int]]) -> None:
    """Nothing lent, less paid than lent, all on one day, or a rate beyond all sense."""
    with pytest.raises(EffectiveRateUnknown):
        effective_annual_rate(flows)


def test_no_interest_is_no_rate() -> None:
    """What is paid is what was lent."""
    assert effective_annual_rate([(LENT, -100), (LENT + 30, 60), (LENT + 90, 40)]) == 0


def test_months_from_the_31st_end_with_shorter_ones() -> None:
    """28 February is a month after 31 January, and 1 March a month and a day."""
    start, paid = day("2023-01-31"), 101_00
    a_month = effective_annual_rate([(start, -100_00), (day("2023-02-28"), paid)], intervals=Intervals.MONTHS)
    assert a_month == round((1.01**12 - 1) * 10**6)
    later = effective_annual_rate([(start, -100_00), (day("2023-03-01"), paid)], intervals=Intervals.MONTHS)
    assert later == round((1.01 ** (1 / (1 / 12 + 1 / 365)) - 1) * 10**6)
    earlier = effective_annual_rate([(start, -100_00), (day("2023-02-27"), paid)], intervals=Intervals.MONTHS)
    assert earlier == round((1.01 ** (365 / 27) - 1) * 10**6)
