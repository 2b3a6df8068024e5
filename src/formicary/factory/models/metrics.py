"""How good scores are: whether they rank, whether they mean what they say, and what an analyst gets.

Scores of one value are one group: no figure depends on the order of rows. Weights count a row as many
times, which is exact where they are whole numbers. All figures are shares without a unit except ``log_loss``,
which is in natural units of information a row, and errors of amounts, which are in the unit of the amounts.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import xlog1py, xlogy

from formicary.base.errors import ProgrammingError
from formicary.factory.models._checks import Integers, Reals, both_classes, labelled, sums
from formicary.factory.models.errors import LabelsTooFew

__all__ = [
    "area_under_roc",
    "average_precision",
    "brier_score",
    "calibration_error",
    "card_precision",
    "kolmogorov_smirnov",
    "log_loss",
    "mean_absolute_error",
    "money_found",
    "r_squared",
    "root_mean_squared_error",
]

_BINS: Final = 10
_LOOKED_AT: Final = 0.01


def area_under_roc(
    *, scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Return how often a row labelled 1 scores above one labelled 0, a tie being half.

    Parameters
    ----------
    scores
        Numbers (n,), higher where the label 1 is likelier.
    labels
        0 or 1, (n,).
    weights
        How many times a row counts, (n,); once each by default.

    Raises
    ------
    LabelsTooFew
        A class has no row of positive weight.

    Notes
    -----
    The statistic of Mann and Whitney (1947) over the product of the masses of both classes.
    """
    negatives, positives = _groups(scores, labels, weights)
    below = np.cumsum(negatives) - negatives
    pairs = float((positives * (below + negatives * 0.5)).sum())
    return pairs / float(positives.sum() * negatives.sum())


