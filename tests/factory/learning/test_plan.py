"""Plans that contradict themselves are refused, with all that is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from formicary.factory.learning.errors import PlanMalformed
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.learning.worth import Worth
from tests.factory.learning.learning_kit import PLAN


def test_a_plan_needs_a_model_and_a_worth_only() -> None:
    """The rest has defaults that do not contradict each other."""
    assert LearningPlan(model="default", worth=Worth()).windows_days == (0,)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"judged_days": 2}, "at least 3 days judge, not 2"),
        ({"windows_days": ()}, "challengers learn from a number of days"),
        ({"windows_days": (7, -1)}, "challengers learn from a number of days"),
        ({"canary_shares": (0, 10)}, "a canary widens step by step"),
        ({"canary_shares": (1_000_000,)}, "a canary widens step by step"),
        ({"confidence": 1.0}, "a confidence lies between 0 and 1"),
        ({"every_days": 0}, "every_days is at least 1, not 0"),
        ({"flips_max": 0.0}, "flips_max is above zero"),
        ({"residual_odds": 0.9}, "residual_odds are above 1, or 0, not 0.9"),
        ({"drift_index_max": -0.1}, "drift_index_max and opportunity_difference_max are not negative"),
        ({"groups": tuple("abcdefg")}, "segments, and thrice groups, are 20 at most"),
    ],
)
def test_what_contradicts_itself_is_refused(wrong: dict[str, Any], said: str) -> None:
    """And named, with the model."""
    with pytest.raises(PlanMalformed, match="default: .*" + said):
        replace(PLAN, **wrong)


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Two mistakes, one message."""
    with pytest.raises(PlanMalformed, match=r"judge.*watched_days"):
        replace(PLAN, judged_days=1, watched_days=0)
