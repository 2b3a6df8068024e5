"""Examples that others published, to the cent.

Apache Fineract's are of its end-to-end tests (``fineract-e2e-tests-runner``, the scenario's number) and of
``ProgressiveEMICalculatorTest`` (the test's name), at https://github.com/apache/fineract. Figures only.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from formicary.products.lending.schedules import (
    DayCount,
    Disbursement,
    InterestBy,
    MonthEnd,
    Terms,
    Unit,
    day_count_fraction,
    paid_as_due,
    rescheduled,
    resolve,
    settlement,
    valued,
)
from tests.products.lending.schedules.oracle import day

FINERACT = Terms(rate=94_822_000, instalments=6, adjusted=True)
VARIANT = DayCount.ACTUAL_ACTUAL_31_DECEMBER
JANUARY = "2024-01-01"


def cents(*amounts: float) -> list[int]:
    """Return amounts in minor units."""
    return [round(amount * 100) for amount in amounts]


def told(terms: Terms, *lent: tuple[str, float]) -> list[tuple[int, int, int]]:
    """Return payment, interest and balance of each instalment."""
    schedule = resolve(terms, [Disbursement(day(when), round(amount * 100)) for when, amount in lent])
    return [(row.payment, row.interest, row.balance) for row in valued(schedule).instalments]


def rows(payments: list[float], interest: list[float], balances: list[float]) -> list[tuple[int, int, int]]:
    """Return published figures in the same form."""
    return list(zip(cents(*payments), cents(*interest), cents(*balances), strict=True))


def test_actual_actual_split_at_31_december() -> None:
    """C3152: 12 December to 12 January is 19 days of 2023 and 12 of 2024; ISDA's split gives a cent more."""
    terms = Terms(rate=120_000_000, instalments=6, adjusted=True, day_count=VARIANT)
    assert told(terms, ("2023-12-12", 10_000)) == rows(
        [1725.56] * 5 + [1725.59],
        [101.81, 85.14, 64.05, 51.58, 33.45, 17.36],
        [8376.25, 6735.83, 5074.32, 3400.34, 1708.23, 0],
    )
    isda = told(replace(terms, day_count=DayCount.ACTUAL_ACTUAL), ("2023-12-12", 10_000))
    assert isda[0][1] == 101_82


def test_actual_actual_decimals() -> None:
    """C3153 and C3164: 9.4822 % of 10,000; 10.65 % of 331.77, where the last instalment is smaller."""
    terms = replace(FINERACT, day_count=VARIANT)
    assert told(terms, ("2023-12-12", 10_000)) == rows(
        [1713.12] * 5 + [1713.15],
        [80.45, 67.2, 50.5, 40.63, 26.32, 13.65],
        [8367.33, 6721.41, 5058.79, 3386.3, 1699.5, 0],
    )
    five = replace(terms, rate=106_500_000, instalments=5)
    assert told(five, ("2023-12-12", 331.77)) == rows(
        [68.14] * 4 + [68.12], [3.0, 2.41, 1.7, 1.21, 0.59], [266.63, 200.9, 134.46, 67.53, 0]
    )


def test_thirty_360() -> None:
    """C3154, C3155 and C3165: each month is a twelfth of a year."""
    assert told(replace(FINERACT, rate=120_000_000), (JANUARY, 100)) == rows(
        [17.25] * 5 + [17.28], [1.0, 0.84, 0.67, 0.51, 0.34, 0.17], [83.75, 67.34, 50.76, 34.02, 17.11, 0]
    )
    assert told(FINERACT, (JANUARY, 100)) == rows(
        [17.13] * 6, [0.79, 0.66, 0.53, 0.4, 0.27, 0.13], [83.66, 67.19, 50.59, 33.86, 17.0, 0]
    )
    five = replace(FINERACT, rate=123_000_000, instalments=5)
    assert told(five, (JANUARY, 75)) == rows(
        [15.47] * 4 + [15.45], [0.77, 0.62, 0.47, 0.31, 0.16], [60.3, 45.45, 30.45, 15.29, 0]
    )


