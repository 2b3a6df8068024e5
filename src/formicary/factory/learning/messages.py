"""What is said of a model that learns by itself: the commands, the events, the aggregate, and the refusals.

The events say what ``standing`` says, with the time of the day that they belong to and bounds on every field:
the journal keeps them for good. Figures and sentences are about models, never about a party.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, TypeAlias

import msgspec
import numpy as np

from formicary.base.limits import (
    LEARNING_DAY_EVENTS_MAX,
    LEARNING_GATES_MAX,
    LEARNING_SAID_CHARACTERS_MAX,
    LEARNING_SHOWN_MAX,
)
from formicary.base.lots import LOTS
from formicary.factory.engine.house_documents import HOUSE_DOCUMENT
from formicary.factory.engine.products import AGGREGATE_HEADER, Command, DomainEvent
from formicary.factory.learning import standing
from formicary.factory.learning.errors import LearningRefused
from formicary.factory.registry.messages import Hash, HashOrNothing, Name

__all__ = [
    "LEARNING",
    "LEARNING_FIRST_BYTES",
    "AlarmRaised",
    "AlarmTold",
    "CandidateDropped",
    "ChallengerJudged",
    "DayEnded",
    "DayKnown",
    "DayTooLarge",
    "GateTold",
    "LearningUnexpected",
    "RecordDay",
    "RecordLook",
    "RecordRollback",
    "RolledBack",
    "Seen",
    "ShownTold",
    "StageEntered",
    "Told",
    "said",
    "told",
    "untold",
]

_FIGURE_MAX: Final = 1e15
_SENTENCES: Final = frozenset({"name", "said", "reason"})
# What is cut off ends with it.
_CUT: Final = "…"

Time = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Day = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
"""Counted from 1970-01-01."""
Share = Annotated[int, msgspec.Meta(ge=0, le=LOTS)]
"""Of parties, in millionths."""
Figure = Annotated[float, msgspec.Meta(ge=-_FIGURE_MAX, le=_FIGURE_MAX), HOUSE_DOCUMENT]
"""What was measured; what is no number, or too large for the journal, as the nearest that it keeps."""
Said = Annotated[
    str,
    msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]+\Z", max_length=LEARNING_SAID_CHARACTERS_MAX),
    HOUSE_DOCUMENT,
]

_AT_FIRST: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        # The latest day that was told, how many challengers were judged, how many rollbacks there were.
        ("day", "<u4"),
        ("judged", "<u4"),
        ("rollbacks", "<u4"),
        # The challenger on its way, and for which share of parties it decides; zero for none.
        ("share", "<u4"),
        ("candidate_high", "<u8"),
        ("candidate_low", "<u8"),
        # What came out as the champion last.
        ("champion_high", "<u8"),
        ("champion_low", "<u8"),
    ]
)
LEARNING_FIRST_BYTES: Final = _AT_FIRST.itemsize
LEARNING: Final = np.dtype(
    [
        *_AT_FIRST.descr,
        # The latest time at which something was told: what was thought before it does not know of it.
        ("told_at", "<u8"),
    ]
)
"""What is known of a model's learning. Its id is that of the model's name."""


class DayKnown(LearningRefused):
    """The learner had this day, or a later one: a day is lived once."""

    code = "learning_day_known"


class DayTooLarge(LearningRefused):
    """More happened on a day than the journal takes as one; a plan with fewer challengers says less."""

    code = "learning_day_too_large"


class LearningUnexpected(LearningRefused):
    """What is told does not follow from where the model stands: somebody else was faster."""

    code = "learning_unexpected"


class GateTold(msgspec.Struct, frozen=True, kw_only=True):
    """One gate: what was measured, where the bound is, and what that means in words."""

    name: Said
    is_passed: bool
    figure: Figure
    bound: Figure
    said: Said


class ShownTold(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was shown beside the gates: it informs, and stands against nothing."""

    name: Said
    figure: Figure
    said: Said


class AlarmTold(msgspec.Struct, frozen=True, kw_only=True):
    """What a guard saw."""

    name: Said
    figure: Figure
    bound: Figure
    said: Said


