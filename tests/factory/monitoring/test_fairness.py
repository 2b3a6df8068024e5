"""Groups are compared by fairlearn's formulas, and nothing is said of a group that is too small to tell."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats.contingency import relative_risk

from formicary.base.errors import ProgrammingError
from formicary.factory.monitoring.fairness import FairnessVerdict, approval_ratio, equal_opportunity


def rows(**counts: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return decisions and groups of so many approved of so many rows."""
    groups = np.repeat(list(counts), [of for _, of in counts.values()])
    return np.concatenate([np.arange(of) < approved for approved, of in counts.values()]), groups


drawn_rows = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0, 1, -1]), st.sampled_from(["a", "b", "c", ""])), max_size=45
)


def demographic_parity_ratio(approved: list[bool], groups: list[str]) -> float | None:
    """Fairlearn's: the least selection rate of a group over the largest."""
    rates = selection_rates(approved, groups)
    return min(rates) / max(rates) if any(rates) else None


def equal_opportunity_difference(labels: list[int], approved: list[bool], groups: list[str]) -> float | None:
    """Fairlearn's: the largest true positive rate of a group less the least, a good row being a positive."""
    good = [place for place, label in enumerate(labels) if label == 0]
    rates = selection_rates([approved[place] for place in good], [groups[place] for place in good])
    return max(rates) - min(rates) if rates else None


def selection_rates(approved: list[bool], groups: list[str]) -> list[float]:
    """Return the share of rows that are approved, by group."""
    return [
        float(np.mean([one for one, group in zip(approved, groups, strict=True) if group == name]))
        for name in sorted(set(groups) - {""})
    ]


@settings(max_examples=50)
@given(drawn_rows)
def test_measures_are_those_of_fairlearn(drawn: list[tuple[bool, int, str]]) -> None:
    """Rows without a group are left out."""
    approved, labels, groups = (list(one) for one in zip(*drawn, strict=True)) if drawn else ([], [], [])
    ratio = approval_ratio(approved=approved, groups=np.array(groups, np.str_))
    expected = demographic_parity_ratio(approved, groups)
    assert ratio.measure == (None if expected is None else pytest.approx(expected))
    assert (ratio.rows, ratio.unknown) == (len(groups) - groups.count(""), groups.count(""))
    difference = equal_opportunity(approved=approved, labels=labels, groups=np.array(groups, np.str_))
    expected = equal_opportunity_difference(labels, approved, groups)
    assert difference.measure == (None if expected is None else pytest.approx(expected))
    for report in (ratio, difference):
        assert msgspec.json.decode(msgspec.json.encode(report), type=type(report)) == report
        for one in report.groups:
            bounds = (one.low, one.measure, one.high)
            assert bounds == (None, None, None) or list(bounds) == sorted(bound or 0.0 for bound in bounds)


@pytest.mark.parametrize(
    ("men", "women", "verdict"),
    [
        ((900, 1_000), (600, 1_000), "adverse"),
        ((9, 10), (6, 10), "unsure"),
        ((900, 1_000), (730, 1_000), "unsure"),
        ((900, 1_000), (850, 1_000), "fair"),
    ],
)
def test_four_fifths(men: tuple[int, int], women: tuple[int, int], verdict: str) -> None:
    """Below by more than chance, below by chance, above by chance, above for sure."""
    decided, groups = rows(men=men, women=women)
    report = approval_ratio(approved=decided, groups=groups)
    assert (report.best, report.verdict) == ("men", verdict)
    best, other = report.groups
    assert (best.group, best.measure, best.low, best.high) == ("men", 1.0, 1.0, 1.0)
    assert (other.group, other.measure) == ("women", report.measure)


def test_the_interval_of_a_ratio_is_that_of_katz() -> None:
    """Of many rows half a row more or less is nothing: SciPy's is the same without it."""
    decided, groups = rows(a=(70_000, 100_000), b=(30_000, 50_000))
    report = approval_ratio(approved=decided, groups=groups, error=0.02)
    expected = relative_risk(30_000, 50_000, 70_000, 100_000).confidence_interval(0.99)
    found = report.groups[1]
    assert found.measure == pytest.approx(6 / 7)
    assert found.low == pytest.approx(expected.low, rel=1e-4)
    assert found.high == pytest.approx(expected.high, rel=1e-4)


def test_the_interval_of_a_difference_is_newcombe_s() -> None:
    """His own example of method 10: 56 of 70 and 48 of 80 differ by 0.2, from 0.0524 to 0.3339."""
    decided, groups = rows(a=(56, 70), b=(48, 80))
    report = equal_opportunity(approved=decided, labels=np.zeros(150), groups=groups, error=0.1)
    found = report.groups[1]
    assert found.measure == pytest.approx(0.2)
    assert found.low == pytest.approx(0.0524, abs=5e-5)
    assert found.high == pytest.approx(0.3339, abs=5e-5)


def test_equal_opportunity_looks_at_good_rows() -> None:
    """Whoever turns away more bad rows of a group is not unfair to it."""
    decided, groups = rows(a=(900, 1_000), b=(500, 1_000))
    labels = np.where((groups == "b") & ~decided, 1, 0)
    labels[:5] = -1
    assert equal_opportunity(approved=decided, labels=labels, groups=groups).best == "b"
    report = equal_opportunity(approved=decided, labels=np.zeros(2_000), groups=groups)
    assert report.verdict is FairnessVerdict.ADVERSE
    assert report.measure == pytest.approx(0.4)
    decided, groups = rows(a=(900, 1_000), b=(895, 1_000))
    report = equal_opportunity(approved=decided, labels=np.zeros(2_000), groups=groups)
    assert report.verdict is FairnessVerdict.FAIR
    decided, groups = rows(a=(9, 10), b=(7, 10))
    report = equal_opportunity(approved=decided, labels=np.zeros(20), groups=groups)
    assert report.verdict is FairnessVerdict.UNSURE


def test_small_groups_judge_nothing() -> None:
    """Nine rows of a thousand, all declined, or all approved."""
    for approved in (0, 9):
        decided, groups = rows(a=(900, 1_000), b=(880, 1_000), c=(approved, 9))
        report = approval_ratio(approved=decided, groups=groups)
        assert report.best == "a"
        assert report.measure == pytest.approx(880 / 900)
        assert report.verdict is FairnessVerdict.FAIR
        assert report.groups[2].verdict is FairnessVerdict.SMALL
        assert report.groups[2].measure is None


def test_nobody_is_no_verdict() -> None:
    """No row, and none approved."""
    report = approval_ratio(approved=[], groups=np.array([], np.str_))
    assert (report.verdict, report.best, report.measure) == ("unsure", "", None)
    report = approval_ratio(approved=[False] * 4, groups=["a", "a", "b", "b"])
    assert (report.verdict, report.measure) == ("unsure", None)


def test_rows_match() -> None:
    """Decisions of other rows are a mistake of the caller."""
    with pytest.raises(ProgrammingError):
        approval_ratio(approved=[True], groups=["a", "b"])
    with pytest.raises(ProgrammingError):
        equal_opportunity(approved=[True], labels=[0, 1], groups=["a"])
