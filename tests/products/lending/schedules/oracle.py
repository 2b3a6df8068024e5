"""Schedules by fractions and ``datetime.date``, day by day: shares no code with what it judges."""

from __future__ import annotations

import calendar
import math
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from hypothesis import strategies as st

from formicary.products.lending.schedules import (
    DayCount,
    Disbursement,
    Fee,
    FeeOn,
    InterestBy,
    Method,
    MonthEnd,
    Movement,
    Rounding,
    Schedule,
    Terms,
    Unit,
)

EPOCH = date(1970, 1, 1)
Told = tuple[int, int, int, int, int, int, int, int]
YEARS = {DayCount.ACTUAL_360: 360, DayCount.ACTUAL_364: 364, DayCount.ACTUAL_365: 365}


def day(text: str) -> int:
    """Return the days since 1970-01-01 of a date."""
    return (date.fromisoformat(text) - EPOCH).days


def dates(*days: int) -> list[date]:
    """Return days as dates."""
    return [EPOCH + timedelta(days=one) for one in days]


def rounded(value: Fraction, rounding: Rounding, multiple: int = 1) -> int:
    """Return a value rounded to the nearest multiple."""
    steps = value / multiple
    return (round(steps) if rounding == Rounding.HALF_EVEN else math.floor(steps + Fraction(1, 2))) * multiple


def year_part(day_count: DayCount, start: int, end: int) -> Fraction:
    """Return the part of a year between two days."""
    if day_count == DayCount.THIRTY_360:
        first, last = dates(start, end)
        from_day = 30 if first.day == 31 else first.day
        to_day = 30 if last.day == 31 and from_day == 30 else last.day
        months = (last.year - first.year) * 12 + last.month - first.month
        return Fraction(months * 30 + to_day - from_day, 360)
    if day_count in YEARS:
        return Fraction(end - start, YEARS[day_count])
    # The year in which a day begins, or the one in which it ends.
    shift = int(day_count == DayCount.ACTUAL_ACTUAL_31_DECEMBER)
    counted = dates(*range(start + shift, end + shift))
    leaps = sum(calendar.isleap(one.year) for one in counted)
    return Fraction(leaps, 366) + Fraction(len(counted) - leaps, 365)


def later(terms: Terms, anchor: int, due_day: int, steps: int) -> int:
    """Return the day so many periods after an anchor that lies in the month of its due date."""
    if terms.unit != Unit.MONTHS:
        return anchor + steps * terms.every * (7 if terms.unit == Unit.WEEKS else 1)
    first = EPOCH + timedelta(days=anchor)
    wanted = due_day or first.day
    year, month = divmod(first.year * 12 + first.month - 1 + steps * terms.every, 12)
    length = calendar.monthrange(year, month + 1)[1]
    if wanted <= length:
        return (date(year, month + 1, wanted) - EPOCH).days
    return (date(year, month + 1, length) - EPOCH).days + (terms.month_end == MonthEnd.ROLL)


