"""Every metric is what counting by hand gives, ties and weights included."""

from __future__ import annotations

import math
import statistics
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.factory.models import metrics
from formicary.factory.models.errors import LabelsTooFew

# Few values, so that most of them are tied.
rows = st.lists(
    st.tuples(st.integers(0, 5).map(float), st.integers(0, 1), st.integers(0, 3)), min_size=2, max_size=40
)
Rows = list[tuple[float, int, int]]


def repeated(drawn: Rows) -> tuple[list[float], list[float]]:
    """Return the scores of rows labelled 1 and 0, each as often as its weight says."""
    positives = [score for score, label, weight in drawn for _ in range(weight) if label]
    negatives = [score for score, label, weight in drawn for _ in range(weight) if not label]
    assume(positives and negatives)
    return positives, negatives


def columns(drawn: Rows) -> dict[str, np.ndarray]:
    """Return rows as the arguments of a metric of scores."""
    scores, labels, weights = (np.array(column) for column in zip(*drawn, strict=True))
    return {"scores": scores, "labels": labels, "weights": weights}


def area_by_pairs(positives: list[float], negatives: list[float]) -> float:
    """Count every pair: one where the positive is above, half where it is level."""
    wins = sum((high > low) + 0.5 * (high == low) for high, low in product(positives, negatives))
    return wins / (len(positives) * len(negatives))


def money_by_hand(drawn: Rows, share: float) -> float:
    """Look at rows from the highest score down; of a tie that is not looked at whole, each counts in part."""
    room, seen = len(drawn) * share, 0.0
    for threshold in sorted({score for score, _, _ in drawn}, reverse=True):
        tied = [(label, amount) for score, label, amount in drawn if score == threshold]
        looked_at = min(max(room, 0.0), len(tied))
        seen += sum(label * amount for label, amount in tied) * looked_at / len(tied)
        room -= len(tied)
    return seen / sum(label * amount for _, label, amount in drawn)


@given(rows, st.sampled_from([0.01, 0.3, 1.0]))
def test_money_found(drawn: Rows, share: float) -> None:
    """As looked up row by row; all of it where all rows are looked at."""
    assume(any(label and amount for _, label, amount in drawn))
    scores, labels, money = (np.array(column) for column in zip(*drawn, strict=True))
    found = metrics.money_found(scores=scores, labels=labels, money=money, share=share)
    assert math.isclose(found, money_by_hand(drawn, share), abs_tol=1e-12)


def test_no_money_cannot_be_found() -> None:
    """Where label 1 is about none."""
    with pytest.raises(LabelsTooFew, match="about any money"):
        metrics.money_found(scores=[1, 2], labels=[1, 0], money=[0, 5])


def precision_by_steps(positives: list[float], negatives: list[float]) -> float:
    """Lower a threshold score by score, and add up precision times the recall gained."""
    total, recall = 0.0, 0.0
    for threshold in sorted({*positives, *negatives}, reverse=True):
        found = sum(score >= threshold for score in positives)
        looked_at = found + sum(score >= threshold for score in negatives)
        total += found / looked_at * (found / len(positives) - recall)
        recall = found / len(positives)
    return total


def distance_by_thresholds(positives: list[float], negatives: list[float]) -> float:
    """Compare both shares at or below every score."""
    return max(
        abs(
            sum(score <= threshold for score in positives) / len(positives)
            - sum(score <= threshold for score in negatives) / len(negatives)
        )
        for threshold in {*positives, *negatives}
    )


@settings(deadline=None, max_examples=40)
@given(rows)
def test_ranking_is_what_counting_gives(drawn: Rows) -> None:
    """The area, the average precision and the distance equal those of rows repeated by their weights."""
    positives, negatives = repeated(drawn)
    arguments = columns(drawn)
    assert metrics.area_under_roc(**arguments) == pytest.approx(area_by_pairs(positives, negatives))
    assert metrics.average_precision(**arguments) == pytest.approx(precision_by_steps(positives, negatives))
    assert metrics.kolmogorov_smirnov(**arguments) == pytest.approx(
        distance_by_thresholds(positives, negatives)
    )


@settings(deadline=None, max_examples=40)
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_is_nothing(drawn: Rows, chance: object) -> None:
    """Rows in any order give the same bits, where weights are whole numbers."""
    repeated(drawn)
    shuffled = list(drawn)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    for metric in (metrics.area_under_roc, metrics.average_precision, metrics.kolmogorov_smirnov):
        assert metric(**columns(drawn)) == metric(**columns(shuffled))


