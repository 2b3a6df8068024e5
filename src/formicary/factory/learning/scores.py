"""What decided at a point, as the journal's decisions tell it: which of them asked a model, and its chances.

A decision that asked no score, as of what is trusted, or at which no policy asks this model, is not among
them. Chances are by the calibration of the version that gave the score, as the record names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import point_id, read_policy
from formicary.factory.models.model import Model
from formicary.factory.registry.reading import PolicyChange

__all__ = ["ByWord", "Scored", "chances_of", "scored_decisions"]

Records: TypeAlias = npt.NDArray[Any]
Reals: TypeAlias = npt.NDArray[np.float64]
Words: TypeAlias = npt.NDArray[np.int64]
ByWord: TypeAlias = Callable[[int], Model | None]
"""Returns a version by the first word of its hash; None where there is none that tells chances."""

_NOBODY: Final = 0
"""In place of a model's word, where none gave a score."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """Decisions that asked a model.

    Attributes
    ----------
    decisions
        (n,) ``DECISION_ROW``.
    models
        The first word of the hash of the version that gave the score, (n,).
    chances
        (n,) what it said, NaN where there was no score.
    """

    decisions: Records
    models: npt.NDArray[np.uint64]
    chances: Reals


def scored_decisions(
    found: Records, point: DecisionPoint, policies: Sequence[PolicyChange], *, model: str, models: ByWord
) -> Scored:
    """Return those of decisions (m,) that asked a model, in their order.

    ``policies`` are all that were armed at the point, ``model`` is the model's name.
    """
    places = dict(_places(policies, point, model))
    found = found[(found["point"] == point_id(point.name)) & (found["path"] & layout.TRUSTED == 0)]
    column = np.array([places.get(int(version), -1) for version in found["policy"]], np.int64)
    found, column = found[column >= 0], column[column >= 0]
    words, raw = np.zeros(len(found), np.uint64), np.full(len(found), np.nan)
    for place in np.unique(column).tolist():
        here = column == place
        words[here], raw[here] = found[f"model_{place}"][here], found[f"score_{place}"][here]
    return Scored(decisions=found, models=words, chances=_chances(words, raw, models))


def chances_of(model: Model, raw: Reals) -> Reals:
    """Return the chances that a model says by raw scores (n,), NaN where one is no number."""
    if model.calibration is None:
        return np.full(len(raw), np.nan)
    return np.where(np.isfinite(raw), model.calibration.apply(raw), np.nan)


def _places(policies: Sequence[PolicyChange], point: DecisionPoint, model: str) -> Iterator[tuple[int, int]]:
    """Yield the versions of policies with the place of the score by which the model decides there."""
    for change in policies:
        if change.version:
            asked = read_policy(change.policy).scores
            for place, name in enumerate(point.scores):
                if name in asked and asked[name].model == model and not asked[name].only_looks:
                    yield change.version, place


def _chances(words: npt.NDArray[np.uint64], raw: Reals, models: ByWord) -> Reals:
    """Return the chances that models say by scores (n,)."""
    chances = np.full(len(words), np.nan)
    for word in np.unique(words).tolist():
        model = None if word == _NOBODY else models(word)
        if model is not None:
            gave = words == word
            chances[gave] = chances_of(model, raw[gave])
    return chances