def test_every_two_months_and_every_two_weeks() -> None:
    """C3157 and C3158: under 30/360 two weeks are 14 days of 360."""
    two_months = replace(FINERACT, rate=120_000_000, instalments=3, every=2)
    assert told(two_months, (JANUARY, 100)) == rows(
        [34.68, 34.68, 34.67], [2.0, 1.35, 0.68], [67.32, 33.99, 0]
    )
    two_weeks = replace(FINERACT, unit=Unit.WEEKS, every=2)
    assert told(two_weeks, (JANUARY, 100)) == rows(
        [16.88] * 5 + [16.9], [0.37, 0.31, 0.25, 0.19, 0.12, 0.06], [83.49, 66.92, 50.29, 33.6, 16.84, 0]
    )


def test_actual_365() -> None:
    """C3159: 12 % by days over 365."""
    terms = replace(FINERACT, rate=120_000_000, day_count=DayCount.ACTUAL_365)
    assert told(terms, (JANUARY, 100)) == rows(
        [17.25] * 5 + [17.28], [1.02, 0.8, 0.69, 0.5, 0.35, 0.17], [83.77, 67.32, 50.76, 34.01, 17.11, 0]
    )


def test_actual_364() -> None:
    """``disbursedAmt100_dayInYears364_daysInMonthActual_repayEvery1Week``, and of two weeks."""
    weekly = replace(FINERACT, unit=Unit.WEEKS, day_count=DayCount.ACTUAL_364)
    assert told(weekly, (JANUARY, 100)) == rows(
        [16.77] * 5 + [16.78], [0.18, 0.15, 0.12, 0.09, 0.06, 0.03], [83.41, 66.79, 50.14, 33.46, 16.75, 0]
    )
    two_weeks = replace(weekly, every=2, instalments=3)
    assert [row[0] for row in told(two_weeks, (JANUARY, 100))] == cents(33.57, 33.57, 33.58)


def test_an_adjustment_that_is_no_better_is_left() -> None:
    """``emiAdjustment_newCalculatedEmiNotBetterThanOriginal``: 17.44 would leave as many cents too few."""
    terms = replace(FINERACT, rate=156_780_000, day_count=DayCount.ACTUAL_365)
    assert told(terms, (JANUARY, 100)) == rows(
        [17.43] * 5 + [17.47], [1.33, 1.05, 0.9, 0.66, 0.46, 0.22], [83.9, 67.52, 50.99, 34.22, 17.25, 0]
    )


def test_a_second_disbursement_within_the_first_period() -> None:
    """``multiDisbursedAmt300InSamePeriod``: 200 on 8 January, the instalment as if they had been there."""
    assert told(FINERACT, (JANUARY, 100), ("2024-01-08", 200)) == rows(
        [51.33] * 6, [2.01, 1.98, 1.59, 1.2, 0.8, 0.4], [250.68, 201.33, 151.59, 101.46, 50.93, 0]
    )
    # Unadjusted, the last one would be 36 cents smaller.
    plain = told(replace(FINERACT, adjusted=False), (JANUARY, 100), ("2024-01-08", 200))
    assert (plain[0][0], plain[-1][0]) == (51_39, 51_03)


def test_a_second_disbursement_in_a_later_period() -> None:
    """``multiDisbursedAmt200InDifferentPeriod`` on 15 February, and ``2ndOnDueDate`` on 1 March."""
    assert told(FINERACT, (JANUARY, 100), ("2024-02-15", 100)) == rows(
        [17.13] + [37.53] * 5, [0.79, 1.07, 1.16, 0.88, 0.59, 0.29], [83.66, 147.2, 110.83, 74.18, 37.24, 0]
    )
    on_due = told(FINERACT, (JANUARY, 100), ("2024-03-01", 100))
    assert [row[0] for row in on_due] == cents(17.13, 17.13, 42.63, 42.63, 42.63, 42.61)
    assert [row[1] for row in on_due] == cents(0.79, 0.66, 1.32, 0.99, 0.67, 0.33)


