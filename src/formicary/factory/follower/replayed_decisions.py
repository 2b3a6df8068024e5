"""Decisions of a journal taken again, beside whoever writes it."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from formicary.base.errors import ProgrammingError
from formicary.base.limits import BLOCK_ROWS
from formicary.factory.decisions.replay import DecisionReplay, Difference
from formicary.factory.engine.products import Product
from formicary.factory.engine.state import FactoryState
from formicary.factory.features.sources import PositionsNotThere
from formicary.factory.follower.state_snapshots import StateSnapshots, new_state
from formicary.factory.journal.blocks import Block, part_of
from formicary.factory.journal.reader import JournalReader

__all__ = ["ReplayedDecisions", "recut", "replay_decisions"]

Progress = Callable[[int, int], None]

_CUT_ROWS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedDecisions:
    """What came of taking decisions again.

    Attributes
    ----------
    first, last
        The positions whose decisions were taken again.
    after
        Where folding began: at the first row, or at a snapshot.
    decisions
        How many were compared.
    untold
        How many cannot be, as the journal does not tell what a balancing transfer would have moved.
    different
        How many rows are not what comes out; ``differences`` are those of the first of them.
    seconds
        How long it took, with folding and reading.
    """

    first: int
    last: int
    after: int
    decisions: int
    untold: int
    different: int
    differences: tuple[Difference, ...]
    seconds: float

    @property
    def identical(self) -> bool:
        """Whether every word is what comes out."""
        return not self.different

    @property
    def decisions_per_second(self) -> float:
        """Decisions compared a second."""
        return self.decisions / max(self.seconds, 1e-9)


def replay_decisions(
    reader: JournalReader,
    products: Sequence[Product],
    *,
    snapshots: StateSnapshots | None = None,
    first: int = 1,
    last: int | None = None,
    cuts: int | None = None,
    progress: Progress = lambda _position, _last: None,
) -> ReplayedDecisions:
    """Take the decisions of a journal again and compare every word of them.

    Parameters
    ----------
    reader
        The journal, with the event kinds that this release knows.
    products
        The products whose decision points and features there are.
    snapshots
        Where folding may begin, if ``first`` is not 1; without them it begins at the first row.
    first, last
        Positions, inclusive; the journal's end without ``last``. A decision is about the row after it.
    cuts
        A seed: rows come in blocks of lengths that follow from it, which must change nothing.
    progress
        Called now and then with the position reached and the last one.

    Raises
    ------
    PositionsNotThere
        The journal does not hold the positions.
    JournalCorrupted, SegmentMissing, JournalUnavailable
        The journal cannot be read.
    """
    began = time.monotonic()
    head = reader.head()
    last = head if last is None else last
    if not 1 <= first <= last <= head:
        message = f"there are no positions {first} to {last}: the last one is {head}"
        raise PositionsNotThere(message)
    with tempfile.TemporaryDirectory(prefix="formicary-replay-") as folder:
        replay, after = _begun(reader, products, snapshots, Path(folder), first)
        for block in recut(reader.read(after=after, until=last), cuts):
            replay.fold(block)
            progress(block.until, last)
        replay.finish(goes_on=last < head)
    return ReplayedDecisions(
        first=first,
        last=last,
        after=after,
        decisions=replay.decisions,
        untold=replay.untold,
        different=replay.different,
        differences=tuple(replay.differences),
        seconds=time.monotonic() - began,
    )


def _begun(
    reader: JournalReader,
    products: Sequence[Product],
    snapshots: StateSnapshots | None,
    folder: Path,
    first: int,
) -> tuple[DecisionReplay, int]:
    """Return what takes decisions again, and the position up to which it knows all rows."""
    if snapshots is None or first == 1:
        state = FactoryState(folder, products)
    else:
        state = new_state(folder, snapshots, products, reader, until=first - 1).state
    if state.features is None:
        message = "without a set of features there is no decision point"
        raise ProgrammingError(message)
    return DecisionReplay(state.features, state.decisions, first=first), state.position


def recut(blocks: Iterable[Block], seed: int | None) -> Iterator[Block]:
    """Yield blocks cut into pieces whose lengths follow from a seed; as they are without one."""
    pieces = 0
    for block in blocks:
        after = block.after
        while after < block.until:
            length = BLOCK_ROWS
            if seed is not None:
                digest = hashlib.blake2b(f"{seed} {pieces}".encode(), digest_size=8).digest()
                # Short ones are as likely as long ones: most chains have a few rows.
                length = 1 + int.from_bytes(digest) % (_CUT_ROWS_MAX >> 2 * (4 - pieces % 5))
            pieces += 1
            until = min(block.until, after + length)
            yield part_of(block, after=after, until=until)
            after = until
