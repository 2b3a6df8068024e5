"""What is really paid: every unit goes somewhere, and every way of paying ends at zero."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.products.lending.schedules import (
    Disbursement,
    Excess,
    Fee,
    FeeOn,
    Method,
    Payment,
    Repaid,
    RepaymentsMalformed,
    RescheduleRefused,
    Schedule,
    Terms,
    paid_as_due,
    repaid,
    rescheduled,
    resolve,
    settlement,
    valued,
)
from tests.products.lending.schedules.oracle import all_terms, day
from tests.products.lending.schedules.test_valuation import schedules

TERMS = Terms(rate=120_000_000, instalments=6)
START = day("2024-01-01")
FEE = (Fee(name="service", on=FeeOn.INSTALMENT, amount=5_00),)


def lent(terms: Terms = TERMS, amount: int = 10_000_00) -> Schedule:
    """Return a schedule that begins on 1 January 2024."""
    return resolve(terms, [Disbursement(START, amount)])


def sums_up(state: Repaid, paid: int) -> None:
    """See that every unit is allocated or given back, and no row is paid more than it is."""
    assert sum(one.amount for one in state.allocations) + state.overpaid == paid
    for row, left in state.unpaid():
        assert min(left.fees, left.interest, left.principal) >= 0
        assert left.balance == row.balance
    rows = state.valuation.rows
    assert sum(row.disbursed for row in rows) == sum(row.principal for row in rows)
    assert rows[-1].balance == rows[-1].deferred == 0


@given(schedules(instalments_max=6), st.sampled_from(Excess), st.data())
@settings(max_examples=80)
def test_any_payments_end_at_zero(schedule: Schedule, excess: Excess, data: st.DataObject) -> None:
    """Late, early, partial, too much, in any order: the rest is paid at the end, and nothing is owed."""
    last = schedule.periods[-1].due
    days = data.draw(st.lists(st.integers(schedule.start, last + 40), max_size=4).map(sorted))
    total = sum(one.amount for one in schedule.movements)
    payments = [Payment(one, data.draw(st.integers(1, total))) for one in days]
    state = repaid(schedule, payments, excess=excess)
    paid = sum(payment.amount for payment in payments)
    sums_up(state, paid)
    end = max([last, *days]) + 1
    if missing := state.overdue_on(end):
        state = repaid(schedule, [*payments, Payment(end, missing)], excess=excess)
        sums_up(state, paid + missing)
    assert state.overdue_on(end) == state.principal_owed == 0


@given(schedules(instalments_max=6), all_terms(instalments_max=5), st.data())
@settings(max_examples=60)
def test_new_terms_end_at_zero(schedule: Schedule, terms: Terms, data: st.DataObject) -> None:
    """From any day on, with arrears or without: principal and interest are carried over to the unit."""
    begin, last = schedule.movements[-1].day, schedule.periods[-1].due
    on = data.draw(st.integers(begin, last - 1))
    total = sum(one.amount for one in schedule.movements)
    if data.draw(st.booleans()):
        state = paid_as_due(schedule, on)
    else:
        state = repaid(schedule, [Payment(on, data.draw(st.integers(1, total)))])
    fees = tuple(replace(fee, amount=0, share=0) for fee in terms.fees)
    terms = replace(terms, down_payment=0, fees=fees, balloon=0, multiple=1)
    owed, overdue = state.principal_owed, [left for row, left in state.unpaid() if row.due <= on]
    interest = sum(left.interest for left in overdue) + settlement(state.valuation, on).interest
    interest -= sum(row.interest - left.interest for row, left in state.unpaid() if row.due > on)
    try:
        found = rescheduled(state, on, terms)
    except RescheduleRefused:
        assert owed == 0 or interest < 0 or any(left.fees for left in overdue)
        return
    assert sum(row.disbursed for row in found.rows) == sum(row.principal for row in found.rows) == total
    assert found.rows[-1].balance == 0
    fresh = valued(resolve(terms, [Disbursement(on, owed)], carried=interest))
    assert [row.payment for row in found.rows[-len(fresh.instalments) :]] == [
        row.payment for row in fresh.instalments
    ]
    paid = sum(one.principal + one.interest for one in state.allocations)
    told = sum(row.principal + row.interest for row in found.rows)
    assert told == paid + sum(row.principal + row.interest for row in fresh.rows)
    numbers = [row.number for row in found.rows if row.number]
    assert numbers == sorted(numbers)


def test_payments_as_due_pay_everything() -> None:
    """Each instalment on its day: nothing is overdue, nothing is computed anew."""
    schedule = lent(replace(TERMS, fees=FEE))
    due = [Payment(row.due, row.payment) for row in valued(schedule).instalments]
    state = repaid(schedule, due)
    assert state.valuation == valued(schedule)
    assert state.principal_owed == state.overpaid == 0
    assert state == paid_as_due(schedule, due[-1].day)
    assert paid_as_due(schedule, due[1].day).allocations == state.allocations[:2]


def test_a_partial_payment_pays_fees_then_interest_then_principal() -> None:
    """The oldest row first."""
    schedule = lent(replace(TERMS, fees=FEE))
    first = valued(schedule).instalments[0]
    state = repaid(schedule, [Payment(first.due, 5_01), Payment(first.due, 100_00)])
    assert [(one.fees, one.interest, one.principal) for one in state.allocations] == [
        (5_00, 1, 0),
        (0, 99_99, 1),
    ]
    assert state.overdue_on(first.due) == first.payment - 105_01
    assert state.overdue_on(first.due - 1) == 0


def test_an_early_payment_reduces_the_instalment() -> None:
    """Half of 10,000 on the second due date: the four instalments that are left are about half."""
    schedule = lent()
    rows = valued(schedule).instalments
    payments = [Payment(rows[0].due, rows[0].payment), Payment(rows[1].due, rows[1].payment + 3_000_00)]
    state = repaid(schedule, payments)
    after = state.valuation.instalments
    assert [row.payment for row in after[:2]] == [row.payment for row in rows[:2]]
    assert after[2].payment == pytest.approx(rows[2].payment * (1 - 3_000_00 / rows[1].balance), abs=2)
    assert len(after) == 6


def test_an_early_payment_reduces_the_term() -> None:
    """The same money, with the instalment as it was: the loan ends earlier."""
    schedule = lent()
    rows = valued(schedule).instalments
    payments = [Payment(rows[0].due, rows[0].payment), Payment(rows[1].due, rows[1].payment + 3_000_00)]
    state = repaid(schedule, payments, excess=Excess.REDUCE_TERM)
    after = state.valuation.instalments
    assert len(after) == 5
    assert {row.payment for row in after[:-1]} == {rows[0].payment}
    assert after[-1].payment < rows[0].payment


def test_an_early_payment_before_the_first_instalment_keeps_what_was_agreed() -> None:
    """Within the first period there is no instalment yet: it is that of all that was lent."""
    schedule = lent()
    agreed = valued(schedule).instalments[0].payment
    state = repaid(schedule, [Payment(START + 10, 2_000_00)], excess=Excess.REDUCE_TERM)
    assert {row.payment for row in state.valuation.instalments[:-1]} == {agreed}


def test_a_payment_in_advance_computes_nothing_anew() -> None:
    """It waits as if paid on the due date; the next payment goes on from there."""
    schedule = lent()
    rows = valued(schedule).instalments
    state = repaid(schedule, [Payment(START + 10, rows[0].payment + 1)], excess=Excess.ADVANCE)
    assert state.valuation == valued(schedule)
    assert [one.number for one in state.allocations] == [1, 2]
    assert state.overdue_on(rows[1].due) == rows[1].payment - 1


def test_paying_off_costs_the_interest_until_then() -> None:
    """14 of 31 days of January; what is paid above it is given back, and what was paid in advance counts."""
    schedule = lent()
    owed = settlement(valued(schedule), START + 14)
    assert (owed.principal, owed.interest) == (10_000_00, 45_16)
    state = repaid(schedule, [Payment(START + 14, owed.amount + 7)])
    assert (state.overpaid, state.principal_owed) == (7, 0)
    assert [row.due for row in state.valuation.rows] == [START, START + 14]
    assert repaid(schedule, [Payment(START + 14, owed.amount + 7), Payment(START + 20, 5)]).overpaid == 12
    short = repaid(schedule, [Payment(START + 14, owed.amount - 1)])
    assert (short.overpaid, short.principal_owed) == (0, 0)
    assert short.overdue_on(day("2024-02-01")) == 1
    early = [Payment(START + 5, 2_000_00), Payment(START + 14, owed.amount - 2_000_00)]
    assert repaid(schedule, early, excess=Excess.ADVANCE).overpaid == 0
    assert repaid(schedule, early, excess=Excess.ADVANCE).principal_owed == 0


def test_a_loan_is_not_paid_off_before_all_is_paid_out() -> None:
    """What is paid above the balance is given back; the interest of ten days is due as it was."""
    schedule = resolve(TERMS, [Disbursement(START, 1_000_00), Disbursement(START + 40, 500_00)])
    state = repaid(schedule, [Payment(START + 10, 1_100_00)])
    assert state.valuation.balance_on(START + 10) == 0
    assert (state.overpaid, state.principal_owed) == (100_00, 500_00)
    assert state.valuation.instalments[0].interest == 3_23
    assert state.valuation.rows[-1].balance == 0


def test_a_flat_loan_is_paid_off_with_the_interest_until_then() -> None:
    """The interest of months that do not come is not asked for."""
    schedule = lent(replace(TERMS, method=Method.FLAT))
    rows = valued(schedule).instalments
    assert [row.interest for row in rows] == [100_00] * 6
    owed = settlement(valued(schedule), rows[0].due)
    assert (owed.principal, owed.interest) == (rows[0].balance, 0)


@pytest.mark.parametrize(
    "payments",
    [
        [Payment(START - 1, 1)],
        [Payment(START + 1, 1), Payment(START, 1)],
        [Payment(START, 0)],
        [Payment(START, -5)],
        [Payment(START, 10**15)],
        [Payment(START, 1)] * 4_001,
    ],
)
def test_malformed_payments_are_refused(payments: list[Payment]) -> None:
    """Of nothing, of too much, out of order, before the start, too many."""
    with pytest.raises(RepaymentsMalformed):
        repaid(lent(), payments)


def test_what_cannot_be_rescheduled() -> None:
    """Nothing owed, fees overdue, a down payment, or something that comes later."""
    schedule = lent(replace(TERMS, fees=FEE))
    rows = valued(schedule).instalments
    with pytest.raises(RescheduleRefused, match="fees"):
        rescheduled(Repaid(valued(schedule)), rows[0].due, TERMS)
    with pytest.raises(RescheduleRefused, match="nothing is owed"):
        rescheduled(paid_as_due(schedule, rows[-1].due), rows[-1].due, TERMS)
    with pytest.raises(RescheduleRefused, match="down payment"):
        rescheduled(paid_as_due(schedule, START), START, replace(TERMS, down_payment=1))
    with pytest.raises(RescheduleRefused, match="after that day"):
        rescheduled(paid_as_due(schedule, rows[1].due), rows[0].due, TERMS)
    advance = repaid(lent(), [Payment(START, 3_000_00)], excess=Excess.ADVANCE)
    with pytest.raises(RescheduleRefused, match="in advance"):
        rescheduled(advance, START, TERMS)


def test_rescheduled_instalments_go_on_falling_due_at_month_ends() -> None:
    """From 28 February on: the 31st, as before, by the day of the month."""
    schedule = resolve(TERMS, [Disbursement(day("2025-01-31"), 10_000_00)])
    on = day("2025-02-28")
    found = rescheduled(
        paid_as_due(schedule, on),
        on,
        replace(TERMS, instalments=5, rate=60_000_000),
        first_due=day("2025-03-31"),
        due_day=31,
    )
    assert [row.due for row in found.instalments] == [period.due for period in schedule.periods]
    # A whole period, though its first date was given: a twelfth of 5 %.
    assert found.schedule.periods[0].fraction.denominator == 12
