"""Every row against fractions, day by day; balances that end at zero; what pays a loan off."""

from __future__ import annotations

from dataclasses import astuple, replace
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from formicary.products.lending.schedules import (
    DayCount,
    Disbursement,
    DisbursementsMalformed,
    InterestBy,
    Method,
    Movement,
    Rounding,
    Row,
    Schedule,
    Terms,
    Unit,
    resolve,
    settlement,
    valued,
)
from tests.products.lending.schedules.oracle import AMOUNTS, STARTS, Oracle, all_terms, day, paid_out


@st.composite
def schedules(draw: st.DrawFn, *, instalments_max: int = 14) -> Schedule:
    """Draw a schedule with one disbursement or some, and a first date of its own or not."""
    terms = draw(all_terms(instalments_max=instalments_max))
    begin = draw(STARTS)
    lent = paid_out(
        begin + draw(st.sampled_from([0, 0, 3])),
        draw(st.lists(AMOUNTS, min_size=1, max_size=3)),
        draw(st.lists(st.integers(0, 50), min_size=2, max_size=2)),
    )
    first_due, due_day = None, None
    if draw(st.booleans()):
        first_due = begin + draw(st.integers(1, 70))
        if terms.unit == Unit.MONTHS and draw(st.booleans()):
            due_day = draw(st.sampled_from([1, 15, 30, 31]))
    try:
        return resolve(
            terms,
            lent,
            start=begin,
            first_due=first_due,
            due_day=due_day,
            carried=draw(st.sampled_from([0, 77])),
        )
    except DisbursementsMalformed:
        assume(False)  # noqa: FBT003, hypothesis' own form
        raise


@given(schedules())
@settings(max_examples=120)
def test_rows_are_those_of_fractions(schedule: Schedule) -> None:
    """Dates, interest of each period, instalments, fees, balances: each by itself, exactly."""
    oracle = Oracle(schedule)
    assert [period.due for period in schedule.periods] == oracle.dues
    assert [period.fraction for period in schedule.periods] == oracle.parts
    assert [astuple(row) for row in valued(schedule).rows] == oracle.rows()


@given(schedules())
@settings(max_examples=50)
def test_balances_end_at_zero(schedule: Schedule) -> None:
    """What is paid back is what was paid out; nothing is ever below zero, and the last balance is zero."""
    rows = valued(schedule).rows
    assert sum(row.disbursed for row in rows) == sum(row.principal for row in rows)
    assert rows[-1].balance == rows[-1].deferred == 0
    assert min(min(astuple(row)[2:]) for row in rows) >= 0
    for before, after in pairwise(rows):
        assert after.balance == before.balance + after.disbursed - after.principal
        assert after.due >= before.due


@given(schedules(instalments_max=6), st.data())
@settings(max_examples=50)
def test_movements_are_those_of_fractions(schedule: Schedule, data: st.DataObject) -> None:
    """Early payments, too, with the instalment kept or computed anew, at any time."""
    for _ in range(data.draw(st.integers(1, 2))):
        last = schedule.periods[-1].due - 1
        when = data.draw(st.integers(schedule.movements[-1].day, last))
        balance = valued(schedule).balance_on(when)
        if balance:
            part = data.draw(st.integers(1, balance) | st.just(balance))
            schedule = schedule.moved(Movement(when, -part, data.draw(st.booleans())))
    told = Oracle(schedule).rows()
    assert [astuple(row) for row in valued(schedule).rows] == told
    assert told[-1][6] == 0


@given(schedules(instalments_max=6), st.data())
@settings(max_examples=50)
def test_a_settlement_is_interest_by_days(schedule: Schedule, data: st.DataObject) -> None:
    """What pays a loan off on a day is its balance and the interest of the days until then."""
    valuation, oracle = valued(schedule), Oracle(schedule)
    last = schedule.periods[-1].due
    when = data.draw(st.integers(schedule.start, last - 1))
    place = next(index for index, period in enumerate(schedule.periods) if when < period.due)
    opened = schedule.periods[place].start
    is_flat = schedule.terms.method == Method.FLAT
    told = [row for row in valuation.rows if row.due <= when]
    opening = [row for row in told if row.due <= opened and (row.number or row.due < opened)]
    owed = [(opened, _bearing(opening, is_flat=is_flat))]
    for row in told[len(opening) :]:
        owed.append((row.due, owed[-1][1] + row.disbursed - row.principal))
    found = settlement(valuation, when)
    deferred = told[-1].deferred if told else schedule.carried
    assert found.principal == (told[-1].balance if told else 0)
    assert found.interest == deferred + oracle.interest(place, owed, when)
    assert settlement(valuation, last).amount == 0
    assert settlement(valuation, schedule.start - 1).amount == 0
    assert found.amount == found.principal + found.interest