def test_a_perfect_and_a_blind_ranking() -> None:
    """All above is 1, all level is a half, all below is 0."""
    labels = [0, 0, 1, 1]
    assert metrics.area_under_roc(scores=[1, 2, 3, 4], labels=labels) == 1.0
    assert metrics.area_under_roc(scores=[1, 1, 1, 1], labels=labels) == 0.5
    assert metrics.area_under_roc(scores=[4, 3, 2, 1], labels=labels) == 0.0
    assert metrics.average_precision(scores=[1, 1, 1, 1], labels=labels) == 0.5


def test_probabilities_are_judged_by_hand() -> None:
    """Brier score and log loss of two rows, the second thrice."""
    arguments: dict[str, list[float]] = {"probabilities": [0.25, 0.5], "labels": [0, 1], "weights": [1, 3]}
    assert metrics.brier_score(**arguments) == pytest.approx((0.0625 + 3 * 0.25) / 4)
    expected = -(math.log(0.75) + 3 * math.log(0.5)) / 4
    assert metrics.log_loss(**arguments) == pytest.approx(expected)


def test_certainty_is_free_when_right_and_ruinous_when_wrong() -> None:
    """A probability of 1 costs nothing if it happened and everything if not."""
    assert metrics.log_loss(probabilities=[1.0, 0.0], labels=[1, 0]) == 0.0
    assert metrics.log_loss(probabilities=[1.0], labels=[0]) == math.inf
    assert metrics.log_loss(probabilities=[1.0, 0.5], labels=[0, 1], weights=[0, 1]) == math.log(2)


def test_calibration_error_by_hand() -> None:
    """Two bins of two rows: the first says 0.15 and sees 0, the second says 0.7 and sees 0.5."""
    found = metrics.calibration_error(probabilities=[0.1, 0.2, 0.6, 0.8], labels=[0, 0, 0, 1], bins=2)
    assert found == pytest.approx((0.15 + 0.2) / 2)


def test_equal_probabilities_share_a_bin() -> None:
    """One probability that is right on the whole has no error, in whatever order its rows come."""
    assert metrics.calibration_error(probabilities=[0.5] * 6, labels=[0, 0, 0, 1, 1, 1], bins=3) == 0.0


def test_card_precision_by_hand() -> None:
    """Two cards a day; the card found on the first day leaves the second, a missed one does not."""
    table = [
        # day, card, score, label
        (1, 10, 0.9, 0),
        (1, 10, 0.1, 1),  # compromised by its other payment
        (1, 11, 0.8, 0),
        (1, 12, 0.7, 1),  # missed: third
        (2, 10, 1.0, 1),  # known, so not looked at
        (2, 12, 0.2, 1),
        (2, 11, 0.6, 0),
        (2, 13, 0.1, 1),  # third
        (4, 13, 0.3, 1),  # alone, and a second place stays empty
    ]
    days, cards, scores, labels = zip(*table, strict=True)
    found = metrics.card_precision(scores=scores, labels=labels, cards=cards, days=days, cards_per_day=2)
    assert found == pytest.approx((1 / 2 + 1 / 2 + 1 / 2) / 3)


def card_precision_by_days(table: list[tuple[int, int, int, int]], cards_per_day: int) -> float:
    """Go through the days with dictionaries."""
    blocked: set[int] = set()
    shares = []
    for day in sorted({row[0] for row in table}):
        highest: dict[int, int] = {}
        compromised = set()
        for when, card, score, label in table:
            if when == day and card not in blocked:
                highest[card] = max(score, highest.get(card, score))
                if label:
                    compromised.add(card)
        seen = sorted(highest, key=lambda card: (-highest[card], card))[:cards_per_day]
        hits = {card for card in seen if card in compromised}
        shares.append(len(hits) / cards_per_day)
        blocked |= hits
    return sum(shares) / len(shares)


payments = st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(-3, 3), st.integers(0, 1))


@settings(deadline=None, max_examples=40)
@given(st.lists(payments, min_size=1, max_size=60), st.integers(1, 4))
def test_card_precision_is_that_of_a_walk(table: list[tuple[int, int, int, int]], cards_per_day: int) -> None:
    """It equals a walk through the days, ties and blocked cards included."""
    days, cards, scores, labels = zip(*table, strict=True)
    found = metrics.card_precision(
        scores=scores, labels=labels, cards=cards, days=days, cards_per_day=cards_per_day
    )
    assert found == pytest.approx(card_precision_by_days(table, cards_per_day))