def average_precision(
    *, scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Return the mean of the precision at every score, weighted by the recall gained there.

    Takes what ``area_under_roc`` does. The curve is not interpolated (Davis and Goadrich, *The relationship
    between precision-recall and ROC curves*, ICML 2006, show why).
    """
    negatives, positives = _groups(scores, labels, weights)
    found = np.cumsum(positives[::-1])
    looked_at = found + np.cumsum(negatives[::-1])
    # Groups of weight zero at the top have nothing to be precise about.
    precisions = np.divide(found, looked_at, out=np.zeros_like(found), where=looked_at > 0)
    return float((positives[::-1] * precisions).sum() / positives.sum())


def kolmogorov_smirnov(
    *, scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Return the largest distance of the distributions of scores of both classes, from 0 to 1.

    Takes what ``area_under_roc`` does.
    """
    negatives, positives = _groups(scores, labels, weights)
    distances = np.cumsum(positives) / positives.sum() - np.cumsum(negatives) / negatives.sum()
    return float(np.abs(distances).max())


def brier_score(
    *, probabilities: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Return the mean squared difference of probabilities (n,) and labels (n,) (Brier, 1950)."""
    chances, classes, masses = _probable(probabilities, labels, weights)
    return float((masses * (chances - classes) ** 2).sum() / masses.sum())


def log_loss(
    *, probabilities: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Return the mean of minus the logarithm of the probability given to what happened.

    It is infinite where something happened that had probability 0.
    """
    chances, classes, masses = _probable(probabilities, labels, weights)
    gains = xlogy(classes, chances) + xlog1py(1 - classes, -chances)
    kept = masses > 0
    return -float((masses[kept] * gains[kept]).sum() / masses.sum())


def calibration_error(
    *,
    probabilities: npt.ArrayLike,
    labels: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    bins: int = _BINS,
) -> float:
    """Return the expected calibration error: how far probabilities are from shares of label 1, by bins.

    Bins have equal mass, as far as rows of one probability, which stay together, allow: a group goes where
    the middle of its mass is. The error of a bin is the distance of its mean probability and its share of
    label 1, and bins count by their mass (Nixon et al., *Measuring calibration in deep learning*, 2019).
    """
    if bins < 1:
        message = f"there is at least one bin, not {bins}"
        raise ProgrammingError(message)
    chances, classes, masses = _probable(probabilities, labels, weights)
    _, places = np.unique(chances, return_inverse=True)
    mass = sums(places, masses)
    excess = sums(places, masses * (chances - classes))
    middles = np.cumsum(mass) - mass * 0.5
    where = np.minimum((middles * bins / masses.sum()).astype(np.int64), bins - 1)
    return float(np.abs(sums(where, excess)).sum() / masses.sum())


def r_squared(
    *, predictions: npt.ArrayLike, amounts: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Return what share of the variance of amounts (n,) predictions (n,) explain, below 0 if they add to it.

    Raises
    ------
    LabelsTooFew
        No two amounts of positive weight differ.
    """
    predicted, actual, masses = _amounts(predictions, amounts, weights)
    mean = (masses * actual).sum() / masses.sum()
    variance = float((masses * (actual - mean) ** 2).sum())
    if not variance > 0:
        message = "no two amounts differ"
        raise LabelsTooFew(message)
    return 1 - float((masses * (actual - predicted) ** 2).sum()) / variance


def mean_absolute_error(
    *, predictions: npt.ArrayLike, amounts: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Return how far predictions (n,) are from amounts (n,) on average, in their unit."""
    predicted, actual, masses = _amounts(predictions, amounts, weights)
    return float((masses * np.abs(actual - predicted)).sum() / masses.sum())


def root_mean_squared_error(
    *, predictions: npt.ArrayLike, amounts: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Return the root of the mean squared distance of predictions (n,) and amounts (n,), in their unit."""
    predicted, actual, masses = _amounts(predictions, amounts, weights)
    return float(np.sqrt((masses * (actual - predicted) ** 2).sum() / masses.sum()))


def card_precision(
    *,
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    cards: npt.ArrayLike,
    days: npt.ArrayLike,
    cards_per_day: int,
) -> float:
    """Return what share of the cards that analysts look at is truly compromised on that day.

    A day's card has the highest of its scores; the ``cards_per_day`` cards of the highest are looked at, of
    equal ones those of the lower number. The precision of a day is the share of ``cards_per_day`` that have a
    payment of label 1 on it, also where there are fewer cards to look at. Those found are blocked, and leave
    the days after. The result is the mean over all days that have a row.

    Parameters
    ----------
    scores
        Of every payment, (n,).
    labels
        1 where the payment is fraudulent, (n,).
    cards, days
        Integers (n,): whose payment, and when.
    cards_per_day
        How many cards are looked at each day.

    Raises
    ------
    LabelsTooFew
        There is no row.

    Notes
    -----
    Le Borgne, Siblini, Lebichot and Bontempi, *Reproducible Machine Learning for Credit Card Fraud
    Detection*, 2022, chapter 4.
    """
    numbers, classes, _ = labelled(scores, labels, None)
    owners, when = np.asarray(cards, np.int64), np.asarray(days, np.int64)
    if not owners.shape == when.shape == numbers.shape:
        message = f"{owners.shape} cards and {when.shape} days do not match {numbers.shape} scores"
        raise ProgrammingError(message)
    if cards_per_day < 1:
        message = f"at least one card is looked at each day, not {cards_per_day}"
        raise ProgrammingError(message)
    if not len(numbers):
        message = "there is no payment"
        raise LabelsTooFew(message)
    _, owners = np.unique(owners, return_inverse=True)
    starts, owners, numbers, compromised = _card_days(numbers, classes, owners, when)
    blocked = np.zeros(owners.max() + 1, np.bool_)
    found = 0
    for first, after in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        present = first + np.flatnonzero(~blocked[owners[first:after]])
        # Stable, and cards are in order.
        seen = present[np.argsort(-numbers[present], kind="stable")[:cards_per_day]]
        hits = owners[seen[compromised[seen]]]
        blocked[hits] = True
        found += len(hits)
    return found / (cards_per_day * (len(starts) - 1))


def money_found(
    *, scores: npt.ArrayLike, labels: npt.ArrayLike, money: npt.ArrayLike, share: float = _LOOKED_AT
) -> float:
    """Return what share of the money of label 1 is in the rows of the highest scores.

    Parameters
    ----------
    scores, labels
        As ``area_under_roc`` takes them, (n,).
    money
        What each row is about, in minor units, not negative, (n,).
    share
        How many of the rows are looked at. Of rows of one score, of which not all are, each counts in part.

    Raises
    ------
    LabelsTooFew
        No row of label 1 is about any money.
    """
    numbers, classes, amounts = labelled(scores, labels, money)
    lost = float((classes * amounts).sum())
    if not lost > 0:
        message = "no row of label 1 is about any money"
        raise LabelsTooFew(message)
    _, places = np.unique(-numbers, return_inverse=True)
    rows, losses = sums(places, np.ones(len(numbers))), sums(places, classes * amounts)
    room = np.clip(len(numbers) * share - (np.cumsum(rows) - rows), 0, rows)
    return float((losses * room / rows).sum()) / lost


def _amounts(
    predictions: npt.ArrayLike, amounts: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Reals, Reals, Reals]:
    predicted, actual = np.asarray(predictions, np.float64), np.asarray(amounts, np.float64)
    masses = np.ones(actual.shape) if weights is None else np.asarray(weights, np.float64)
    if actual.ndim != 1 or not predicted.shape == actual.shape == masses.shape:
        message = f"{predicted.shape} predictions, {actual.shape} amounts and {masses.shape} weights differ"
        raise ProgrammingError(message)
    if not (np.isfinite(predicted) & np.isfinite(actual) & np.isfinite(masses) & (masses >= 0)).all():
        message = "a prediction, an amount or a weight is no finite number, or a weight is negative"
        raise ProgrammingError(message)
    if not masses.sum() > 0:
        message = "no row has a weight"
        raise LabelsTooFew(message)
    return predicted, actual, masses


def _card_days(
    scores: Reals, labels: Reals, cards: Integers, days: Integers
) -> tuple[Integers, Integers, Reals, npt.NDArray[np.bool_]]:
    """Return where each day starts (d + 1,), and card, highest score and state (m,) of its cards."""
    order = np.lexsort((cards, days))
    cards, days = cards[order], days[order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (cards[1:] != cards[:-1]) | (days[1:] != days[:-1])
    firsts = np.flatnonzero(is_first)
    highest = np.maximum.reduceat(scores[order], firsts)
    compromised = np.maximum.reduceat(labels[order], firsts) > 0
    of_day = days[firsts]
    starts = np.flatnonzero(np.concatenate(([True], of_day[1:] != of_day[:-1], [True])))
    return starts, cards[firsts], highest, compromised


def _groups(
    scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Reals, Reals]:
    """Return the mass of label 0 and of label 1 at each score (k,), from the lowest up."""
    numbers, classes, masses = labelled(scores, labels, weights)
    both_classes(classes, masses)
    _, places = np.unique(numbers, return_inverse=True)
    return sums(places, masses * (1 - classes)), sums(places, masses * classes)


def _probable(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Reals, Reals, Reals]:
    chances, classes, masses = labelled(probabilities, labels, weights)
    if not ((chances >= 0) & (chances <= 1)).all():
        message = "a probability is below 0 or above 1"
        raise ProgrammingError(message)
    if not masses.sum() > 0:
        message = "no row has a weight"
        raise LabelsTooFew(message)
    return chances, classes, masses
