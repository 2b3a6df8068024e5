"""Falls are found before defaults; how long before, and how often for nothing, is measured."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import mean, variance

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.products.lending.underwriting.early_warning import (
    NEVER,
    WarningPolicy,
    cut_limits,
    report,
    undrawn_cut,
    warned,
)

POLICY = WarningPolicy()
PAST = POLICY.past_weeks


def chart(counts: list[int], policy: WarningPolicy) -> tuple[float, int]:
    """Return evidence and the week since when, by reals and by the formula of the page."""
    past, watched = counts[: policy.past_weeks], counts[policy.past_weeks :]
    usual = mean(past)
    if usual < policy.usual_min:
        return 0.0, NEVER
    spread = max(variance(past) / usual, 1.0)
    evidence, since = 0.0, NEVER
    for week, count in enumerate(watched, start=policy.past_weeks):
        before = evidence
        evidence = max(0.0, evidence + (usual * 0.5 - count * math.log(2)) / spread)
        if evidence > 0 and before == 0:
            since = week
    return evidence, since if evidence > 0 else NEVER


@settings(max_examples=15)
@given(st.lists(st.lists(st.integers(0, 60), min_size=20, max_size=20), min_size=1, max_size=4))
def test_evidence_is_that_of_the_formula(counts: list[list[int]]) -> None:
    """Within what rounding to millionths, once a week and of usual counts, comes to."""
    told = warned(POLICY, counts)
    for row, evidence, since in zip(counts, told.evidence.tolist(), told.since.tolist(), strict=True):
        expected, week = chart(row, POLICY)
        assert evidence == pytest.approx(expected * 1e6, abs=400)
        if expected > 1e-3:
            assert since == week


def test_a_fall_is_told_and_a_recovery_forgets_it() -> None:
    """Half the sales from week 14 on: since then, and alarmed two weeks later; good weeks take it back."""
    steady, fallen = [40] * PAST, [40, 40, 10, 10, 10]
    told = warned(POLICY, [steady + fallen, steady + [40] * 5, steady + [10] * 3 + [60] * 2])
    assert told.since.tolist() == [14, NEVER, NEVER]
    assert told.alarmed.tolist() == [14, NEVER, 12]
    assert told.evidence[0] == 3 * (20_000_000 - 10 * 693_147)
    assert told.evidence[1:].tolist() == [0, 0]
    assert told.usual.tolist() == [40_000_000] * 3


def test_small_merchants_are_not_looked_at() -> None:
    """Of four sales a week none in a week says nothing."""
    told = warned(POLICY, [[4] * PAST + [0] * 8])
    assert (told.evidence[0], told.since[0], told.alarmed[0]) == (0, NEVER, NEVER)


def test_without_cuts_nothing_is_an_alarm() -> None:
    """Evidence is told all the same, and cuts nothing."""
    policy = replace(POLICY, cuts=())
    told = warned(policy, [[40] * PAST + [0] * 8])
    assert told.evidence[0] == 160_000_000
    assert told.alarmed[0] == NEVER
    limits, drawn = np.array([9]), np.array([4])
    assert cut_limits(policy, limits=limits, drawn=drawn, evidence=told.evidence).tolist() == [9]


def test_only_what_is_not_drawn_is_cut() -> None:
    """Half of it at the first level, all at the second, nothing below; what is owed stays."""
    evidence = np.array([3_999_999, 4_000_000, 6_253_828, 6_253_829, 10**9, 10**9])
    drawn = np.array([400, 400, 401, 400, 0, 2_000])
    limits = np.full(6, 1_000)
    told = cut_limits(POLICY, limits=limits, drawn=drawn, evidence=evidence)
    assert told.tolist() == [1_000, 700, 701, 400, 0, 1_000]


@given(st.integers(0, 10**14), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_cut_goes_on_from_the_one_before(undrawn: int, share: int, before: int) -> None:
    """By the share of what is left, of the largest lines as well, and never by less than nothing."""
    told = undrawn_cut(np.array([undrawn]), np.array([share]), before=np.array([before]))
    further = max(share - before, 0) * 10**6 // max(10**6 - before, 1)
    assert told.tolist() == [undrawn * further // 10**6]
    assert 0 <= told[0] <= undrawn


@pytest.mark.parametrize(
    "counts", [[[1.5] * 20], [1] * 20, [[1] * 11], [[-1] * 20], [[1_000_001] * 20]], ids=str
)
def test_what_are_no_counts_is_refused(counts: list[object]) -> None:
    """Whole, of enough weeks, within what a word holds."""
    with pytest.raises(ProgrammingError, match="count"):
        warned(POLICY, np.array(counts))


def test_extremes_do_not_wrap_around() -> None:
    """The largest counts that there may be, and the deepest fall."""
    policy = replace(POLICY, fall_millionths=50_000, log_fall_millionths=2_995_732)
    weeks = np.zeros((3, 520), np.int64)
    weeks[0, :PAST] = 1_000_000
    weeks[1] = 1_000_000
    weeks[2, 0] = 1_000_000
    told = warned(policy, weeks)
    assert told.evidence[0] == 508 * 950_000 * 10**6
    assert told.evidence[1] == 0
    assert 0 < told.evidence[2] < 508 * 950_000 * 10**6


def test_a_report_by_hand() -> None:
    """Warned three weeks and one before, in the week itself, not at all; healthy with an alarm or without."""
    told = report(
        alarmed=[15, 17, 20, NEVER, 14, NEVER, 13],
        defaulted=[18, 18, 20, 16, NEVER, NEVER, 5],
        first=12,
        weeks=22,
    )
    assert (told.defaults, told.warned) == (4, 2)
    assert told.lead_weeks == (1, 1, 3)
    assert (told.healthy_weeks, told.false_alarms) == (3 + 10 + 2, 2)
    assert told.alarms_a_thousand_years == 2 * 52_000 // 15
    nobody = report(alarmed=[], defaulted=[], first=12, weeks=22)
    assert (nobody.lead_weeks, nobody.alarms_a_thousand_years) == ((None, None, None), 0)


def test_warnings_come_before_defaults() -> None:
    """Measured on merchants who fail, and on those who do not.

    Weekly sales vary more than Poisson's (negative binomial, twice). Who fails loses 15 % of what is left of
    sales each week, and defaults 12 weeks after the fall began.
    """
    random = np.random.default_rng(11)
    parties, weeks, year = 4_000, PAST + 52, 52
    level = random.uniform(10, 120, (parties, 1))
    begins = np.where(np.arange(parties) < 800, random.integers(PAST + 4, weeks - 13, parties), 10**6)
    gone = np.maximum(np.arange(weeks) - begins[:, None] + 1, 0)
    means = level * 0.85**gone
    counts = random.negative_binomial(np.maximum(means, 1e-9), 0.5)
    defaulted = np.where(begins < weeks, begins + 12, NEVER)
    told = report(alarmed=warned(POLICY, counts).alarmed, defaulted=defaulted, first=PAST, weeks=weeks)
    # The figures of docs/underwriting.md.
    assert (told.defaults, told.warned) == (800, 798)
    assert told.lead_weeks == (7, 9, 11)
    assert told.healthy_weeks > 3_000 * year
    assert told.alarms_a_thousand_years == 68
