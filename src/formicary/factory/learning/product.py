"""The manifest of learning: what happened to models that learn by themselves, and why.

::

    RecordDay         a business day: challengers with their gates, stages, alarms, rollbacks, all or nothing
    RecordLook        within a day: alarms, a rollback, the end of a candidate, all or nothing
    RecordRollback    somebody has the champion before decide again

Nothing decides by these events: which version of a model decides says the registry. They are the evidence,
and where a learner that is started anew goes on. A day is one command, so that a learner that is killed has
told all of it or nothing; what it says must follow from what was said before, so that of two learners only
one is heard. Whoever began before the latest was told does not know of it, and begins again: a day that was
lived while a look took a model back lets nothing in.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.limits import LEARNING_DAY_BYTES_MAX
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.products import Command, Context, Decision, DomainEvent, Product, TimerFired
from formicary.factory.engine.requests import MalformedCommand, require_well_formed
from formicary.factory.learning.messages import (
    LEARNING,
    LEARNING_FIRST_BYTES,
    AlarmRaised,
    CandidateDropped,
    ChallengerJudged,
    DayEnded,
    DayKnown,
    DayTooLarge,
    LearningUnexpected,
    RecordDay,
    RecordLook,
    RecordRollback,
    RolledBack,
    StageEntered,
    Told,
)
from formicary.factory.learning.older import upcast
from formicary.factory.learning.standing import NONE, Stage

__all__ = ["LEARNING_PRODUCT", "NAME"]

Rows = npt.NDArray[Any]

NAME: Final = "learning"
_WORD: Final = 2**64 - 1


def _decide(command: Command | TimerFired, known: Rows | None, _: Context) -> Decision:
    require_well_formed(command)
    # A copy: what is told of a day is checked one after the other, as if it had happened.
    entry = np.zeros(1, LEARNING) if known is None else known.reshape(1).copy()
    if isinstance(command, RecordDay):
        return _day(command, entry)
    if isinstance(command, RecordLook):
        _require_model(command, command.model)
        _require_known(command, entry)
        return Decision(events=_next(command, entry))
    assert isinstance(command, RecordRollback)  # noqa: S101, as the manifest says
    _require_model(command, command.model)
    event = RolledBack(
        model=command.model, at=command.at, hash=command.hash, to=command.to, reason=command.reason
    )
    _require_next(entry[0], event)
    return Decision(events=[event])


def _day(command: RecordDay, entry: Rows) -> Decision:
    _require_model(command, command.model)
    if command.day <= entry[0]["day"]:
        raise DayKnown
    if len(msgspec.json.encode(command)) > LEARNING_DAY_BYTES_MAX:
        raise DayTooLarge
    _require_known(command, entry)
    happened = _next(command, entry)
    ended = DayEnded(
        model=command.model,
        at=command.at,
        day=command.day,
        rows=command.rows,
        positives=command.positives,
        decisions=command.decisions,
    )
    return Decision(events=[*happened, ended])


def _next(command: RecordDay | RecordLook, entry: Rows) -> list[DomainEvent]:
    """Return what happened, each of which follows from what did before it; the entry is changed with it."""
    for event in command.happened:
        if (event.model, event.at) != (command.model, command.at):
            message = "what happened at a time is of its model and its time"
            raise MalformedCommand(message)
        _require_next(entry[0], event)
        _evolve(type(event).__name__, entry, [event])
    return list(command.happened)


def _require_known(command: RecordDay | RecordLook, entry: Rows) -> None:
    """Refuse what was begun before the latest was told."""
    if command.at < entry[0]["told_at"]:
        message = f"{command.model}: something was told meanwhile"
        raise LearningUnexpected(message)


def _require_model(command: Command, model: str) -> None:
    if command.subject != text_id(model):
        message = f"what is said of {model} has the id of this name as its subject"
        raise MalformedCommand(message)


def _require_next(entry: Any, event: Told) -> None:
    """Refuse what does not follow from what is known of a model."""
    candidate, champion = _hash_of(entry, "candidate"), _hash_of(entry, "champion")
    match event:
        case StageEntered(stage=Stage.SHADOW):
            is_next = candidate == NONE
        case StageEntered(stage=Stage.CANARY):
            is_next = candidate == event.hash and event.share > entry["share"]
        case StageEntered() | CandidateDropped():
            is_next = candidate == event.hash
        case RolledBack():
            is_next = champion == event.hash != event.to
        case _:
            # What was found out is told whatever comes of it.
            is_next = True
    if not is_next:
        message = f"{event.model}: {type(event).__name__} of {event.hash} does not follow"
        raise LearningUnexpected(message)


def _hash_of(entry: Any, name: str) -> str:
    found = int(entry[f"{name}_high"]) << 64 | int(entry[f"{name}_low"])
    return f"{found:032x}" if found else NONE


# -- evolving ------------------------------------------------------------------------------


def _evolve(kind: str, entries: Rows, events: Sequence[DomainEvent]) -> None:
    """Change entries (n,) as events (n,) of one kind say."""
    for place, event in enumerate(events):
        _change(kind, entries[place], event)


def _change(kind: str, entry: Any, event: Any) -> None:
    entry["told_at"] = max(int(entry["told_at"]), event.at)
    match kind:
        case "DayEnded":
            entry["day"] = event.day
        case "ChallengerJudged":
            entry["judged"] += 1
        case "StageEntered" if event.stage == Stage.CHAMPION:
            _put(entry, "champion", event.hash)
            _forget_candidate(entry)
        case "StageEntered":
            _put(entry, "candidate", event.hash)
            entry["share"] = event.share
        case "CandidateDropped":
            _forget_candidate(entry)
        case "RolledBack":
            entry["rollbacks"] += 1
            _put(entry, "champion", event.to)
            _forget_candidate(entry)


def _forget_candidate(entry: Any) -> None:
    _put(entry, "candidate", NONE)
    entry["share"] = 0


def _put(entry: Any, name: str, digest: str) -> None:
    number = int(digest or "0", 16)
    entry[f"{name}_high"], entry[f"{name}_low"] = number >> 64, number & _WORD


LEARNING_PRODUCT: Final = Product(
    name=NAME,
    aggregate=LEARNING,
    aggregate_first_bytes=LEARNING_FIRST_BYTES,
    commands=(RecordDay, RecordLook, RecordRollback),
    events=(ChallengerJudged, StageEntered, CandidateDropped, AlarmRaised, RolledBack, DayEnded),
    decide=_decide,
    evolve=_evolve,
    event_version=2,
    upcast=partial(upcast, product=NAME),
)
"""Listed by a deployment; there is nothing to choose."""
