"""The follower: folds the journal behind the engine, and keeps what is built from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from formicary.base.errors import ProgrammingError
from formicary.base.limits import (
    FOLLOWER_POSITIONS_MAX,
    GENERATION_ROWS,
    SNAPSHOT_RECORDS_PER_ROW_MAX,
    SNAPSHOT_ROWS,
    SNAPSHOT_SECONDS,
)
from formicary.factory.engine.products import Product
from formicary.factory.engine.state import FactoryState
from formicary.factory.follower.checked_fold import CheckedFold
from formicary.factory.follower.commits import Rows, ended_in, read_commits
from formicary.factory.follower.entry_points import EntryPoints
from formicary.factory.follower.state_snapshots import Restored, StateSnapshots, new_state
from formicary.factory.history.entry_index import EntryIndex
from formicary.factory.journal.columns import COMMIT_ROW
from formicary.factory.journal.errors import JournalCorrupted
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.semantics import SEMANTICS_ACTIVATED, require_known
from formicary.factory.ledger import ACCOUNT, SEMANTICS
from formicary.factory.ledger.views import trial_balance

__all__ = ["Follower", "Pace"]

_INDEX_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much the follower does at a time, and how often.

    Attributes
    ----------
    positions_max
        Positions read before the next look at the head.
    snapshot_rows, snapshot_seconds
        A snapshot is due after so many rows, or so long after the last one if there were any; after more rows
        where there are more accounts, holds and aggregates than ``SNAPSHOT_RECORDS_PER_ROW_MAX`` for each of
        them.
    index_seconds
        How long points wait for the entry index: recent entries are read from memory anyway, and each write
        is a commit that competes with the engine's.
    """

    positions_max: int = FOLLOWER_POSITIONS_MAX
    snapshot_rows: int = SNAPSHOT_ROWS
    snapshot_seconds: float = SNAPSHOT_SECONDS
    index_seconds: float = _INDEX_SECONDS


@dataclass(slots=True)
class _Fold:
    """One life of the fold."""

    checked: CheckedFold
    points: EntryPoints
    commit_first: int
    ahead: Rows
    """Commits that were read; the last ones may not be folded yet."""
    snapshot_position: int
    snapshot_time: float
    index_position: int
    index_time: float
    writing: Future[None] | None = None
    """The snapshot that is being written beside the fold."""

    @property
    def state(self) -> FactoryState:
        return self.checked.state


