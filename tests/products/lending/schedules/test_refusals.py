"""Terms and dates that are negative, absurd or contradict themselves are refused, with words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from formicary.products.lending.schedules import (
    LOAN,
    MOVEMENT,
    Disbursement,
    DisbursementsMalformed,
    Fee,
    FeeOn,
    Method,
    Terms,
    TermsMalformed,
    Unit,
    check_loans,
    day_count_fraction,
    resolve,
    valued_rows,
)
from formicary.products.lending.schedules.conventions import DayCount
from tests.products.lending.schedules.oracle import day

GOOD: dict[str, Any] = {"rate": 120_000_000, "instalments": 12}
START = day("2024-01-31")
LENT = [Disbursement(START, 1_000_00)]

BAD_TERMS: list[tuple[dict[str, Any], str]] = [
    ({"rate": -1}, "billionths"),
    ({"rate": 10**10 + 1}, "billionths"),
    ({"instalments": 0}, "instalments"),
    ({"instalments": 2_001}, "instalments"),
    ({"every": 0}, "a period"),
    ({"every": 121}, "a period"),
    ({"every": 10**40}, "a period"),
    ({"every": 523, "unit": Unit.WEEKS}, "a period"),
    ({"every": 3_661, "unit": Unit.DAYS}, "a period"),
    ({"unit": 3}, "unit"),
    ({"method": 4}, "method"),
    ({"interest": 2}, "interest"),
    ({"day_count": 6}, "day_count"),
    ({"month_end": -1}, "month_end"),
    ({"rounding": 2}, "rounding"),
    ({"principal_grace": -1}, "principal_grace"),
    ({"principal_grace": 12}, "left to pay"),
    ({"interest_payment_grace": 13}, "interest_payment_grace"),
    ({"interest_free": 13}, "interest_free"),
    ({"multiple": 0}, "rounded"),
    ({"balloon": -1}, "balloon"),
    ({"balloon": 1, "method": Method.BULLET}, "bullet"),
    ({"down_payment": -1}, "down payment"),
    ({"down_payment": 1_000_000}, "down payment"),
    ({"adjusted": True, "method": Method.FLAT}, "adjusted"),
    ({"fees": (Fee(name="a", on=FeeOn.INSTALMENT, amount=-1),)}, "below zero"),
    ({"fees": (Fee(name="a", on=FeeOn.INSTALMENT, share=1_000_001),)}, "fees on a"),
    ({"fees": (Fee(name="", on=FeeOn.INSTALMENT),)}, "name"),
    ({"fees": (Fee(name="a", on=FeeOn.INSTALMENT),) * 2}, "name"),
    ({"fees": tuple(Fee(name=str(n), on=FeeOn.DISBURSEMENT) for n in range(17))}, "16 fees"),
]


@pytest.mark.parametrize(("wrong", "words"), BAD_TERMS, ids=str)
def test_bad_terms_are_refused(wrong: dict[str, Any], words: str) -> None:
    """The message says what terms must be."""
    with pytest.raises(TermsMalformed, match=words):
        Terms(**GOOD | wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"every": 120}, {"every": 522, "unit": Unit.WEEKS}, {"every": 3_660, "unit": Unit.DAYS}],
    ids=str,
)
def test_the_longest_periods_are_taken(wrong: dict[str, Any]) -> None:
    """Ten years, in any unit."""
    assert Terms(**GOOD | wrong).every == wrong["every"]


BAD_DATES: list[tuple[dict[str, Any], list[Disbursement], dict[str, Any], str]] = [
    ({}, [], {}, "paid out"),
    ({}, [Disbursement(START, 0)], {}, "above zero"),
    ({}, [Disbursement(START, -5)], {}, "above zero"),
    ({}, [Disbursement(START, 10**40)], {}, "there are"),
    ({}, [Disbursement(START, 10**14 + 1)], {}, "are lent"),
    ({}, [Disbursement(START, 10**14), Disbursement(START, 1)], {}, "are lent"),
    ({}, [Disbursement(START, 1)] * 101, {}, "100 times"),
    ({}, [Disbursement(START + 5, 100), Disbursement(START, 100)], {"start": START}, "in order"),
    ({}, LENT, {"start": START + 1}, "before the start"),
    ({}, [*LENT, Disbursement(day("2025-01-31"), 5)], {}, "before the last"),
    ({}, [Disbursement(-30_000, 100)], {}, "starts between"),
    ({}, [Disbursement(150_000, 100)], {}, "starts between"),
    ({"instalments": 1_300}, LENT, {}, "36,600 days"),
    ({}, LENT, {"first_due": START}, "falls due"),
    ({}, LENT, {"first_due": START - 1}, "falls due"),
    ({}, LENT, {"first_due": START + 3_661}, "falls due"),
    ({}, LENT, {"first_due": START + 30, "due_day": 32}, "day of the month"),
    ({}, LENT, {"first_due": START + 30, "due_day": 0}, "day of the month"),
    ({}, LENT, {"due_day": 15}, "has a date"),
    ({"unit": Unit.WEEKS}, LENT, {"first_due": START + 30, "due_day": 15}, "by months"),
    ({}, LENT, {"carried": -1}, "from before"),
    ({"balloon": 1_000_01}, LENT, {}, "balloon"),
    ({"balloon": 750_01, "down_payment": 250_000}, LENT, {}, "balloon"),
    ({"multiple": 100_00}, LENT, {}, "too large"),
]


@pytest.mark.parametrize(("terms", "lent", "dates", "words"), BAD_DATES, ids=str)
def test_bad_dates_and_amounts_are_refused(
    terms: dict[str, Any], lent: list[Disbursement], dates: dict[str, Any], words: str
) -> None:
    """The message says what goes with the terms."""
    with pytest.raises(DisbursementsMalformed, match=words):
        resolve(Terms(**GOOD | terms), lent, **dates)


def test_a_period_does_not_end_before_it_begins() -> None:
    """A day count of it would be below zero."""
    with pytest.raises(DisbursementsMalformed):
        day_count_fraction(DayCount.ACTUAL_365, 5, 4)


def loans(count: int = 2) -> tuple[Any, Any, Any]:
    """Return good loans of one disbursement each."""
    made = np.repeat(resolve(Terms(**GOOD), LENT).loans, count)
    movements = np.array([(START, 1_000_00, 0)] * count, MOVEMENT)
    return made, movements, np.arange(count + 1)


def test_good_loans_pass() -> None:
    """And have the rows of one loan each."""
    made = loans()
    check_loans(*made)
    rows = valued_rows(*made)
    assert rows.of(0).tolist() == rows.of(1).tolist()


@pytest.mark.parametrize(
    ("field", "wrong", "kind"),
    [
        ("rate", -1, TermsMalformed),
        ("instalment_fee", -1, TermsMalformed),
        ("start", START + 1, DisbursementsMalformed),
        ("carried", 10**15, DisbursementsMalformed),
    ],
)
def test_a_bad_loan_among_good_ones_is_named(field: str, wrong: int, kind: type[Exception]) -> None:
    """The rules of one loan are those of columns."""
    made, movements, starts = loans()
    made[field][1] = wrong
    with pytest.raises(kind, match="loan 1: "):
        check_loans(made, movements, starts)


def test_columns_that_do_not_belong_together_are_refused() -> None:
    """Other types, no disbursement, no end."""
    made, movements, starts = loans()
    with pytest.raises(TermsMalformed, match="types"):
        check_loans(made, np.zeros(2, LOAN), starts)
    for wrong in ([0, 2, 2], [0, 1], [0, 1, 3], [1, 1, 2], []):
        with pytest.raises(DisbursementsMalformed, match="each loan"):
            check_loans(made, movements, np.array(wrong, np.int64))


def test_loans_that_last_too_long_or_are_paid_out_too_late_are_refused() -> None:
    """Only their dates tell."""
    made, movements, starts = loans()
    made["instalments"][1] = 1_300
    with pytest.raises(DisbursementsMalformed, match="loan 1 lasts"):
        valued_rows(made, movements, starts)
    made, movements, starts = loans()
    movements["day"][1] = day("2025-01-31")
    with pytest.raises(DisbursementsMalformed, match="loan 1 is paid out too late"):
        valued_rows(made, movements, starts)


def test_no_loans_have_no_rows() -> None:
    """An empty batch is none to refuse."""
    rows = valued_rows(np.zeros(0, LOAN), np.zeros(0, MOVEMENT), np.zeros(1, np.int64))
    assert len(rows.records) == 0
