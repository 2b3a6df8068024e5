"""Bins are the best of all partitions, and weigh what counting by hand gives."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from formicary.factory.models._binning import BinRules, cut, group_categories, group_numbers


def evidence(counts: list[int], prior: float, smoothing: float) -> float:
    """Return the weight of evidence of (positives, negatives) by hand."""
    positives, negatives = counts
    odds = (positives + smoothing * prior) / (negatives + smoothing * (1 - prior))
    return math.log(odds / (prior / (1 - prior)))


def best_by_trying(groups: list[tuple[int, int]], direction: int, rules: BinRules) -> float:
    """Try every partition of groups of (positives, negatives), and return the best value that is allowed."""
    total = sum(map(sum, groups))
    prior = sum(positives for positives, _ in groups) / total
    best = -math.inf
    for count in range(len(groups)):
        for cuts in combinations(range(1, len(groups)), count):
            edges = [0, *cuts, len(groups)]
            bins = [
                [sum(group[side] for group in groups[low:high]) for side in (0, 1)]
                for low, high in pairwise(edges)
            ]
            weights = [evidence(one, prior, rules.smoothing) * direction for one in bins]
            allowed = all(
                sum(one) >= rules.share_min * total and min(one) >= rules.class_rows_min for one in bins
            )
            if allowed and weights == sorted(weights):
                best = max(best, value_of(bins, rules))
    return best


def value_of(bins: list[list[int]], rules: BinRules) -> float:
    """Return the log likelihood of bins less their cost."""
    parts = [count * math.log(count / sum(one)) for one in bins for count in one if count]
    return math.fsum(parts) - rules.cost * len(bins)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=7),
    st.sampled_from([-1, 0, 1]),
    st.sampled_from([0.1, 1.92]),
)
def test_bins_are_the_best_of_all_partitions(
    groups: list[tuple[int, int]], direction: int, cost: float
) -> None:
    """No partition that the rules allow has a greater value, whatever the direction."""
    rules = BinRules(share_min=0.15, class_rows_min=2, cost=cost)
    groups = [group for group in groups if sum(group)]
    assume(any(one for one, _ in groups) and any(one for _, one in groups))
    best = best_by_trying(groups, direction, rules)
    assume(best > -math.inf)
    values = np.repeat(np.arange(float(len(groups))), [sum(group) for group in groups])
    labels = np.concatenate([np.repeat([1.0, 0.0], group) for group in groups])
    found = cut(group_numbers(values), labels, np.ones(len(values)), direction=direction, rules=rules)
    positives, rows = found.positives[:-1].astype(int), found.rows[:-1]
    bins = [[one, count - one] for one, count in zip(positives.tolist(), rows.tolist(), strict=True)]
    assert value_of(bins, rules) == pytest.approx(best)
    assert (np.diff(found.weights[:-1]) * direction >= 0).all()


def test_weights_of_evidence_are_those_by_hand() -> None:
    """Two bins and a missing one of a table that is half bad."""
    values = np.repeat([1.0, 2.0, np.nan], [40, 40, 20])
    labels = np.concatenate([np.repeat([1.0, 0.0], counts) for counts in ((10, 30), (25, 15), (15, 5))])
    found = cut(group_numbers(values), labels, np.ones(100), direction=0, rules=BinRules(smoothing=2.0))
    assert found.ends.tolist() == [1.0]
    assert found.rows.tolist() == [40, 40, 20]
    expected = [math.log(11 / 31), math.log(26 / 16), math.log(16 / 6)]
    assert found.weights == pytest.approx(expected)


def test_categories_alike_are_grouped_and_rare_ones_together() -> None:
    """Codes of equal risk share a bin, and those of a handful of rows have one before they are compared."""
    codes = np.repeat([0, 1, 2, 3, 8, 9, -1], [100, 100, 100, 100, 4, 4, 50])
    bad = {0: 20, 1: 60, 2: 21, 3: 59, 8: 4, 9: 0, -1: 25}
    counts = [100, 100, 100, 100, 4, 4, 50]
    labels = np.concatenate(
        [np.repeat([1.0, 0.0], [bad[code], rows - bad[code]]) for code, rows in zip(bad, counts, strict=True)]
    )
    found = cut(group_categories(codes), labels, np.ones(len(codes)), direction=0, rules=BinRules())
    groups = [set(group) for group in found.codes]
    assert {0, 2} in groups or {0, 2, 8, 9} in groups
    assert {1, 3} in groups or {1, 3, 8, 9} in groups
    assert any({8, 9} <= group for group in groups)
