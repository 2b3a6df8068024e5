"""Turning raw scores into probabilities that mean what they say.

A raw score is a log odds in natural logarithms, as trees and scorecards give it. A calibration maps it to a
probability, never downwards: the order of cases stays, though isotonic calibration may level some.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit

from formicary.base.errors import ProgrammingError
from formicary.factory.models._calibration_kernels import ISOTONIC, NEAREST, calibrate
from formicary.factory.models._checks import Reals, both_classes, labelled, sums
from formicary.factory.models._folds import stratified_folds
from formicary.factory.models.errors import ModelCorrupt
from formicary.factory.models.metrics import log_loss

__all__ = ["Calibration", "choose_calibration", "identity", "isotonic", "platt"]

# Scores are pooled to groups of equal mass before they are regressed on: as many steps as anyone can read.
_GROUPS_MAX: Final = 64
_STEPS_MAX: Final = 100
_HALVINGS_MAX: Final = 40
_TOLERANCE: Final = 1e-10
_FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class Calibration:
    """A map of raw scores to probabilities that never decreases.

    Attributes
    ----------
    kind
        ``"none"``, ``"platt"`` or ``"isotonic"``.
    slope, intercept
        Of the log odds over raw scores; 1 and 0 where there is no calibration, unused by an isotonic one.
    scores, probabilities
        The knots (k,) of an isotonic calibration: linear between them, level outside; empty otherwise.
    """

    kind: Literal["none", "platt", "isotonic"]
    slope: float = 1.0
    intercept: float = 0.0
    scores: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse as ``ModelCorrupt`` what is no map that never decreases."""
        if self.kind not in {"none", "platt", "isotonic"}:
            message = f"{self.kind!r} is no kind of calibration"
            raise ModelCorrupt(message)
        if self.kind == "none" and (self.slope, self.intercept) != (1.0, 0.0):
            message = "no calibration has a slope of 1 and an intercept of 0"
            raise ModelCorrupt(message)
        if not (np.isfinite([self.slope, self.intercept]).all() and self.slope >= 0):
            message = f"a slope of {self.slope} and an intercept of {self.intercept} calibrate nothing"
            raise ModelCorrupt(message)
        knots, chances = np.array(self.scores, np.float64), np.array(self.probabilities, np.float64)
        is_isotonic = self.kind == "isotonic"
        if len(knots) != len(chances) or bool(len(knots)) != is_isotonic or not np.isfinite(knots).all():
            message = f"{len(knots)} scores and {len(chances)} probabilities are no knots of kind {self.kind}"
            raise ModelCorrupt(message)
        if (np.diff(knots) <= 0).any() or (np.diff(chances) < 0).any():
            message = "knots of a calibration decrease"
            raise ModelCorrupt(message)
        if not ((chances > 0) & (chances < 1)).all():
            message = "a knot's probability is not strictly between 0 and 1"
            raise ModelCorrupt(message)

    def apply(self, raw: npt.ArrayLike) -> Reals:
        """Return the probabilities of raw scores, of any shape, strictly within (0, 1).

        A score has the same bits alone and among others; NaN stays NaN.
        """
        numbers = np.array(raw, np.float64)
        knots, chances = np.array(self.scores, np.float64), np.array(self.probabilities, np.float64)
        is_isotonic = ISOTONIC if self.kind == "isotonic" else 0
        calibrate(is_isotonic, self.slope, self.intercept, knots, chances, numbers.reshape(-1))
        return numbers

    def to_dict(self) -> dict[str, Any]:
        """Return the calibration as plain values, for JSON."""
        return {
            "kind": self.kind,
            "slope": self.slope,
            "intercept": self.intercept,
            "scores": list(self.scores),
            "probabilities": list(self.probabilities),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Return the calibration that ``to_dict`` gave; anything else is ``ModelCorrupt``."""
        try:
            return cls(
                kind=plain["kind"],
                slope=float(plain["slope"]),
                intercept=float(plain["intercept"]),
                scores=tuple(map(float, plain["scores"])),
                probabilities=tuple(map(float, plain["probabilities"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            message = f"a stored calibration is unreadable: {error!r}"
            raise ModelCorrupt(message) from error


def identity() -> Calibration:
    """Return the calibration that takes a raw score for the log odds it is."""
    return Calibration("none")


def platt(
    *, scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> Calibration:
    """Fit the log odds as a line over raw scores (n,), to labels (n,), by Newton's method.

    A line that would fall is level instead: a calibration does not turn a model around.

    Raises
    ------
    LabelsTooFew
        A class has no row of positive weight.

    Notes
    -----
    Platt, *Probabilistic outputs for support vector machines*, 1999, with his targets (N1 + 1) / (N1 + 2) and
    1 / (N0 + 2) in place of 1 and 0; the guards of Lin, Lin and Weng, *A note on Platt's probabilistic
    outputs*, Machine Learning 68, 2007.
    """
    numbers, classes, masses = _finite(scores, labels, weights)
    both_classes(classes, masses)
    targets = _targets(classes, masses)
    total = masses.sum()
    center = float((masses * numbers).sum() / total)
    spread = float(np.sqrt((masses * (numbers - center) ** 2).sum() / total))
    level = float(logit((masses * targets).sum() / total))
    if not spread > 0:
        return Calibration("platt", slope=0.0, intercept=level)
    slope, intercept = _newton((numbers - center) / spread, targets, masses, level=level)
    if slope <= 0:
        return Calibration("platt", slope=0.0, intercept=level)
    return Calibration("platt", slope=slope / spread, intercept=intercept - slope / spread * center)


def isotonic(
    *, scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> Calibration:
    """Fit the best probabilities over raw scores (n,), to labels (n,), among all that never decrease.

    Scores are first pooled to at most 64 groups of equal mass, and labels are smoothed as in ``platt``, so
    that no probability is 0 or 1. Every level stretch becomes one knot, at the mean of its scores.

    Raises
    ------
    LabelsTooFew
        A class has no row of positive weight.

    Notes
    -----
    Zadrozny and Elkan, *Transforming classifier scores into accurate multiclass probability estimates*, KDD
    2002, by pooling adjacent violators.
    """
    numbers, classes, masses = _finite(scores, labels, weights)
    both_classes(classes, masses)
    kept = masses > 0
    numbers, masses, targets = numbers[kept], masses[kept], _targets(classes, masses)[kept]
    _, places = np.unique(numbers, return_inverse=True)
    mass = sums(places, masses)
    middles = np.cumsum(mass) - mass * 0.5
    group_of = (middles * _GROUPS_MAX / mass.sum()).astype(np.int64)[places]
    _, groups = np.unique(group_of, return_inverse=True)
    mass = sums(groups, masses)
    shares = sums(groups, masses * targets) / mass
    fitted = isotonic_regression(shares, weights=mass)
    blocks = np.repeat(np.arange(len(fitted.blocks) - 1), np.diff(fitted.blocks))
    knots = sums(blocks, mass * (sums(groups, masses * numbers) / mass))
    knots /= sums(blocks, mass)
    # Means of neighbours may be one number where scores are near each other: they become one knot.
    knots = np.maximum.accumulate(knots)
    places_kept = np.concatenate(([True], np.diff(knots) > 0))
    chances = np.maximum.accumulate(np.clip(fitted.x[fitted.blocks[:-1]], NEAREST, 1 - NEAREST))
    return Calibration(
        "isotonic",
        scores=tuple(knots[places_kept].tolist()),
        probabilities=tuple(chances[places_kept].tolist()),
    )


def choose_calibration(
    *,
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    folds: int = _FOLDS,
    seed: int = 0,
) -> Calibration:
    """Fit the calibration whose log loss is least where it did not see the labels, none among them.

    The rows, which the model itself must not have seen either, are cut into stratified folds by the seed;
    each kind is fitted without a fold and judged on it. Of kinds as good as each other the simplest is taken.

    Raises
    ------
    LabelsTooFew
        A class has fewer rows of positive weight than there are folds.
    """
    numbers, classes, masses = _finite(scores, labels, weights)
    both_classes(classes, masses, least=folds)
    # Rows without weight are in no fold, or a fold might have nothing of a class.
    kept = masses > 0
    numbers, classes, masses = numbers[kept], classes[kept], masses[kept]
    fold_of = stratified_folds(classes, folds=folds, seed=seed)
    best, least = identity(), _loss(identity(), numbers, classes, masses)
    fits: tuple[Callable[..., Calibration], ...] = (platt, isotonic)
    for fit in fits:
        loss = 0.0
        for fold in range(folds):
            rest, judged = fold_of != fold, fold_of == fold
            fitted = fit(scores=numbers[rest], labels=classes[rest], weights=masses[rest])
            part = float(masses[judged].sum() / masses.sum())
            loss += part * _loss(fitted, numbers[judged], classes[judged], masses[judged])
        if loss < least:
            best, least = fit(scores=numbers, labels=classes, weights=masses), loss
    return best


def _loss(calibration: Calibration, scores: Reals, labels: Reals, weights: Reals) -> float:
    return log_loss(probabilities=calibration.apply(scores), labels=labels, weights=weights)


def _finite(
    scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Reals, Reals, Reals]:
    numbers, classes, masses = labelled(scores, labels, weights)
    if not np.isfinite(numbers).all():
        message = "a raw score is infinite"
        raise ProgrammingError(message)
    return numbers, classes, masses


def _targets(labels: Reals, weights: Reals) -> Reals:
    """Return what stands for labels (n,): estimates after that many of each, under a flat prior."""
    positives, negatives = float((weights * labels).sum()), float((weights * (1 - labels)).sum())
    return np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))


def _newton(scores: Reals, targets: Reals, weights: Reals, *, level: float) -> tuple[float, float]:
    """Return slope and intercept of least cross-entropy to targets (n,), from a level line on."""

    def loss(line: Reals) -> float:
        odds = scores * line[0] + line[1]
        return float((weights * (np.logaddexp(0.0, odds) - targets * odds)).sum())

    design = np.column_stack((scores, np.ones(len(scores))))
    line = np.array([0.0, level])
    now = loss(line)
    for _ in range(_STEPS_MAX):
        chances = expit(design @ line)
        gradient = design.T @ (weights * (chances - targets))
        curvature = (design.T * (weights * chances * (1 - chances))) @ design
        step = np.linalg.solve(curvature + np.eye(2) * NEAREST, gradient)
        share = 1.0
        for _ in range(_HALVINGS_MAX):
            after = loss(line - share * step)
            if after <= now:
                break
            share *= 0.5
        else:
            break
        line, gain, now = line - share * step, now - after, after
        if gain <= _TOLERANCE * max(now, NEAREST):
            break
    return float(line[0]), float(line[1])
