"""What the registry is told of what happened to a model that learns: the same events, the same commands.

An alias that somebody gave to a version that the learner never let in is left alone, but for the champion's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.learning.messages import CandidateDropped, RolledBack, StageEntered, Told
from formicary.factory.learning.reading import Learnt
from formicary.factory.learning.standing import NONE, Stage, Standing
from formicary.factory.registry import Alias, MoveAlias, SetTrial

__all__ = ["alias_of", "commands_of", "is_followed"]


def alias_of(standing: Standing) -> Alias:
    """Return the alias that a candidate has at its stage."""
    return Alias.SHADOW if standing.stage == Stage.SHADOW else Alias.CHALLENGER


def is_followed(known: Learnt) -> bool:
    """Tell whether the registry is known to say what was told: a trial's share is not looked at."""
    standing = known.standing
    if standing.champion != known.aliases[Alias.CHAMPION] or standing.stage == Stage.CANARY:
        return False
    return standing.candidate in (NONE, known.aliases[alias_of(standing)])


def commands_of(
    told: Sequence[Told], aliases: Mapping[Alias, str], ours: Collection[str]
) -> Iterator[tuple[str, MoveAlias | SetTrial]]:
    """Yield what the registry is to do, each with the key under which it does it once.

    Parameters
    ----------
    told
        What happened, in its order.
    aliases
        The hash that has each alias now, empty for none.
    ours
        The hashes of versions that the learner let in.
    """
    now = dict(aliases)
    for event in told:
        for alias, digest in _moves(event):
            is_theirs = digest == NONE and now[alias] not in ours
            if now[alias] == digest or is_theirs:
                continue
            now[alias] = digest
            command = MoveAlias(
                subject=text_id(event.model),
                model=event.model,
                alias=alias,
                hash=digest,
                reason=_reason_of(event),
            )
            yield f"{event.model} {event.at} {alias} {digest or 'none'}", command
        if isinstance(event, StageEntered) and event.stage == Stage.CANARY:
            trial = SetTrial(
                subject=text_id(event.model), model=event.model, share=event.share, reason=event.reason
            )
            yield f"{event.model} {event.at} trial {event.hash} {event.share}", trial


def _moves(event: Told) -> Iterator[tuple[Alias, str]]:
    """Yield which aliases an event moves, and to what; first what decides."""
    match event:
        case StageEntered(stage=Stage.SHADOW):
            yield Alias.SHADOW, event.hash
        case StageEntered(stage=Stage.CANARY):
            yield Alias.SHADOW, NONE
            yield Alias.CHALLENGER, event.hash
        case StageEntered():
            yield Alias.CHAMPION, event.hash
            yield from _no_candidate()
        case RolledBack():
            yield Alias.CHAMPION, event.to
            yield from _no_candidate()
        case CandidateDropped():
            yield from _no_candidate()


def _no_candidate() -> Iterator[tuple[Alias, str]]:
    # The trial of a challenger ends with it.
    yield Alias.CHALLENGER, NONE
    yield Alias.SHADOW, NONE


def _reason_of(event: Told) -> str:
    assert isinstance(event, StageEntered | CandidateDropped | RolledBack)  # noqa: S101, the others move nothing
    return event.reason