class ChallengerJudged(DomainEvent, frozen=True, kw_only=True):
    """A challenger was trained and judged; its gates are the evidence, whether it was let in or not.

    What it showed beside them is told since the second version of these events.
    """

    model: Name
    at: Time
    hash: Hash
    window_days: Count
    learnt: Count
    positives: Count
    until: Time
    gates: Annotated[list[GateTold], msgspec.Meta(max_length=LEARNING_GATES_MAX)]
    is_passed: bool
    shown: Annotated[list[ShownTold], msgspec.Meta(max_length=LEARNING_SHOWN_MAX)] = msgspec.field(
        default_factory=list
    )


class StageEntered(DomainEvent, frozen=True, kw_only=True):
    """A challenger was let in further."""

    model: Name
    at: Time
    hash: Hash
    stage: standing.Stage
    share: Share
    reason: Said


class CandidateDropped(DomainEvent, frozen=True, kw_only=True):
    """A challenger that had been let in decides nothing any more."""

    model: Name
    at: Time
    hash: Hash
    reason: Said


class AlarmRaised(DomainEvent, frozen=True, kw_only=True):
    """A guard saw what must not be."""

    model: Name
    at: Time
    hash: Hash
    alarm: AlarmTold


class RolledBack(DomainEvent, frozen=True, kw_only=True):
    """The champion before decides again; ``hash`` decided until now."""

    model: Name
    at: Time
    hash: Hash
    to: HashOrNothing
    reason: Said


class DayEnded(DomainEvent, frozen=True, kw_only=True):
    """The learner has looked at a day: so many rows with a label, positives among them, decisions since."""

    model: Name
    at: Time
    day: Day
    rows: Count
    positives: Count
    decisions: Count


Told: TypeAlias = ChallengerJudged | StageEntered | CandidateDropped | AlarmRaised | RolledBack
"""What ``standing.Happened`` is in the journal."""


class RecordDay(Command, frozen=True):
    """Record all that happened to a model on a day, in its order; ``subject`` is the id of its name."""

    model: Name
    at: Time
    day: Day
    rows: Count
    positives: Count
    decisions: Count
    happened: Annotated[list[Told], msgspec.Meta(max_length=LEARNING_DAY_EVENTS_MAX)]


Seen: TypeAlias = AlarmRaised | CandidateDropped | RolledBack
"""What a look may come to: it takes back and lets nothing in."""


class RecordLook(Command, frozen=True):
    """Record what was seen of a model within a day, in its order; ``subject`` is the id of its name."""

    model: Name
    at: Time
    happened: Annotated[list[Seen], msgspec.Meta(min_length=1, max_length=LEARNING_DAY_EVENTS_MAX)]


class RecordRollback(Command, frozen=True):
    """Record that somebody has the champion before decide again; ``subject`` is the id of its name."""

    model: Name
    at: Time
    hash: Hash
    to: HashOrNothing
    reason: Said


_TOLD: Final[dict[str, type[Told]]] = {
    kind.__name__: kind
    for kind in (ChallengerJudged, StageEntered, CandidateDropped, AlarmRaised, RolledBack)
}


def told(happened: standing.Happened, at: int) -> Told:
    """Return what happened at a time, in nanoseconds, as the journal keeps it: bounded, numbers only."""
    plain = _bounded(msgspec.to_builtins(happened))
    return msgspec.convert(plain | {"at": at}, _TOLD[type(happened).__name__])


def untold(event: Told) -> standing.Happened:
    """Return what an event of the journal says, as the learner says it."""
    plain = msgspec.to_builtins(event)
    del plain["at"]
    kind: type[standing.Happened] = getattr(standing, type(event).__name__)
    return msgspec.convert(plain, kind)


def said(text: str) -> str:
    """Return a sentence as the journal takes it: one line, and cut off where it is too long."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split()) or _CUT
    kept = LEARNING_SAID_CHARACTERS_MAX
    return line if len(line) <= kept else line[: kept - 1] + _CUT


def _bounded(value: Any) -> Any:
    match value:
        case dict():
            return {name: said(one) if name in _SENTENCES else _bounded(one) for name, one in value.items()}
        case list():
            return [_bounded(one) for one in value]
        case float():
            # A negative zero is none in the database.
            return 0.0 if math.isnan(value) else max(-_FIGURE_MAX, min(_FIGURE_MAX, value)) + 0.0
    return value
