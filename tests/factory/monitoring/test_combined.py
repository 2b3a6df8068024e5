"""The weight of a fast, biased model is chosen on early rows and judged on late ones."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.models.errors import LabelsTooFew
from formicary.factory.models.metrics import average_precision, money_found
from formicary.factory.monitoring.combined import Aim, choose_weight, combined


def drawn(fast_tells: float, slow_tells: float, rows: int = 4_000) -> dict[str, np.ndarray]:
    """Return rows of which either model sees so much, each with noise of its own."""
    random = np.random.default_rng(1)
    labels = (random.random(rows) < 0.1).astype(float)
    noise = random.normal(size=(2, rows))
    fast, slow = (
        1 / (1 + np.exp(-(tells * labels + one - 2)))
        for tells, one in zip((fast_tells, slow_tells), noise, strict=True)
    )
    return {"fast": fast, "slow": slow, "labels": labels, "at": random.permutation(rows)}


def test_two_that_see_different_things_are_better_than_one() -> None:
    """The weight is between, and the figures are those of the metrics on the rows themselves."""
    rows = drawn(2.0, 2.0)
    found = choose_weight(**rows)
    assert 20 <= found.weight <= 80
    assert found.aim is Aim.AVERAGE_PRECISION
    assert found.is_better
    assert (found.rows_chosen, found.rows_judged) == (3_200, 800)
    late = rows["at"] >= 3_200
    assert found.judged_fast == average_precision(scores=rows["fast"][late], labels=rows["labels"][late])
    assert found.judged_slow == average_precision(scores=rows["slow"][late], labels=rows["labels"][late])
    scores = combined(rows["fast"], rows["slow"], found.weight)
    assert found.judged == average_precision(scores=scores[late], labels=rows["labels"][late])
    assert found.chosen[found.weight] == average_precision(scores=scores[~late], labels=rows["labels"][~late])
    assert found.chosen[found.weight] == max(found.chosen.values())
    assert list(found.chosen) == list(range(0, 101, 5))
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


def test_a_model_that_sees_nothing_counts_nothing() -> None:
    """On either side."""
    assert choose_weight(**drawn(0.0, 4.0)).weight <= 10
    assert choose_weight(**drawn(4.0, 0.0)).weight >= 90


def test_of_equal_weights_the_least_is_taken() -> None:
    """Where both say the same, nothing speaks for the labels that are biased."""
    rows = drawn(3.0, 3.0)
    found = choose_weight(**{**rows, "slow": rows["fast"]})
    assert found.weight == 0
    assert not found.is_better


def test_rows_that_stand_for_others_count_as_many() -> None:
    """Those that were left out beside them would have come between."""
    rows = drawn(2.0, 2.0)
    weights = np.where(rows["labels"] == 1, 1.0, 3.0)
    found = choose_weight(**rows, weights=weights)
    late = rows["at"] >= 3_200
    scores = combined(rows["fast"], rows["slow"], found.weight)
    expected = average_precision(scores=scores[late], labels=rows["labels"][late], weights=weights[late])
    assert found.judged == expected
    assert found.judged < choose_weight(**rows).judged


def test_money_may_be_what_counts() -> None:
    """The fast model sees the large amounts only, and they are most of the money."""
    rows = drawn(0.0, 2.0)
    money = np.where(np.arange(4_000) % 10 == 0, 1_000_000, 1)
    fast = np.where(rows["labels"] * (money > 1), 0.99, 0.01)
    found = choose_weight(**{**rows, "fast": fast}, money=money)
    assert found.aim is Aim.MONEY_FOUND
    late = rows["at"] >= 3_200
    scores = combined(fast, rows["slow"], found.weight)
    assert found.judged == money_found(scores=scores[late], labels=rows["labels"][late], money=money[late])
    assert found.judged > found.judged_slow


def test_rows_of_one_time_stay_together() -> None:
    """All of the last time judge, though they are more than a fifth."""
    found = choose_weight(
        fast=[0.1, 0.9, 0.2, 0.8, 0.7],
        slow=[0.3, 0.6, 0.5, 0.9, 0.1],
        labels=[0, 1, 1, 0, 1],
        at=[1, 1, 2, 2, 2],
    )
    assert (found.rows_chosen, found.rows_judged) == (2, 3)


def test_what_cannot_be_judged_is_refused() -> None:
    """No row, late rows of one class, times of other rows, and weights that are no share."""
    with pytest.raises(LabelsTooFew):
        choose_weight(fast=[], slow=[], labels=[], at=[])
    with pytest.raises(LabelsTooFew):
        choose_weight(fast=[0.1, 0.9, 0.5], slow=[0.1, 0.9, 0.5], labels=[0, 1, 1], at=[1, 2, 3])
    with pytest.raises(ProgrammingError):
        choose_weight(fast=[0.1], slow=[0.1], labels=[0], at=[1, 2])
    for weight in (-1, 101):
        with pytest.raises(ProgrammingError):
            combined([0.1], [0.2], weight)
