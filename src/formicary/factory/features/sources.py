"""Where rows come from for whoever folds them behind the engine: from the journal, or from an archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from formicary.base.errors import Refusal
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.events import Event

__all__ = ["PositionsNotThere", "Progress", "RowSource"]

Progress = Callable[[int, int], None]
"""Is told the position that was reached, and the last one."""


class PositionsNotThere(Refusal):
    """The journal, or its archive, does not hold the positions that were asked for."""

    code = "positions_not_there"


class RowSource(Protocol):
    """All rows up to a position. ``JournalReader`` is one, ``Archive`` another."""

    def head(self) -> int:
        """Return the last position there is; 0 for none."""
        ...

    def read(self, *, after: int, until: int) -> Iterator[Block]:
        """Yield the rows after ``after`` up to ``until`` in blocks, without a gap."""
        ...

    def events_of(self, kinds: Sequence[str], *, after: int, until: int) -> Iterator[Event]:
        """Yield the events of some kinds after ``after`` up to ``until``, in order."""
        ...