def _bearing(rows: list[Row], *, is_flat: bool) -> int:
    told = [astuple(row) for row in rows]
    if is_flat:
        return sum(int(row[2] - row[3]) for row in told if row[2])
    return int(told[-1][6]) if told else 0


def test_a_half_goes_to_the_even_instalment() -> None:
    """100.50 at 1 % a month in two instalments are 51.005 each, exactly: whole numbers prove it."""
    terms = Terms(rate=120_000_000, instalments=2)
    lent = [Disbursement(day("2024-01-01"), 100_50)]
    assert valued(resolve(terms, lent)).instalments[0].payment == 51_00
    half_up = replace(terms, rounding=Rounding.HALF_UP)
    assert valued(resolve(half_up, lent)).instalments[0].payment == 51_01


@pytest.mark.parametrize("principal", [10**14, 10**14 - 1, 99_999_999_999_937])
@pytest.mark.parametrize("rate", [10**10, 123_456_789, 1])
@pytest.mark.parametrize("instalments", [1, 2, 40])
def test_the_largest_amounts_are_exact(principal: int, rate: int, instalments: int) -> None:
    """At a trillion euros the fixed point alone does not tell an instalment; whole numbers do."""
    for day_count in (DayCount.THIRTY_360, DayCount.ACTUAL_ACTUAL):
        terms = Terms(rate=rate, instalments=instalments, every=12, day_count=day_count)
        schedule = resolve(terms, [Disbursement(day("2024-02-29"), principal)])
        assert [astuple(row) for row in valued(schedule).rows] == Oracle(schedule).rows()


def test_a_long_loan_is_exact() -> None:
    """Forty years of weeks, with a balloon."""
    terms = Terms(
        rate=53_170_001, instalments=2_000, unit=Unit.WEEKS, day_count=DayCount.ACTUAL_365, balloon=10**9
    )
    valuation = valued(resolve(terms, [Disbursement(day("2024-02-29"), 10**12)]))
    assert len(valuation.instalments) == 2_000
    assert valuation.rows[-1].balance == 0
    payments = {row.payment for row in valuation.instalments[:-1]}
    assert len(payments) == 1
    # Half a unit of each instalment, with the interest on it, is what the last one may differ by.
    assert abs(valuation.rows[-1].payment - 10**9 - payments.pop()) < 4_000


def test_interest_that_eats_the_instalment_is_paid_in_full() -> None:
    """Long months at a high rate: no principal is paid then, and none is added."""
    terms = Terms(rate=2 * 10**9, instalments=60, day_count=DayCount.ACTUAL_360)
    valuation = valued(resolve(terms, [Disbursement(day("2024-01-01"), 1_000_000)]))
    assert min(row.principal for row in valuation.instalments) == 0
    assert valuation.rows[-1].balance == 0


def test_totals_and_flows() -> None:
    """A valuation tells its sums, and what moves on which day."""
    terms = Terms(rate=120_000_000, instalments=2, interest=InterestBy.PERIOD)
    valuation = valued(resolve(terms, [Disbursement(day("2024-01-01"), 1_000_00)]))
    assert valuation.interest == sum(row.interest for row in valuation.rows) == 15_02
    assert valuation.fees == 0
    assert valuation.flows() == [(19723, -1_000_00), (19754, 507_51), (19783, 507_51)]
    assert [valuation.balance_on(one) for one in (19722, 19723, 19754, 19783)] == [0, 100_000, 50_249, 0]
    assert [period.days for period in valuation.schedule.periods] == [31, 29]
