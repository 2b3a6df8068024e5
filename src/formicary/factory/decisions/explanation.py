"""What is told of one decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from formicary.factory.decisions import _judge_layout as layout

__all__ = [
    "Changed",
    "Contribution",
    "Explanation",
    "FeatureTold",
    "RuleTold",
    "ScoreTold",
    "path_words",
]

_PATH: Final = {
    layout.TRUSTED: "trusted",
    layout.NOT_TOLD: "not_told",
    layout.NO_SCORE: "no_score",
    layout.CAPPED: "capped",
    layout.EXPLORED: "explored",
}


@dataclass(frozen=True, kw_only=True)
class RuleTold:
    """What a rule said; ``read`` has 1 or 0 for a truth and None for what was missing."""

    rule: str
    verdict: str
    enabled: bool
    outcome: str
    reason: str
    read: Mapping[str, float | None]
    recorded: str
    """The verdict that was recorded."""


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What a feature did to a raw score: along the ways that it went, and as an exact Shapley value.

    A forest of ways that ask too many features has no Shapley values, None.
    """

    feature: str
    value: float | None
    on_the_way: float
    shapley: float | None


@dataclass(frozen=True, kw_only=True)
class ScoreTold:
    """A score; ``raw``, ``chance`` and contributions are None or empty where no model was asked.

    ``alias`` is that by which the model gave it: the challenger's where it was tried out on the party.
    ``decides`` tells whether it does more than look on, ``model_hash`` is what was recorded of it, ``agrees``
    tells whether the model gives the recorded bits again.
    """

    score: str
    decides: bool
    model: str
    alias: str
    version: int
    model_hash: str
    raw: float | None
    chance: float | None
    agrees: bool
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, kw_only=True)
class FeatureTold:
    """A feature as it was read; ``withheld_for`` names the parties whose missing consent withheld it."""

    feature: str
    value: float | None
    unit: str
    meaning: str
    withheld_for: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What would have had to be otherwise, together; the ``distance`` is that of ``smallest_changes``."""

    changes: Mapping[str, tuple[float, float]]
    distance: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """All of one decision.

    Attributes
    ----------
    position, at
        Where it stands, and when it was taken, in nanoseconds since 1970.
    transfer
        What it was about.
    point, policy, policy_name, policy_since
        Where it was taken and by what, and the position at which that was armed.
    path
        What was special: ``trusted``, ``not_told``, ``no_score``, ``capped``, ``explored``.
    outcome, ruled, effect
        What came out, what the rules alone say, and what came of it.
    cap
        The cap that changed the outcome, empty for none.
    propensity, drawn
        How probable the outcome was, and what was drawn by lot in words, empty where nothing was.
    reasons
        In words.
    turned_by
        The nearest changes that would have let it happen.
    turned_by_is_all
        Whether no nearer one was left out.
    disagreements
        Where what is recorded is not what comes out of it.
    """

    position: int
    at: int
    transfer: Mapping[str, Any]
    point: str
    policy: int
    policy_name: str
    policy_since: int
    path: tuple[str, ...]
    outcome: str
    ruled: str
    effect: str
    cap: str
    propensity: float
    drawn: str
    reasons: tuple[str, ...]
    rules: tuple[RuleTold, ...]
    scores: tuple[ScoreTold, ...]
    features: tuple[FeatureTold, ...]
    turned_by: tuple[Changed, ...]
    turned_by_is_all: bool
    disagreements: tuple[str, ...]


def path_words(path: int) -> tuple[str, ...]:
    """Return what was special about how an outcome came about."""
    return tuple(word for bit, word in _PATH.items() if path & bit)
