"""The follower as standby: its folded state becomes the engine's, and only the tail is left to fold."""

from __future__ import annotations

from formicary.base.clock import Clock
from formicary.factory.engine.engine import Engine, EngineJournal
from formicary.factory.engine.state import FactoryState
from formicary.factory.follower.follower import Follower

__all__ = ["promote"]


def promote(follower: Follower, journal: EngineJournal, clock: Clock) -> Engine:
    """Return a recovered engine that goes on from a follower's state; an engine that still lives is deposed.

    The follower gives its state away. When the engine has to recover again later it begins at the
    latest snapshot, in the folder that was the follower's.

    Raises
    ------
    JournalUnavailable, JournalCorrupted, JournalTooNew, JournalNotDurable
        See ``Engine.recover``.
    """

    def new_state() -> FactoryState:
        return follower.release() if follower.follows else follower.restore().state

    engine = Engine(journal, new_state, clock)
    engine.recover()
    return engine
