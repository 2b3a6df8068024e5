"""Estimates from propensities, against all that could have happened, one by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pytest

from formicary.factory.decisions.errors import MalformedItems
from formicary.factory.decisions.propensities import (
    Estimate,
    doubly_robust,
    inverse_propensity,
    self_normalised,
    training_weights,
)

ROWS: Final = 3


@dataclass(frozen=True)
class Happening:
    """A case with its outcome, how probable both are, and what is known of it."""

    probability: float
    propensity: float
    target: float
    reward: float
    expected: float
    expected_target: float
    is_known: int


# Cases: how often they come; of allowing and refusing the logged chance, that of the policy to be valued,
# what it brings, and what a model, which is not right, expects.
CASES: Final = (
    (0.5, (1.0, 0.0), (1.0, 0.0), (4.0, 0.0), (3.0, 0.5)),
    (0.3, (0.1, 0.9), (1.0, 0.0), (7.0, -1.0), (9.0, 0.0)),
    (0.2, (0.25, 0.75), (0.4, 0.6), (-30.0, 2.0), (-10.0, 2.5)),
)
VALUE: Final = sum(
    often * (policy[0] * brings[0] + policy[1] * brings[1]) for often, _, policy, brings, _ in CASES
)


def happenings() -> list[Happening]:
    """Return every case with every outcome that it may have."""
    return [
        Happening(
            probability=often * logged[place],
            propensity=logged[place],
            target=policy[place],
            reward=brings[place],
            expected=says[place],
            expected_target=policy[0] * says[0] + policy[1] * says[1],
            is_known=1 - place,
        )
        for often, logged, policy, brings, says in CASES
        for place in range(2)
        if logged[place]
    ]


def logs() -> Iterator[tuple[float, dict[str, Any]]]:
    """Go through every log of so many rows, with its probability and its columns."""
    for rows in itertools.product(happenings(), repeat=ROWS):
        probability = float(np.prod([one.probability for one in rows]))
        yield probability, {name: [getattr(one, name) for one in rows] for name in Happening.__annotations__}


def robust(log: dict[str, Any]) -> Estimate:
    """Estimate with the help of the model."""
    return doubly_robust(
        log["reward"],
        log["propensity"],
        log["target"],
        expected=log["expected"],
        expected_target=log["expected_target"],
    )


@pytest.mark.parametrize(
    "estimate",
    [lambda log: inverse_propensity(log["reward"], log["propensity"], log["target"]), robust],
    ids=["inverse propensity", "doubly robust"],
)
def test_estimates_are_right_on_average_and_say_how_far_off(
    estimate: Callable[[dict[str, Any]], Estimate],
) -> None:
    """Over all logs the mean is the policy's value, and the squared error told is the variance."""
    found = [(probability, estimate(log)) for probability, log in logs()]
    assert sum(probability for probability, _ in found) == pytest.approx(1.0)
    assert sum(chance * one.value for chance, one in found) == pytest.approx(VALUE)
    variance = sum(chance * (one.value - VALUE) ** 2 for chance, one in found)
    assert sum(chance * one.standard_error**2 for chance, one in found) == pytest.approx(variance)
    assert {one.rows for _, one in found} == {ROWS}


def test_a_model_helps_where_it_is_nearly_right() -> None:
    """Where it is right, only cases differ; where propensities are, it need not be."""
    plain = [
        (chance, inverse_propensity(log["reward"], log["propensity"], log["target"]))
        for chance, log in logs()
    ]
    helped = [(chance, robust(log)) for chance, log in logs()]
    spread = [sum(chance * (one.value - VALUE) ** 2 for chance, one in found) for found in (plain, helped)]
    assert spread[1] < spread[0] * 0.7


def test_a_right_model_makes_up_for_wrong_propensities() -> None:
    """Robust in the other of two ways: each is enough."""
    rows = happenings()
    wrong = [min(1.0, one.propensity * 2) for one in rows]
    brings = [one.reward for one in rows]
    policy = [sum(p * b for p, b in zip(case[2], case[3], strict=True)) for case in CASES]
    own = [policy[0], policy[1], policy[1], policy[2], policy[2]]
    found = doubly_robust(brings, wrong, [one.target for one in rows], expected=brings, expected_target=own)
    assert found.value == pytest.approx(np.mean(own))