class Oracle:
    """One loan: its periods, and the rows that are told of it."""

    def __init__(self, schedule: Schedule) -> None:
        self.terms = schedule.terms
        self.movements = schedule.movements
        self.start, self.carried = schedule.start, schedule.carried
        self.dues = self._dues(schedule)
        self.parts = [self._whole(place) for place in range(len(self.dues))]

    def _dues(self, schedule: Schedule) -> list[int]:
        terms, count = self.terms, self.terms.instalments
        if not schedule.first_period_days:
            self.is_first_regular = True
            return [later(terms, self.start, 0, step + 1) for step in range(count)]
        first = self.start + schedule.first_period_days
        anchor = first
        if terms.month_end == MonthEnd.ROLL and schedule.due_day:
            shown = EPOCH + timedelta(days=first)
            month_before = shown - timedelta(days=1)
            if shown.day == 1 and schedule.due_day > month_before.day:
                anchor = first - 1
        self.is_first_regular = later(terms, anchor, schedule.due_day, -1) == self.start
        return [first, *(later(terms, anchor, schedule.due_day, step) for step in range(1, count))]

    def _opened(self, place: int) -> int:
        return self.dues[place - 1] if place else self.start

    def _is_regular(self, place: int) -> bool:
        return place > 0 or self.is_first_regular

    def _whole(self, place: int) -> Fraction:
        terms = self.terms
        opened, due = self._opened(place), self.dues[place]
        if self._is_regular(place) and terms.interest == InterestBy.PERIOD and terms.unit != Unit.DAYS:
            return Fraction(terms.every, 12 if terms.unit == Unit.MONTHS else 52)
        if self._is_regular(place) and terms.day_count == DayCount.THIRTY_360:
            return Fraction(terms.every * {Unit.MONTHS: 30, Unit.WEEKS: 7, Unit.DAYS: 1}[terms.unit], 360)
        return year_part(terms.day_count, opened, due)

    def part(self, place: int, start: int, end: int) -> Fraction:
        """Return which part of a year some days of a period are."""
        terms = self.terms
        opened, due = self._opened(place), self.dues[place]
        by_period = terms.interest == InterestBy.PERIOD and terms.unit != Unit.DAYS
        if terms.day_count == DayCount.THIRTY_360 or (by_period and self._is_regular(place)):
            return self.parts[place] * Fraction(end - start, due - opened)
        return year_part(terms.day_count, start, end)

    def rate(self, place: int) -> Fraction:
        """Return the rate of a period."""
        return Fraction(0 if place < self.terms.interest_free else self.terms.rate, 10**9)

    def interest(self, place: int, owed: list[tuple[int, int]], end: int | None = None) -> int:
        """Return the interest of what is owed from which day on, within a period."""
        days = [*owed, (self.dues[place] if end is None else end, 0)]
        exact = sum(
            (amount * self.part(place, since, until) for (since, amount), (until, _) in pairwise(days)),
            Fraction(0),
        )
        return rounded(exact * self.rate(place), self.terms.rounding)

    def whole_interest(self, place: int, amount: int) -> int:
        """Return the interest of a whole period on one amount."""
        return rounded(amount * self.parts[place] * self.rate(place), self.terms.rounding)

    def annuity(self, place: int, balance: int, kept: int) -> int:
        """Return the equal instalment from a period on, by the textbook's formula."""
        factor, factors = Fraction(1), Fraction(0)
        for later_place in range(place, self.terms.instalments):
            factor /= 1 + self.parts[later_place] * self.rate(later_place)
            factors += factor
        return rounded((balance - kept * factor) / factors, self.terms.rounding, self.terms.multiple)

    def left_for_last(self, place: int, balance: int, kept: int, interest: int, payment: int) -> int:
        """Return the last instalment that this one leaves."""
        for later_place in range(place, self.terms.instalments - 1):
            balance -= max(0, min(payment - interest, balance - kept))
            interest = self.whole_interest(later_place + 1, balance)
        return balance - kept + interest

    def payment(self, place: int, balance: int, flat: int, interest: int) -> int:
        """Return the instalment, or of equal principals the principal, from a period on."""
        terms = self.terms
        left = terms.instalments - place
        kept = min(terms.balloon, balance)
        if terms.method == Method.EQUAL_PRINCIPAL:
            return rounded(Fraction(balance - kept, left), terms.rounding, terms.multiple)
        if terms.method == Method.FLAT:
            later_interest = sum(
                self.whole_interest(one, flat) for one in range(place + 1, terms.instalments)
            )
            amount = balance - kept + interest + later_interest
            return rounded(Fraction(amount, left), terms.rounding, terms.multiple)
        payment = self.annuity(place, balance, kept)
        gap = self.left_for_last(place, balance, kept, interest, payment) - payment
        if terms.adjusted and abs(gap) > left // 2:
            share = rounded(Fraction(abs(gap), left), terms.rounding) * (1 if gap > 0 else -1)
            moved = rounded(Fraction(max(0, payment + share)), terms.rounding, terms.multiple)
            other = self.left_for_last(place, balance, kept, interest, moved) - moved
            return moved if abs(other) < abs(gap) else payment
        return payment

    def fees(self, on: FeeOn, amount: int) -> int:
        """Return what fees come to on an amount."""
        fees = [fee for fee in self.terms.fees if fee.on == on]
        share = Fraction(sum(fee.share for fee in fees) * amount, 10**6)
        return sum(fee.amount for fee in fees) + rounded(share, self.terms.rounding)

    def rows(self) -> list[Told]:
        """Return all rows, as ``ROW`` has their fields."""
        terms, told = self.terms, []
        pending = list(self.movements)
        balance = flat = payment = spared = 0
        deferred, is_stale = self.carried, True
        for place, due in enumerate(self.dues):
            owed = [(self._opened(place), flat if terms.method == Method.FLAT else balance)]
            while pending and pending[0].day < due:
                moved = pending.pop(0)
                if moved.amount > 0:
                    share = Fraction(moved.amount * terms.down_payment, 10**6)
                    down = rounded(share, terms.rounding)
                    balance, flat = balance + moved.amount - down, flat + moved.amount - down
                    fees = self.fees(FeeOn.DISBURSEMENT, moved.amount)
                    told.append((moved.day, 0, moved.amount, down, 0, fees, balance, deferred))
                else:
                    balance += moved.amount
                    spared -= moved.amount if is_stale and moved.keeps else 0
                    told.append((moved.day, 0, 0, -moved.amount, 0, 0, balance, deferred))
                owed.append((moved.day, flat if terms.method == Method.FLAT else balance))
                is_stale = is_stale or not moved.keeps
            interest = self.interest(place, owed)
            if not (balance or interest or deferred or pending):
                break
            if place == terms.instalments - 1:
                principal = balance
            elif place < terms.principal_grace or terms.method == Method.BULLET:
                principal = 0
            else:
                if is_stale:
                    full = self.whole_interest(place, balance + spared) if spared else interest
                    full = interest if terms.method == Method.FLAT else full
                    payment = self.payment(place, balance + spared, flat, full)
                    is_stale, spared = False, 0
                share_of = payment - (0 if terms.method == Method.EQUAL_PRINCIPAL else interest)
                principal = max(0, min(share_of, balance - min(terms.balloon, balance)))
            deferred += interest
            paid = 0
            if place >= terms.interest_payment_grace or place == terms.instalments - 1:
                paid, deferred = deferred, 0
            balance -= principal
            fees = self.fees(FeeOn.INSTALMENT, principal + paid)
            told.append((due, place + 1, 0, principal, paid, fees, balance, deferred))
        return told


