"""Events of learning as they were written before, brought to their present form as they are read.

In the first version challengers showed nothing beside their gates; all other events are as they were.
"""

from __future__ import annotations

from formicary.factory.journal.upcasters import Body, Upcasters
from formicary.factory.learning.messages import (
    AlarmRaised,
    CandidateDropped,
    ChallengerJudged,
    DayEnded,
    RolledBack,
    StageEntered,
)

__all__ = ["upcast"]


def upcast(upcasters: Upcasters, *, product: str) -> None:
    """Register the ways up of a product's events."""
    upcasters.upcast(f"{product}.{ChallengerJudged.__name__}", version=1)(_with_shown)
    for kind in (StageEntered, CandidateDropped, AlarmRaised, RolledBack, DayEnded):
        upcasters.upcast(f"{product}.{kind.__name__}", version=1)(_as_it_was)


def _with_shown(body: Body) -> Body:
    return body | {"shown": []}


def _as_it_was(body: Body) -> Body:
    return body