def test_weights_divided_by_their_own_sum() -> None:
    """The ratio and its error as they are written down; what all rows bring is the value in any case."""
    rewards, propensities, target = [4.0, 7.0, -30.0, 2.0], [1.0, 0.1, 0.25, 0.75], [1.0, 1.0, 0.4, 0.6]
    found = self_normalised(rewards, propensities, target)
    weights = [1.0, 10.0, 1.6, 0.8]
    value = sum(w * r for w, r in zip(weights, rewards, strict=True)) / sum(weights)
    squares = sum((w * (r - value)) ** 2 for w, r in zip(weights, rewards, strict=True))
    assert found.value == pytest.approx(value)
    assert found.standard_error == pytest.approx(squares**0.5 / sum(weights))
    assert found.effective_rows == pytest.approx(sum(weights) ** 2 / sum(w * w for w in weights))
    same = self_normalised([3.0] * 4, propensities, target)
    assert same.value == pytest.approx(3.0)
    assert same.standard_error == pytest.approx(0.0)
    far = inverse_propensity([3.0] * 4, propensities, target)
    assert far.value != pytest.approx(3.0)


def test_what_is_known_stands_for_what_is_not() -> None:
    """Over all logs the weighted sum of what passed is that of everything which could have passed."""
    total = 0.0
    for probability, log in logs():
        weights, covered = training_weights(log["propensity"], log["is_known"])
        assert weights.tolist() == [
            1 / chance if known else 0.0
            for chance, known in zip(log["propensity"], log["is_known"], strict=True)
        ]
        assert covered.value == pytest.approx(weights.mean())
        total += probability * float(weights @ np.array(log["reward"])) / ROWS
    assert total == pytest.approx(sum(often * brings[0] for often, _, _, brings, _ in CASES))
    share = sum(
        chance * training_weights(log["propensity"], log["is_known"])[1].value for chance, log in logs()
    )
    assert share == pytest.approx(1.0)


def test_weights_may_be_limited() -> None:
    """For less variance; no row weighs less than what it is."""
    weights, covered = training_weights([1.0, 0.01, 0.99], np.array([True, True, False]), most=20.0)
    assert weights.tolist() == [1.0, 20.0, 0.0]
    assert covered.value == pytest.approx(7.0)
    nothing, none = training_weights([1.0, 1.0], [0, 0])
    assert (nothing.tolist(), none.value, none.effective_rows) == ([0.0, 0.0], 0.0, 0.0)


@pytest.mark.parametrize(
    ("rewards", "propensities", "target", "said"),
    [
        ([1, 1], [0.5, 0.0], [1, 1], "above 0"),
        ([1, 1], [0.5, -0.1], [1, 1], "above 0"),
        ([1, 1], [0.5, 1.5], [1, 1], "at most 1"),
        ([1, 1], [0.5, np.nan], [1, 1], "are numbers"),
        ([1, np.inf], [0.5, 0.5], [1, 1], "rewards are numbers"),
        ([1, 1], [0.5, 0.5], [1, 1.5], "0 to 1"),
        ([1, 1], [0.5, 0.5], [1, -0.5], "0 to 1"),
        ([1, 1, 1], [0.5, 0.5], [1, 1], "one number a row"),
        ([1, 1], [0.5, 0.5], [1], "one number a row"),
        ([1], [0.5], [1], "at least 2 rows"),
        ([[1, 1]], [[0.5, 0.5]], [[1, 1]], "one number a row"),
    ],
)
def test_what_is_no_log(rewards: Any, propensities: Any, target: Any, said: str) -> None:
    """A chance of zero did not come out; and all columns are of the same rows."""
    for estimate in (inverse_propensity, self_normalised):
        with pytest.raises(MalformedItems, match=said):
            estimate(rewards, propensities, target)


def test_what_says_nothing() -> None:
    """A policy that gives none of the outcomes has no ratio; models and weights are of the same rows."""
    with pytest.raises(MalformedItems, match="nothing is known"):
        self_normalised([1, 1], [0.5, 0.5], [0, 0])
    with pytest.raises(MalformedItems, match="expected rewards"):
        doubly_robust([1, 1], [0.5, 0.5], [1, 1], expected=[1], expected_target=[1, 1])
    for known in ([1], [1, 2]):
        with pytest.raises(MalformedItems, match="whether rows are known"):
            training_weights([0.5, 0.5], known)
    for most in (0.5, np.nan):
        with pytest.raises(MalformedItems, match="a limit of weights"):
            training_weights([0.5, 0.5], [1, 1], most=most)
