"""Days outside the band of a reference are told; weekends, rare events and new segments are not."""

from __future__ import annotations

import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from formicary.base.errors import ProgrammingError
from formicary.factory.monitoring.rates import RateVerdict, daily_rates, missing_rates, outcome_rates

NAN = math.nan


def counted(shares: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return days and flags of so many of so many rows a day."""
    days = np.repeat(np.arange(len(shares)), [rows for _, rows in shares])
    return days, np.concatenate([np.arange(rows) < count for count, rows in shares] or [np.zeros(0, bool)])


def test_a_day_outside_the_band_is_told() -> None:
    """Above and below; within it nothing is, and a segment that is new is only named."""
    days, flags = counted([(50, 1_000)] * 20 + [(100, 1_000), (10, 1_000), (55, 1_000)])
    segments = np.where((days == 22) & flags, "new", "old")
    report = daily_rates(days=days, segments=segments, flags={"declined": flags}, reference_until=19)
    assert [(one.segment, one.day, one.verdict) for one in report.rates] == [
        ("new", 22, "new"),
        ("old", 20, "high"),
        ("old", 21, "low"),
        ("old", 22, "low"),
    ]
    assert [one.day for one in report.alarms] == [20, 21, 22]
    assert (report.rates[0].usual, report.rates[0].low, report.rates[0].high) == (None, 0.0, 1.0)
    assert (report.rates[1].count, report.rates[1].rows, report.rates[1].share) == (100, 1_000, 0.1)
    assert msgspec.json.decode(msgspec.json.encode(report), type=type(report)) == report


days_of = st.lists(
    st.integers(1, 60).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows))), max_size=9
)


@settings(max_examples=50)
@given(days_of, st.integers(-1, 9), st.sampled_from([0.5, 0.05]))
def test_bands_are_those_of_laney(shares: list[tuple[int, int]], until: int, error: float) -> None:
    """As worked out day by day: the reference's share, its spread, and the exact distribution."""
    days, flags = counted(shares)
    report = daily_rates(
        days=days, segments=np.full(len(days), "a"), flags={"x": flags}, reference_until=until, error=error
    )
    known, watched = shares[: until + 1], shares[until + 1 :]
    assert [(one.count, one.rows) for one in report.rates] == watched
    if not known:
        assert {one.verdict for one in report.rates} <= {RateVerdict.NEW}
        return
    total = sum(rows for _, rows in known)
    usual = (sum(count for count, _ in known) + 0.5) / (total + 1)
    deviates = [(count / rows - usual) / math.sqrt(usual * (1 - usual) / rows) for count, rows in known]
    ranges = [abs(after - before) for before, after in pairwise(deviates)]
    spread = max(sum(ranges) / len(ranges) / 1.128379167 if ranges else 1.0, 1.0)
    for one in report.rates:
        each = error / len(watched)
        half = norm.isf(each / 2) * spread * math.sqrt(usual * (1 - usual) * (1 / one.rows + 1 / total))
        assert one.usual == pytest.approx(usual)
        assert one.low == pytest.approx(max(usual - half, 0), abs=1e-7)
        assert one.high == pytest.approx(min(usual + half, 1), abs=1e-7)
        expected = RateVerdict.STEADY
        if one.share > one.high and binom.sf(one.count - 1, one.rows, usual) <= each / 2:
            expected = RateVerdict.HIGH
        if one.share < one.low and binom.cdf(one.count, one.rows, usual) <= each / 2:
            expected = RateVerdict.LOW
        assert one.verdict is expected


def test_weekends_are_usual() -> None:
    """Where days of the reference differ by far more than chance, another such day is no alarm."""
    week = [(60, 1_000)] * 5 + [(120, 1_000)] * 2
    days, flags = counted(week * 4 + week)
    report = daily_rates(days=days, segments=np.full(len(days), "a"), flags={"x": flags}, reference_until=27)
    assert report.alarms == ()
    days, flags = counted([(60, 1_000)] * 28 + week)
    report = daily_rates(days=days, segments=np.full(len(days), "a"), flags={"x": flags}, reference_until=27)
    assert [one.day for one in report.alarms] == [33, 34]


def test_a_rare_event_is_no_alarm() -> None:
    """Two of 120 where one of a thousand is usual are beyond any normal bound, and yet chance."""
    days, flags = counted([(1, 1_000)] * 20 + [(2, 120)])
    report = daily_rates(days=days, segments=np.full(len(days), "a"), flags={"x": flags}, reference_until=19)
    (one,) = report.rates
    assert one.share > one.high
    assert one.verdict is RateVerdict.STEADY


def test_every_outcome_has_a_rate() -> None:
    """Those of a day add up to one."""
    random = np.random.default_rng(1)
    days = np.repeat(np.arange(10), 500)
    outcomes = random.choice(["approve", "decline", "step_up"], 5_000, p=[0.9, 0.04, 0.06])
    outcomes[days == 9] = random.choice(["approve", "decline"], 500, p=[0.8, 0.2])
    report = outcome_rates(days=days, segments=np.full(5_000, "all"), outcomes=outcomes, reference_until=6)
    for day in (7, 8, 9):
        assert sum(one.count for one in report.rates if one.day == day) == 500
    alarms = {(one.name, one.day): one.verdict for one in report.alarms}
    assert alarms == {("approve", 9): "low", ("decline", 9): "high", ("step_up", 9): "low"}


def test_missing_values_have_a_rate() -> None:
    """A broken feed is told of, by the column that it feeds."""
    days = np.repeat(np.arange(10), 200)
    fine = np.where(np.arange(2_000) % 50 == 0, NAN, 1.0)
    broken = np.where(days == 8, NAN, fine)
    report = missing_rates(days=days, columns={"fine": fine, "broken": broken}, reference_until=6)
    assert [(one.name, one.segment, one.day, one.share) for one in report.alarms] == [
        ("broken", "all", 8, 1.0)
    ]


def test_nothing_is_no_alarm() -> None:
    """Neither rows nor flags."""
    assert daily_rates(days=[], segments=[], flags={}, reference_until=0).rates == ()


def test_rows_match() -> None:
    """Flags of other rows are a mistake of the caller."""
    with pytest.raises(ProgrammingError):
        daily_rates(days=[1, 2], segments=["a", "b"], flags={"x": [True]}, reference_until=0)