def test_disbursed_after_the_start() -> None:
    """``multiDisbursedAmt150InSamePeriod``: 100 on 5 January and 75 on the 8th of a period from the 1st."""
    lent = [Disbursement(day("2024-01-05"), 100_00), Disbursement(day("2024-01-08"), 50_00)]
    lent.append(Disbursement(day("2024-01-08"), 25_00))
    found = valued(resolve(FINERACT, lent, start=day(JANUARY)))
    assert [row.payment for row in found.instalments] == [29_94] * 6
    assert [row.interest for row in found.instalments] == cents(1.15, 1.16, 0.93, 0.7, 0.47, 0.23)
    assert found.interest == 4_64


def test_month_ends() -> None:
    """C111043, C111045, C111047: lent on the 31st, due on the last day, or rolled to the next first."""
    terms = Terms(rate=120_000_000, instalments=3, adjusted=True, day_count=VARIANT)
    rolled = replace(terms, month_end=MonthEnd.ROLL)
    lent = [Disbursement(day("2025-01-31"), 10_000_00)]
    assert told(terms, ("2025-01-31", 10_000)) == rows(
        [3397.82, 3397.82, 3397.83], [92.05, 68.23, 33.19], [6694.23, 3364.64, 0]
    )
    assert told(rolled, ("2025-01-31", 10_000)) == rows(
        [3398.56] * 3, [95.34, 66.05, 34.29], [6696.78, 3364.27, 0]
    )
    clamped_days = [day("2025-02-28"), day("2025-03-31"), day("2025-04-30")]
    rolled_days = [day("2025-03-01"), day("2025-03-31"), day("2025-05-01")]
    assert [period.due for period in resolve(terms, lent).periods] == clamped_days
    assert [period.due for period in resolve(rolled, lent).periods] == rolled_days
    for month_end in MonthEnd:
        thirty = replace(terms, day_count=DayCount.THIRTY_360, month_end=month_end)
        assert told(thirty, ("2025-01-31", 10_000)) == rows(
            [3400.22, 3400.22, 3400.23], [100, 67, 33.67], [6699.78, 3366.56, 0]
        )


def test_bullet_by_grace() -> None:
    """BL01: grace on principal for all but the last instalment."""
    terms = Terms(rate=300_000_000, instalments=8, principal_grace=7)
    assert told(terms, (JANUARY, 100)) == rows([2.5] * 7 + [102.5], [2.5] * 8, [100.0] * 7 + [0])


def test_down_payment() -> None:
    """C2812: a quarter of 1,000 is due at once, the rest in three."""
    terms = Terms(rate=0, instalments=3, down_payment=250_000, interest=InterestBy.PERIOD)
    found = valued(resolve(terms, [Disbursement(day("2022-01-01"), 1_000_00)]))
    assert [row.principal for row in found.rows] == cents(250, 250, 250, 250)
    assert [row.balance for row in found.rows] == cents(750, 500, 250, 0)
    assert found.rows[0].due == day("2022-01-01")


def test_an_instalment_rounded_to_hundreds() -> None:
    """What its server answered: 1,200,000 at 21.6 % in twelve months, and 1,190,000, rounded to hundreds."""
    terms = Terms(rate=216_000_000, instalments=12)
    hundreds = replace(terms, multiple=100_00)
    assert told(terms, (JANUARY, 1_200_000))[0][0] == 112_082_37
    assert [row[0] for row in told(hundreds, (JANUARY, 1_200_000))[:-1]] == [112_100_00] * 11
    assert told(terms, (JANUARY, 1_190_000))[0][0] == 111_148_35
    assert [row[0] for row in told(hundreds, (JANUARY, 1_190_000))[:-1]] == [111_100_00] * 11


def test_settling_on_15_january() -> None:
    """``payoff_on0115``: 14 of 31 days of 7 % on 100 are 0.26."""
    terms = replace(FINERACT, rate=70_000_000)
    valuation = valued(resolve(terms, [Disbursement(day(JANUARY), 100_00)]))
    assert valuation.instalments[0].payment == 17_01
    owed = settlement(valuation, day("2024-01-15"))
    assert (owed.principal, owed.interest) == (100_00, 26)


