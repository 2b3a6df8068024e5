"""Models that can score at a decision point, and which of them is asked at this moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from formicary.base.lots import salt_of
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import ArmedPolicy, Score
from formicary.factory.models.calibration import Calibration
from formicary.factory.models.model import Model

__all__ = ["Challenger", "Champion", "Trial", "Usable", "trial_salt", "usable_at"]


@dataclass(frozen=True, kw_only=True)
class Usable:
    """A model that can score at a decision point: which feature each column of its forest is, by place."""

    model: Model
    calibration: Calibration
    columns: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A model that scores in the champion's place for a share of parties.

    Attributes
    ----------
    usable
        The challenger.
    share
        Of parties, in millionths.
    salt
        Of their lots: the same for as long as this model is tried out, whatever its share.
    """

    usable: Usable
    share: int
    salt: int


Champion = Callable[[ArmedPolicy, Score], Usable | None]
"""Returns the model that gives a score at this moment, None where there is none that can."""

Challenger = Callable[[ArmedPolicy, Score], Trial | None]
"""Returns what is tried out in its place, None for nothing."""


def trial_salt(model: str, digest: str) -> int:
    """Return the salt of the lots of parties in the trial of a model's version, by the version's hash."""
    return salt_of(f"trial of {model} {digest}")


def usable_at(model: Model, point: DecisionPoint) -> Usable | str:
    """Return a model as it scores at a decision point, or why it cannot."""
    names, calibration = model.forest.feature_names, model.calibration
    missing = [name for name in names if name not in point.features]
    if calibration is None:
        why = "tells amounts, not chances"
    elif model.categories:
        why = "reads names, where there are numbers"
    elif missing:
        why = f"reads {', '.join(missing)}"
    else:
        columns = tuple(point.features.index(name) for name in names)
        return Usable(model=model, calibration=calibration, columns=columns)
    return f"{model.name} {why}: it cannot score at {point.name}"
