"""Steps of loans: however they are cut they come to the same, and interest is what fractions say."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.products.lending.schedules import DayCount, day_count_fraction
from formicary.products.lending.servicing import steps
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.layout import LOAN
from tests.products.lending.servicing.bank import START

TERMS = st.builds(
    LoanTerms,
    kind=st.sampled_from([1, 2]),
    rate=st.sampled_from([0, 1, 99_999_999, 180_000_000, 3_650_000_000]),
    instalments=st.integers(1, 5),
    every=st.integers(1, 3),
    unit=st.integers(0, 2),
    day_count=st.integers(0, 5),
    is_level=st.booleans(),
    fee=st.sampled_from([0, 7]),
    share=st.sampled_from([0, 50_000, 1_000_000]),
    waterfall=st.integers(0, 5),
)


def lent(terms: LoanTerms, amount: int, instalment: int, day: int = START) -> npt.NDArray[Any]:
    """Return a loan (1,) that was drawn on a day."""
    loans = np.zeros(1, LOAN)
    terms.put(loans)
    loans["instalment"] = instalment
    steps.drawn(loans, np.array([day], np.int64), np.array([amount], np.int64))
    return loans


def brought(loans: npt.NDArray[Any], day: int) -> tuple[int, int]:
    """Bring a loan to a day; return what was booked."""
    interest, fees = steps.advanced(loans, np.array([day], np.int64))
    return int(interest[0]), int(fees[0])


@given(
    terms=TERMS,
    amount=st.integers(1, 10**9),
    instalment=st.integers(0, 10**8),
    offset=st.integers(0, 40),
    days=st.integers(1, 250),
    cuts=st.sets(st.integers(1, 250), max_size=6),
)
@settings(max_examples=120, deadline=None)
def test_a_loan_comes_to_the_same_in_one_step_and_in_many(  # noqa: PLR0917, drawn
    terms: LoanTerms, amount: int, instalment: int, offset: int, days: int, cuts: set[int]
) -> None:
    """What happens on the way happens on its own day, also past the 90th of arrears."""
    begin = START + offset
    whole = lent(terms, amount, instalment, begin)
    told = brought(whole, begin + days)
    cut = lent(terms, amount, instalment, begin)
    parts = [brought(cut, begin + day) for day in sorted({day for day in cuts if day < days} | {days})]
    assert cut.tobytes() == whole.tobytes()
    assert (sum(part[0] for part in parts), sum(part[1] for part in parts)) == told
    by_day = lent(terms, amount, instalment, begin)
    assert sum(brought(by_day, begin + day)[0] for day in range(1, days + 1)) == told[0]
    assert by_day.tobytes() == whole.tobytes()
    assert brought(by_day, begin + days) == (0, 0)


@given(
    rate=st.integers(0, 10**10),
    amount=st.integers(1, 10**14),
    day_count=st.integers(1, 5),
    offset=st.integers(0, 700),
)
@settings(max_examples=100, deadline=None)
def test_interest_of_a_period_is_the_fraction_of_a_year(
    rate: int, amount: int, day_count: int, offset: int
) -> None:
    """Rounded once, half to even; and each day's part of it sums to that."""
    begin = START + offset
    loan = lent(LoanTerms(kind=2, rate=rate, instalments=3, day_count=day_count), amount, 0, begin)
    due = int(loan["next_due"][0])
    part = day_count_fraction(DayCount(day_count), begin, due)
    exact = round(Fraction(amount) * rate * part / 10**9)
    assert int(loan["segment_interest"][0]) == exact
    half = (begin + due) // 2
    first, _ = brought(loan, half)
    assert first == round(Fraction(exact * (half - begin), due - begin))
    rest, _ = brought(loan, due)
    assert first + rest == exact


@given(amount=st.integers(1, 10**6), share=st.integers(50_000, 10**6))
@settings(max_examples=40, deadline=None)
def test_a_line_that_is_paid_as_due_comes_to_nothing(amount: int, share: int) -> None:
    """What falls due of it is its share rounded up, so that no last pennies are owed for ever."""
    line = lent(LoanTerms(kind=1, rate=0, day_count=3, share=share), amount, 0)
    left = amount
    while left:
        brought(line, int(line["next_due"][0]))
        due = int(line["principal_due"][0])
        assert due == math.ceil(Fraction(left * share, 10**6))
        steps.paid(line, np.array([due], np.int64), goes_on=False)
        left -= due
        assert int(line["balance"][0]) == left


@given(
    terms=TERMS,
    amount=st.integers(1, 10**6),
    days=st.integers(1, 250),
    paid=st.integers(0, 2 * 10**6),
    goes_on=st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_a_payment_is_what_it_comes_to(
    terms: LoanTerms,
    amount: int,
    days: int,
    paid: int,
    goes_on: bool,  # noqa: FBT001, drawn
) -> None:
    """Parts sum to what less is owed; nothing is paid that is not owed, nor left while something is."""
    loan = lent(terms, amount, amount // 5)
    brought(loan, START + days)
    owed = steps.owed(loan)
    due = sum(int(loan[name][0]) for name in ("fees_due", "interest_due", "principal_due"))
    taken = min(paid, owed if goes_on else due)
    parts = steps.paid(loan, np.array([taken], np.int64), goes_on=goes_on)
    came = sum(int(part[0]) for part in (parts.fees, parts.interest, parts.unbooked, parts.principal))
    assert came == taken
    assert steps.owed(loan) == owed - taken
    still_due = sum(int(loan[name][0]) for name in ("fees_due", "interest_due", "principal_due"))
    assert still_due == max(due - taken, 0)
    assert bool(loan["arrears_since"][0]) == (still_due > 0)