class Follower:
    """Folds the journal and checks it: every row, every commit's hash, the trial balance.

    Parameters
    ----------
    reader
        The journal, with the event kinds that this release knows.
    index
        The entry index to write.
    snapshots
        Where snapshots are written, and where the fold begins.
    folder
        Where the state keeps files of its own; nothing else may use it.
    products
        The products whose events the journal may hold.
    pace
        How much at a time, and how often.
    monotonic
        Tells seconds for ``pace``; nothing that is kept depends on it.
    """

    def __init__(
        self,
        *,
        reader: JournalReader,
        index: EntryIndex,
        snapshots: StateSnapshots,
        folder: Path,
        products: Sequence[Product] = (),
        pace: Pace | None = None,
        generation_rows: int = GENERATION_ROWS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._index = index
        self._snapshots = snapshots
        self._folder = folder
        self._products = products
        self._pace = pace or Pace()
        self._generation_rows = generation_rows
        self._monotonic = monotonic
        self._fold: _Fold | None = None
        # Most of a snapshot's time is the disk's.
        self._writer = ThreadPoolExecutor(1, "snapshot")

    @property
    def state(self) -> FactoryState:
        """The folded state; it stands at the end of a commit between two calls of ``catch_up``."""
        return self._running().state

    @property
    def follows(self) -> bool:
        """Whether there is a state: it was opened, did not find damage, and was not released."""
        return self._fold is not None

    def open(self) -> int:
        """Begin at the latest usable snapshot, or at 0; return the position.

        Raises
        ------
        JournalTooNew
            The journal or its latest snapshot is of a newer release.
        JournalUnavailable
            The database failed.
        """
        require_known(self._reader.eras(), semantics=SEMANTICS)
        # Not after the index: entries that only a snapshot has seen would be missing there.
        restored = self.restore(until=min(self._index.position(), self._reader.head()))
        now = self._monotonic()
        self._fold = _Fold(
            checked=CheckedFold(restored.state),
            points=EntryPoints(restored.entry_counts),
            commit_first=restored.commit_first,
            ahead=np.empty(0, COMMIT_ROW),
            snapshot_position=restored.state.position,
            snapshot_time=now,
            index_position=restored.state.position,
            index_time=now,
        )
        return restored.state.position

    def restore(self, *, until: int | None = None) -> Restored:
        """Return the state of the latest usable snapshot at or before ``until``; see ``new_state``."""
        return new_state(
            self._folder,
            self._snapshots,
            self._products,
            self._reader,
            until=until,
            generation_rows=self._generation_rows,
        )

    def catch_up(self) -> int:
        """Fold up to the journal's head as it was at the call; write what is due; return how many rows.

        Raises
        ------
        JournalCorrupted
            The journal is not what it must be. The state is dropped.
        JournalUnavailable
            The database failed; the next call goes on where this one stopped.
        """
        fold = self._running()
        before = fold.state.position
        try:
            self._pass_commits(fold)
            for commits in read_commits(
                self._reader, after=fold.state.position, positions_max=self._pace.positions_max
            ):
                fold.ahead = commits
                self._pass_commits(fold)
                self._write_what_is_due(fold)
            self._write_what_is_due(fold)
        except JournalCorrupted:
            self._fold = None
            raise
        finally:
            _finish_snapshot(fold)
        return fold.state.position - before

    def write_index(self) -> None:
        """Bring the entry index up to the state."""
        fold = self._running()
        self._index.add(fold.points.points(), position=fold.state.position)
        fold.points.forget()
        fold.index_position, fold.index_time = fold.state.position, self._monotonic()

    def write_snapshot(self) -> None:
        """Check the trial balance and write a snapshot of the state, after the entry index.

        Raises
        ------
        JournalCorrupted
            Debits and credits of a ledger differ.
        """
        fold = self._running()
        self._begin_snapshot(fold)
        _finish_snapshot(fold)

    def _begin_snapshot(self, fold: _Fold) -> None:
        """Take what a snapshot needs, and let it be written beside the fold."""
        _finish_snapshot(fold)
        require_balanced(fold.state)
        self.write_index()
        counts = fold.points.counts(len(fold.state.machine.accounts))
        finish = self._snapshots.begin(Restored(fold.state, counts, fold.commit_first))
        fold.writing = self._writer.submit(finish)
        fold.snapshot_position, fold.snapshot_time = fold.state.position, self._monotonic()

    def release(self) -> FactoryState:
        """Give the state away, to an engine; only ``open`` makes another."""
        fold, self._fold = self._running(), None
        return fold.state

    def close(self) -> None:
        """Close the connections; the state stays."""
        self._reader.close()
        self._index.close()

    def _running(self) -> _Fold:
        if self._fold is None:
            message = "the follower has no state: it was not opened, found damage, or was released"
            raise ProgrammingError(message)
        return self._fold

    def _pass_commits(self, fold: _Fold) -> None:
        """Fold the commits ahead; where the database fails among them, the next call folds the rest."""
        until = int(fold.ahead["last"][-1]) if len(fold.ahead) else fold.state.position
        for block in self._reader.read(after=fold.state.position, until=until):
            ended = ended_in(fold.ahead, block)
            fold.checked.fold(block, ended)
            fold.points.note(fold.state.machine, block.transfers)
            if len(ended):
                fold.commit_first = int(ended["first"][-1])
            if any(event.kind == SEMANTICS_ACTIVATED for event in block.events):
                require_known(self._reader.eras(), semantics=SEMANTICS)

    def _write_what_is_due(self, fold: _Fold) -> None:
        now, pace = self._monotonic(), self._pace
        rows = fold.state.position - fold.snapshot_position
        records = _records_of(fold.state)
        rows_wanted = max(pace.snapshot_rows, records // SNAPSHOT_RECORDS_PER_ROW_MAX)
        if rows >= rows_wanted or (rows and now - fold.snapshot_time >= pace.snapshot_seconds):
            self._begin_snapshot(fold)
        elif fold.state.position > fold.index_position and now - fold.index_time >= pace.index_seconds:
            self.write_index()


def _finish_snapshot(fold: _Fold) -> None:
    """Wait for the snapshot that is being written, and raise what went wrong with it."""
    writing, fold.writing = fold.writing, None
    if writing is not None:
        writing.result()


def _records_of(state: FactoryState) -> int:
    """Return how much a snapshot writes whole, in records the size of an account."""
    known = state.features.bytes_used if state.features is not None else 0
    known += sum(kept.records.nbytes for kept in state.aggregates.values())
    return len(state.machine.accounts) + state.machine.open_holds + known // ACCOUNT.itemsize


def require_balanced(state: FactoryState) -> None:
    """Raise ``JournalCorrupted`` unless in every ledger debits equal credits, pending and posted apart."""
    for ledger, totals in trial_balance(state.machine.accounts).items():
        debits_pending, debits_posted, credits_pending, credits_posted = totals
        if (debits_pending, debits_posted) != (credits_pending, credits_posted):
            message = f"ledger {ledger} does not balance at position {state.position}: {totals}"
            raise JournalCorrupted(message)