@st.composite
def all_terms(draw: st.DrawFn, *, instalments_max: int = 14) -> Terms:
    """Draw terms of every kind."""
    count = draw(st.integers(1, instalments_max))
    method = draw(st.sampled_from(Method))
    unit = draw(st.sampled_from(Unit))
    share = st.sampled_from([0, 0, 1_500, 10_000])
    fees = (
        Fee(name="opening", on=FeeOn.DISBURSEMENT, amount=draw(st.sampled_from([0, 500])), share=draw(share)),
        Fee(name="service", on=FeeOn.INSTALMENT, amount=draw(st.sampled_from([0, 25])), share=draw(share)),
    )
    return Terms(
        rate=draw(st.sampled_from([0, 94_822_000, 120_000_000, 10**10]) | st.integers(0, 10**9)),
        instalments=count,
        every=draw(st.integers(1, 3 if unit == Unit.MONTHS else 40)),
        unit=unit,
        method=method,
        interest=draw(st.sampled_from(InterestBy)),
        day_count=draw(st.sampled_from(DayCount)),
        month_end=draw(st.sampled_from(MonthEnd)),
        rounding=draw(st.sampled_from(Rounding)),
        principal_grace=draw(st.integers(0, max(0, count - 1)) | st.just(0)),
        interest_payment_grace=draw(st.integers(0, count) | st.just(0)),
        interest_free=draw(st.integers(0, count) | st.just(0)),
        multiple=draw(st.sampled_from([1, 1, 5, 100])),
        adjusted=method == Method.EQUAL_INSTALMENTS and draw(st.booleans()),
        balloon=draw(st.sampled_from([0, 0, 700])) if method != Method.BULLET else 0,
        down_payment=draw(st.sampled_from([0, 0, 250_000])),
        fees=fees,
    )


AMOUNTS = st.integers(4_000, 10**7) | st.integers(4_000, 10**10)
STARTS = st.integers(day("2019-01-01"), day("2028-12-31"))


def paid_out(start: int, amounts: list[int], gaps: list[int]) -> list[Disbursement]:
    """Return disbursements that are so many days apart."""
    days = [start]
    for gap in gaps[: len(amounts) - 1]:
        days.append(days[-1] + gap)
    return [Disbursement(one, amount) for one, amount in zip(days, amounts, strict=False)]


def as_movements(disbursements: list[Disbursement]) -> list[Movement]:
    """Return disbursements as what they move."""
    return [Movement(one.day, one.amount) for one in disbursements]