def test_one_class_ranks_nothing() -> None:
    """Labels of one class, of one class with weight, or none at all are too few."""
    with pytest.raises(LabelsTooFew, match="label 0"):
        metrics.area_under_roc(scores=[1.0, 2.0], labels=[1, 1])
    with pytest.raises(LabelsTooFew, match="label 1"):
        metrics.average_precision(scores=[1.0, 2.0], labels=[0, 1], weights=[1, 0])
    with pytest.raises(LabelsTooFew, match="weight"):
        metrics.brier_score(probabilities=[], labels=[])
    with pytest.raises(LabelsTooFew, match="payment"):
        metrics.card_precision(scores=[], labels=[], cards=[], days=[], cards_per_day=1)


@pytest.mark.parametrize(
    ("scores", "labels", "weights", "match"),
    [
        ([1.0], [0, 1], None, "do not match"),
        ([[1.0, 2.0]], [[0, 1]], None, "do not match"),
        ([1.0, math.nan], [0, 1], None, "not a number"),
        ([1.0, 2.0], [0, 2], None, "neither"),
        ([1.0, 2.0], [0, 1], [1.0, -1.0], "negative"),
        ([1.0, 2.0], [0, 1], [1.0, math.inf], "infinite"),
    ],
)
def test_arrays_that_make_no_sense_are_errors(
    scores: list[float], labels: list[int], weights: list[float] | None, match: str
) -> None:
    """A caller's mistake is named instead of averaged."""
    with pytest.raises(ProgrammingError, match=match):
        metrics.area_under_roc(scores=scores, labels=labels, weights=weights)


def test_arguments_that_make_no_sense_are_errors() -> None:
    """Probabilities over 1, no bins, no cards, and cards of other rows are mistakes too."""
    with pytest.raises(ProgrammingError, match="above 1"):
        metrics.log_loss(probabilities=[1.5], labels=[1])
    with pytest.raises(ProgrammingError, match="one bin"):
        metrics.calibration_error(probabilities=[0.5], labels=[1], bins=0)
    with pytest.raises(ProgrammingError, match="one card"):
        metrics.card_precision(scores=[1], labels=[1], cards=[1], days=[1], cards_per_day=0)
    with pytest.raises(ProgrammingError, match="cards"):
        metrics.card_precision(scores=[1], labels=[1], cards=[1, 2], days=[1], cards_per_day=1)


@given(
    st.lists(
        st.tuples(st.integers(-50, 50), st.integers(-50, 50), st.integers(0, 3)), min_size=1, max_size=20
    )
)
def test_errors_of_amounts_are_those_by_hand(rows: list[tuple[int, int, int]]) -> None:
    """Row by row, a weight counting a row as often; nothing explains amounts that do not differ."""
    predictions, amounts, weights = (list(column) for column in zip(*rows, strict=True))
    repeated = [(found, actual) for found, actual, times in rows for _ in range(times)]
    known = {"predictions": predictions, "amounts": amounts, "weights": weights}
    if not repeated:
        with pytest.raises(LabelsTooFew):
            metrics.mean_absolute_error(**known)
        return
    squares = [(found - actual) ** 2 for found, actual in repeated]
    absolute = sum(abs(found - actual) for found, actual in repeated) / len(repeated)
    assert metrics.mean_absolute_error(**known) == pytest.approx(absolute)
    assert metrics.root_mean_squared_error(**known) == pytest.approx(math.sqrt(sum(squares) / len(squares)))
    actual = [one for _, one in repeated]
    if len(set(actual)) == 1:
        with pytest.raises(LabelsTooFew, match="differ"):
            metrics.r_squared(**known)
    else:
        spread = statistics.pvariance(actual) * len(actual)
        assert metrics.r_squared(**known) == pytest.approx(1 - sum(squares) / spread)


@pytest.mark.parametrize(("predictions", "amounts"), [([1.0], [1.0, 2.0]), ([math.nan], [1.0])])
def test_what_is_no_amount_is_a_mistake(predictions: list[float], amounts: list[float]) -> None:
    """Shapes that differ, and what is no number."""
    with pytest.raises(ProgrammingError):
        metrics.mean_absolute_error(predictions=predictions, amounts=amounts)
