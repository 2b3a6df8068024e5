"""What stopping a row is worth, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from formicary.factory.learning.errors import PlanMalformed
from formicary.factory.learning.worth import Worth


def test_a_row_is_stopped_where_that_is_worth_more_than_it_costs() -> None:
    """At a chance of 0.1 an amount of 1,000 saves 100 and costs 0.9 * 20 + 50."""
    worth = Worth(lost_bp=10_000, margin_bp=200, cost=50)
    chances, amounts = np.array([0.1, 0.05, 0.1]), np.array([1_000, 1_000, 500])
    assert worth.stops(chances, amounts).tolist() == [True, False, False]


def test_values_are_counted_beside_letting_a_row_pass() -> None:
    """A bad row that is stopped saves its loss, a good one costs its margin, each the cost."""
    worth = Worth(lost_bp=6_000, margin_bp=200, cost=50)
    labels, amounts = np.array([1, 0, 1, 0], np.int8), np.array([1_000, 1_000, 1_000, 1_000])
    stopped = np.array([True, True, False, False])
    assert worth.values(stopped, labels, amounts).tolist() == [550, -70, 0, 0]


def test_nothing_is_stopped_without_a_chance() -> None:
    """No number is no reason."""
    assert not Worth().stops(np.array([np.nan]), np.array([100])).any()


@pytest.mark.parametrize("wrong", [{"lost_bp": -1}, {"margin_bp": 10_001}, {"cost": -5}])
def test_an_absurd_worth_is_refused(wrong: dict[str, int]) -> None:
    """By name."""
    with pytest.raises(PlanMalformed, match=next(iter(wrong))):
        Worth(**wrong)
