"""Where models stand in their learning, and all that happened to them, out of a journal's events.

The registry says which version decides. Whoever moves the champion by hand is obeyed: from then on the
learner takes that one for the champion, forgets which one was before it, and never takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from formicary.factory.features.sources import RowSource
from formicary.factory.journal.events import Event
from formicary.factory.learning.messages import (
    AlarmRaised,
    CandidateDropped,
    ChallengerJudged,
    DayEnded,
    RolledBack,
    StageEntered,
    Told,
    untold,
)
from formicary.factory.learning.product import NAME
from formicary.factory.learning.standing import NONE, Standing, evolve
from formicary.factory.registry import NAME as REGISTRY
from formicary.factory.registry import Alias, AliasMoved
from formicary.factory.registry.messages import TRIAL_ALIASES, TrialSet

__all__ = ["Anything", "Learnt", "ToldAt", "learning_events", "learnt"]

Anything: TypeAlias = Told | DayEnded

_KINDS: Final[dict[str, type[Anything]]] = {
    f"{NAME}.{kind.__name__}": kind
    for kind in (ChallengerJudged, StageEntered, CandidateDropped, AlarmRaised, RolledBack, DayEnded)
}
_MOVED: Final = f"{REGISTRY}.AliasMoved"
_TRIAL: Final = f"{REGISTRY}.TrialSet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldAt:
    """An event of learning, and where it stands in the journal."""

    position: int
    event: Anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What is known of a model's learning.

    Attributes
    ----------
    standing
        Where it stands.
    aliases
        The hash that has each alias, empty for none.
    moved
        The position since which nobody else decides: of the latest move of an alias, or share of a trial, by
        which another version decides about somebody.
    history
        All that was told, the oldest first, days included.
    """

    standing: Standing
    aliases: dict[Alias, str]
    moved: int
    history: tuple[ToldAt, ...]

    @property
    def day(self) -> DayEnded | None:
        """The latest day that the learner looked at, None before the first."""
        days = [one.event for one in self.history if isinstance(one.event, DayEnded)]
        return days[-1] if days else None

    @property
    def latest(self) -> list[Told]:
        """What was told last, of one time: what a learner that was killed may have left half done."""
        stages = [one.event for one in self.history if not isinstance(one.event, DayEnded)]
        return [one for one in stages if one.at == stages[-1].at]


def learning_events(source: RowSource) -> list[Event]:
    """Return the events of learning, and those of the registry by which another version decides."""
    return list(source.events_of([*_KINDS, _MOVED, _TRIAL], after=0, until=source.head()))


def learnt(events: Iterable[Event], model: str) -> Learnt:
    """Return what events, in their order, say of a model's learning."""
    standing, history = Standing(), list[ToldAt]()
    aliases, settled = dict.fromkeys(Alias, NONE), 0
    for event in events:
        if event.kind == _TRIAL:
            if msgspec.json.decode(event.body, type=TrialSet).model == model:
                settled = event.position
            continue
        if event.kind == _MOVED:
            moved = msgspec.json.decode(event.body, type=AliasMoved)
            if moved.model == model:
                aliases[moved.alias] = moved.hash
                settled = event.position if moved.alias in TRIAL_ALIASES else settled
                standing = _moved(standing, moved, event.timestamp)
            continue
        told = msgspec.json.decode(event.body, type=_KINDS[event.kind])
        if told.model == model:
            history.append(ToldAt(position=event.position, event=told))
            if not isinstance(told, DayEnded):
                standing = evolve(standing, untold(told), told.at)
    return Learnt(standing=standing, aliases=aliases, moved=settled, history=tuple(history))


def _moved(standing: Standing, moved: AliasMoved, at: int) -> Standing:
    """Return where a model stands after an alias was moved: by the learner as it had told, or by somebody."""
    if moved.alias != Alias.CHAMPION or moved.hash == standing.champion:
        return standing
    return msgspec.structs.replace(
        standing, champion=moved.hash, champion_since=at, previous=NONE, by_hand=moved.hash
    )
