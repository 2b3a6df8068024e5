"""Snapshots of the whole factory: a file of arrays, and beside it files of rows and of ids that left memory.

::

    <folder>/0000000000004194304.snapshot
    <folder>/files/0000000000004194304/rows-...   the rows in memory: links to files that only grow
    <folder>/files/0000000000004194304/ids-...    links to files that never change

Rows are most of a state and never change, so that each is written once, and a snapshot costs what accounts
and holds cost. Snapshots share these files; where one is damaged the journal gives its rows again.

A snapshot is usable when its files are there, and when the journal has a commit that left the same state
there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.limits import GENERATION_ROWS
from formicary.factory.engine.products import Product
from formicary.factory.engine.state import FactoryState
from formicary.factory.follower.commits import committed_hash
from formicary.factory.follower.row_files import RowFile, described
from formicary.factory.follower.snapshot_files import SealedFile, SnapshotFiles
from formicary.factory.journal.errors import JournalCorrupted, SegmentMissing, SnapshotCorrupted
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.rows import TRANSFER_ROW
from formicary.factory.journal.snapshot_file import Snapshot, SnapshotHeader
from formicary.factory.journal.snapshots import Snapshots
from formicary.factory.ledger import SEMANTICS

__all__ = ["Note", "Restored", "StateSnapshots", "new_state"]

Rows = npt.NDArray[Any]
Report = Callable[[SnapshotCorrupted], None]

_LOG: Final = logging.getLogger(__name__)
_NOTE: Final = "follower"
_ENTRY_COUNTS: Final = "follower.entry_counts"
_ROWS: Final = ("ledger.older", "ledger.recent")


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot says beside the state: where its last commit begins, and its files.

    ``rows`` are the older and the recent generation.
    """

    commit_first: int
    rows: tuple[RowFile, RowFile]
    sealed: tuple[SealedFile, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """A state, and (n,) how many entries each account had since its last point in the entry index."""

    state: FactoryState
    entry_counts: Rows
    commit_first: int


class StateSnapshots:
    """The snapshots of one journal's state.

    Parameters
    ----------
    folder
        Where they are kept; created when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self._snapshots = Snapshots(folder)
        self._files = SnapshotFiles(folder / "files")

    def positions(self) -> tuple[int, ...]:
        """Return the positions of the snapshots that are there, in ascending order."""
        return self._snapshots.positions()

    def write(self, restored: Restored) -> None:
        """Write a snapshot of a state that stands at the end of a commit; durable on return."""
        self.begin(restored)()

    def begin(self, restored: Restored) -> Callable[[], None]:
        """Take what a snapshot needs of a state; return what writes it, for a thread beside whoever goes on.

        It must have returned before the next one is begun.
        """
        state = restored.state
        sections = state.sections()
        (older, recent), sealed = self._files.keep(
            [sections.pop(name) for name in _ROWS], state.machine.sealed.files, position=state.position
        )
        note = Note(commit_first=restored.commit_first, rows=(older, recent), sealed=sealed)
        header = SnapshotHeader(
            semantics=SEMANTICS,
            position=state.position,
            timestamp=state.machine.timestamp,
            state_hash=state.state_hash,
        )
        sections[_NOTE] = np.frombuffer(msgspec.json.encode(note), np.uint8)
        sections[_ENTRY_COUNTS] = restored.entry_counts
        copied = {name: array.copy() for name, array in sections.items()}

        def finish() -> None:
            self._files.sync()
            self._snapshots.write(header, copied)
            self._files.prune(self.positions())

        return finish

    def sound(self, *, until: int, report: Report) -> Iterator[Snapshot]:
        """Yield the sound snapshots at or before ``until``, the newest first; report the damaged ones.

        Their rows are not read yet.

        Raises
        ------
        JournalTooNew
            One is of a newer release.
        """
        while snapshot := self._snapshots.latest(semantics=SEMANTICS, until=until, report=report):
            yield snapshot
            until = snapshot.header.position - 1

    def read(self, position: int) -> Snapshot:
        """Return a snapshot with its rows; ``SnapshotCorrupted`` if it is damaged or not there."""

        def refuse(error: SnapshotCorrupted) -> None:
            raise error

        snapshot = self._snapshots.latest(semantics=SEMANTICS, until=position, report=refuse)
        if snapshot is None or snapshot.header.position != position:
            message = f"there is no snapshot at position {position}"
            raise SnapshotCorrupted(message)
        files = note_of(snapshot).rows
        found = self._files.read_rows(files, position=position, room=0)
        for name, file, rows in zip(_ROWS, files, found, strict=True):
            snapshot.sections[name] = rows[: file.count]
        return snapshot

    def restore(
        self, snapshot: Snapshot, state: FactoryState, folder: Path, *, reader: JournalReader, report: Report
    ) -> Restored:
        """Bring a new state to what a snapshot holds; ``folder`` is the state's own.

        Where a file of rows is damaged that is reported, and the journal is asked for them.

        Raises
        ------
        SnapshotCorrupted
            A file of sealed ids is missing or has another size, or what is in memory does not give the hash.
        """
        note, position = note_of(snapshot), snapshot.header.position
        files = self._files.bring(note.sealed, position=position, folder=folder)
        room = state.machine.generation_rows
        try:
            found = self._files.read_rows(note.rows, position=position, room=room)
            self._files.go_on_from(note.rows, position=position)
        except SnapshotCorrupted as error:
            report(error)
            found = [_journaled(file, reader) for file in note.rows]
        state.restore(snapshot.sections | dict(zip(_ROWS, found, strict=True)), files)
        if state.state_hash != snapshot.header.state_hash or state.position != snapshot.header.position:
            message = f"the snapshot at position {snapshot.header.position} does not hold the state it names"
            raise SnapshotCorrupted(message)
        return Restored(state, snapshot.sections[_ENTRY_COUNTS], note.commit_first)

    def forget_rows(self) -> None:
        """Let the next snapshot write all its rows: its state comes from none of those that are there."""
        self._files.forget_rows()

    def check_sealed(self, snapshot: Snapshot) -> None:
        """Raise ``SnapshotCorrupted`` unless every bit of a snapshot's files of sealed ids is as it was."""
        self._files.check(note_of(snapshot).sealed, position=snapshot.header.position)


def new_state(
    folder: Path,
    snapshots: StateSnapshots,
    products: Iterable[Product],
    reader: JournalReader,
    *,
    until: int | None = None,
    report: Report | None = None,
    generation_rows: int = GENERATION_ROWS,
) -> Restored:
    """Return the state of the latest usable snapshot, or an empty one.

    Parameters
    ----------
    folder
        Where the state keeps files of its own; files that an earlier one left there are removed.
    snapshots, products
        Where the snapshots are, and the products whose events the journal may hold.
    reader
        The journal: a snapshot of which it knows nothing is of another journal, or of one that was set back.
    until
        Use no later snapshot; the journal's head unless given.
    report
        Called with the reason for every snapshot that is skipped; logged as an error unless given.

    Raises
    ------
    JournalTooNew
        The latest snapshot is of a newer release.
    """
    report = report or _log
    snapshots.forget_rows()
    for snapshot in snapshots.sound(until=reader.head() if until is None else until, report=report):
        state = _empty(folder, products, generation_rows)
        try:
            _require_known(snapshot, reader)
            restored = snapshots.restore(snapshot, state, folder, reader=reader, report=report)
        except SnapshotCorrupted as error:
            report(error)
        else:
            _backfill_features(state, reader)
            return restored
    return Restored(_empty(folder, products, generation_rows), np.zeros(0, np.uint8), 0)


def _backfill_features(state: FactoryState, reader: JournalReader) -> None:
    """Bring features that are newer than the snapshot from the first row to the state's position."""
    behind = state.features.position if state.features is not None else state.position
    for block in reader.read(after=behind, until=state.position):
        state.fold_features(block.accounts, block.transfers, block.events, until=block.until)


def note_of(snapshot: Snapshot) -> Note:
    """Return what a snapshot says beside the state."""
    return msgspec.json.decode(snapshot.sections[_NOTE].tobytes(), type=Note)


def _require_known(snapshot: Snapshot, reader: JournalReader) -> None:
    header = snapshot.header
    hash_there = committed_hash(reader, first=note_of(snapshot).commit_first, last=header.position)
    if hash_there != header.state_hash:
        message = f"the snapshot at position {header.position} is not of this journal"
        raise SnapshotCorrupted(message)


def _journaled(file: RowFile, reader: JournalReader) -> Rows:
    """Return the rows that a file should have, from the journal."""
    if not file.count:
        return np.empty(0, TRANSFER_ROW)
    try:
        blocks = reader.read(after=file.first - 1, until=file.last)
        rows = joined([block.transfers for block in blocks], TRANSFER_ROW)
    except (JournalCorrupted, SegmentMissing) as error:
        message = f"the journal cannot give the rows of {file.name}: {error}"
        raise SnapshotCorrupted(message) from error
    if described(rows) != file:
        message = f"the journal's rows are not those that {file.name} had"
        raise SnapshotCorrupted(message)
    return rows


def _empty(folder: Path, products: Iterable[Product], generation_rows: int) -> FactoryState:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("ids-*"):
        # Unlinked, never overwritten: a snapshot may hold a link to the same file.
        path.unlink()
    return FactoryState(folder, products, generation_rows=generation_rows)


def _log(error: SnapshotCorrupted) -> None:
    _LOG.error("%s", error)