def test_a_new_rate_from_the_second_period_on() -> None:
    """``reschedule_interest_on0201``: 7 % until 1 February, 4 % from then."""
    schedule = resolve(replace(FINERACT, rate=70_000_000), [Disbursement(day(JANUARY), 100_00)])
    on = day("2024-02-01")
    found = rescheduled(paid_as_due(schedule, on), on, replace(FINERACT, rate=40_000_000, instalments=5))
    assert [row.payment for row in found.instalments] == cents(17.01, 16.88, 16.88, 16.88, 16.88, 16.89)
    assert [row.interest for row in found.instalments] == cents(0.58, 0.28, 0.22, 0.17, 0.11, 0.06)
    assert [row.balance for row in found.instalments] == cents(83.57, 66.97, 50.31, 33.6, 16.83, 0)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2003-11-01", "2004-05-01", 0.497724380567),
        ("1999-02-01", "1999-07-01", 0.410958904110),
        ("1999-07-01", "2000-07-01", 1.001377348600),
        ("2002-08-15", "2003-07-15", 0.915068493151),
        ("2003-07-15", "2004-01-15", 0.504004790778),
        ("1999-07-30", "2000-01-30", 0.503892506924),
        ("2000-01-30", "2000-06-30", 0.415300546448),
    ],
)
def test_actual_actual_of_isda(start: str, end: str, expected: float) -> None:
    """The examples of ISDA's memorandum *The Actual/Actual Day Count Fraction* (1999), to eleven digits."""
    assert float(day_count_fraction(DayCount.ACTUAL_ACTUAL, day(start), day(end))) == pytest.approx(
        expected, abs=5e-12
    )


def test_the_first_example_of_isda_is_61_and_121_days() -> None:
    """As the memorandum writes it: 61 days of 365 and 121 of 366."""
    found = day_count_fraction(DayCount.ACTUAL_ACTUAL, day("2003-11-01"), day("2004-05-01"))
    assert found == Fraction(61, 365) + Fraction(121, 366)
    assert found != day_count_fraction(VARIANT, day("2003-11-01"), day("2004-05-01"))


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2006-08-20", "2007-02-20", 180),
        ("2007-08-20", "2008-02-20", 180),
        ("2006-08-31", "2007-02-28", 178),
        ("2007-02-28", "2007-08-31", 183),
        ("2008-08-31", "2009-02-28", 178),
        ("2006-01-31", "2006-02-28", 28),
        ("2006-01-30", "2006-02-28", 28),
        ("2006-02-28", "2006-03-03", 5),
        ("2006-02-14", "2006-02-28", 14),
        ("2006-09-30", "2006-10-31", 30),
        ("2006-10-31", "2006-11-28", 28),
        ("2007-08-31", "2008-02-28", 178),
        ("2008-02-28", "2008-08-28", 180),
        ("2008-02-28", "2008-08-30", 182),
        ("2008-02-28", "2008-08-31", 183),
        ("2007-02-26", "2008-02-28", 362),
        ("2007-02-26", "2008-02-29", 363),
        ("2008-02-29", "2009-02-28", 359),
        ("2008-02-28", "2008-03-30", 32),
        ("2008-02-28", "2008-03-31", 33),
    ],
)
def test_thirty_360_of_isda(start: str, end: str, days: int) -> None:
    """ISDA's worked examples of 4.16(f): https://www.isda.org/2008/12/22/30-360-day-count-conventions/."""
    assert day_count_fraction(DayCount.THIRTY_360, day(start), day(end)) == Fraction(days, 360)


def test_the_other_day_counts_divide_actual_days() -> None:
    """Sections 4.16(d) and (e), and 364."""
    start, end = day("2024-01-01"), day("2024-03-01")
    days = (date(2024, 3, 1) - date(2024, 1, 1)).days
    for day_count, year in (
        (DayCount.ACTUAL_360, 360),
        (DayCount.ACTUAL_364, 364),
        (DayCount.ACTUAL_365, 365),
    ):
        assert day_count_fraction(day_count, start, end) == Fraction(days, year)
