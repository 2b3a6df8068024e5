"""Features of all of history, one row for each time they would have been asked: what models learn from.

::

    <folder>/part-0000000000000000001-0000000000000262144.parquet   ...
    <folder>/manifest.json
    <folder>/unfinished/   while it is being written: how far it is, and the state there

A row tells what was known just before its event, by the same kernels that answer while the engine runs. As
many rows come out as events asked; what is not known, as of who comes for the first time, is null.

Where a purpose rests on consent, what is told of a party is null in every row unless the party had agreed
when the event asked and still agrees at the end of the set: who takes consent back is gone from the next set,
with all of its history.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from formicary.base.limits import TRAINING_PART_POSITIONS, TRAINING_PART_ROWS
from formicary.base.purposes import NEEDS_CONSENT, Purpose, purpose_named
from formicary.factory.features.checked_files import write_checked
from formicary.factory.features.compiler import Compiled
from formicary.factory.features.journal_fold import (
    CONSENT_EVENTS,
    Replayed,
    fold_rows,
    positions_of_kind,
    replay_rows,
)
from formicary.factory.features.parquet_files import parquet_of
from formicary.factory.features.sources import PositionsNotThere, Progress, RowSource
from formicary.factory.features.store import FeatureStore
from formicary.factory.features.training_manifest import (
    TrainingManifest,
    TrainingPart,
    TrainingRequest,
    TrainingRowsLost,
    TrainingSetDiffers,
    read_json,
    request_of,
    sound_parts,
    write_json,
)
from formicary.factory.features.training_rows import require_columns, training_table, withhold
from formicary.factory.journal.blocks import Block, part_of, spans
from formicary.factory.journal.errors import SnapshotCorrupted
from formicary.factory.journal.rows import ACCOUNT_ROW, TRANSFER_ROW
from formicary.factory.journal.snapshot_file import SnapshotHeader
from formicary.factory.journal.snapshots import Snapshots

__all__ = ["write_training_set"]

_LOG: Final = logging.getLogger(__name__)
_MANIFEST: Final = "manifest.json"
_UNFINISHED: Final = "unfinished"
_PROGRESS: Final = "progress.json"
# The form of what is kept of the state; the plan that gives its words a meaning has its own hash in it.
_SEMANTICS: Final = 1
_DIGITS: Final = 19
# A small state is kept after every part; a large one not before so many bytes of it come on a position.
_STATE_BYTES_MIN: Final = 16 << 20
_STATE_BYTES_PER_POSITION_MAX: Final = 1_024


class _Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an unfinished set is: its parts, and the position up to which they reach."""

    request: TrainingRequest
    position: int
    parts: tuple[TrainingPart, ...]


def write_training_set(
    source: RowSource,
    compiled: Compiled,
    view: str,
    purpose: Purpose,
    folder: Path,
    *,
    first: int = 1,
    last: int | None = None,
    progress: Progress = lambda _done, _total: None,
    part_positions: int = TRAINING_PART_POSITIONS,
    part_rows: int = TRAINING_PART_ROWS,
) -> TrainingManifest:
    """Write the rows of all asking events of a view at positions ``first`` to ``last``.

    Where the folder holds the same set unfinished, it is gone on with, and comes out as if it had never been
    interrupted; where it is finished, nothing is done.

    Parameters
    ----------
    source
        The journal, or an archive of it.
    compiled
        The sets of features as the engine compiles them: all of its products' together.
    view, purpose
        One of the sets, and what its values are for.
    folder
        Created if it is not there.
    first, last
        Without ``last`` it is that of an earlier run with this folder, else the end of the source.
    progress
        Called after each part.

    Raises
    ------
    PurposeNotDeclared
        A feature of the view may not be read for this purpose.
    DuplicateFeature
        A feature is called like one of the other columns.
    TrainingSetDiffers
        The folder holds another set.
    PositionsNotThere
        The source does not hold the positions.
    ArchiveCorrupted, JournalUnavailable, SegmentMissing
        The source failed.
    """
    compiled.views[view].consent_bit(purpose)
    require_columns(compiled.views[view])
    begun = _request_in(folder)
    if last is None:
        last = source.head() if begun is None else begun.last
    request = request_of(
        compiled, view, purpose, first=first, last=last, part_positions=part_positions, part_rows=part_rows
    )
    if begun not in (None, request):
        message = f"{folder} holds another training set than the one asked for: use another folder"
        raise TrainingSetDiffers(message)
    finished = read_json(folder, _MANIFEST, TrainingManifest)
    if finished is not None and sound_parts(folder, finished.parts) == finished.parts:
        return finished
    if not 1 <= first <= last <= source.head():
        message = f"there are no positions {first} to {last}: the last one is {source.head()}"
        raise PositionsNotThere(message)
    return _Run(source, compiled, request, folder).run(progress)


def _request_in(folder: Path) -> TrainingRequest | None:
    finished = read_json(folder, _MANIFEST, TrainingManifest)
    if finished is not None:
        return finished.request
    unfinished = read_json(folder / _UNFINISHED, _PROGRESS, _Progress)
    return None if unfinished is None else unfinished.request


class _Run:
    """One training set under way."""

    def __init__(self, source: RowSource, compiled: Compiled, request: TrainingRequest, folder: Path) -> None:
        self._source = source
        self._view = compiled.views[request.set]
        self._purpose = purpose_named(request.purpose)
        self._request = request
        self._folder = folder
        self._snapshots = Snapshots(folder / _UNFINISHED, kept=2)
        self._store = FeatureStore(compiled)
        self._parts: list[TrainingPart] = []
        self._kept_at = 0

    def run(self, progress: Progress) -> TrainingManifest:
        """Go on from wherever an earlier run came to."""
        self._resume()
        self._keep()
        agreeing = self._consents_at_the_end()
        last = self._request.last
        for rows, after, until in self._replayed():
            if until >= self._request.first:
                for one in rows:
                    withhold(self._view, one, agreeing, self._purpose)
                self._write(rows, after, until)
            self._keep()
            progress(until, last)
        manifest = TrainingManifest(
            request=self._request,
            rows=sum(part.rows for part in self._parts),
            parts=tuple(self._parts),
            state_hash=f"{self._store.state_hash:016x}",
        )
        write_json(self._folder, _MANIFEST, manifest)
        shutil.rmtree(self._folder / _UNFINISHED)
        return manifest

    def _replayed(self) -> Iterator[tuple[list[Replayed], int, int]]:
        """Yield the rows of each part, and the positions after which it begins and at which it ends.

        Where a part ends follows from the journal alone, not from how it comes in blocks.
        """
        for after, end in spans(
            after=self._store.position,
            until=self._request.last,
            segment_positions=self._request.part_positions,
            positions_max=self._request.part_positions,
        ):
            part: list[Replayed] = []
            begin, rows = after, 0
            for block in self._source.read(after=after, until=end):
                for piece, is_full in self._cut(block, rows):
                    part.append(self._replay(piece))
                    rows += len(part[-1].positions)
                    if is_full or piece.until == end:
                        yield part, begin, piece.until
                        part, begin, rows = [], piece.until, 0

    def _cut(self, block: Block, rows: int) -> Iterator[tuple[Block, bool]]:
        """Yield a block in pieces, and with each whether a part of ``rows`` so far is full after it."""
        asked = self._asked(block)
        after = block.after
        while after < block.until:
            room = self._request.part_rows - rows
            is_full = len(asked) >= room
            until = int(asked[room - 1]) if is_full else block.until
            yield part_of(block, after=after, until=until), is_full
            asked = asked[asked > until]
            after, rows = until, 0

    def _replay(self, piece: Block) -> Replayed:
        replayed = replay_rows(
            self._store,
            self._request.set,
            purpose=self._purpose,
            accounts=piece.accounts,
            transfers=piece.transfers,
            events=piece.events,
            first=self._request.first,
            until=piece.until,
        )
        if not np.array_equal(replayed.positions, self._asked(piece)):
            message = (
                f"after position {piece.after} up to {piece.until} other events asked than the journal has"
            )
            raise TrainingRowsLost(message)
        return replayed

    def _asked(self, block: Block) -> Any:
        positions = positions_of_kind(self._view.set.on, transfers=block.transfers, events=block.events)
        return positions[positions >= self._request.first]

    def _consents_at_the_end(self) -> FeatureStore:
        """Return a state that knows who agrees to what at the last position, and nothing else."""
        agreeing = FeatureStore(self._store.compiled)
        if self._purpose in NEEDS_CONSENT:
            last = self._request.last
            events = list(self._source.events_of(CONSENT_EVENTS, after=0, until=last))
            nothing = {"accounts": np.zeros(0, ACCOUNT_ROW), "transfers": np.zeros(0, TRANSFER_ROW)}
            fold_rows(agreeing, **nothing, events=events, until=last)
        return agreeing

    def _write(self, rows: list[Replayed], after: int, until: int) -> None:
        table = training_table(self._view, rows)
        name = f"part-{after + 1:0{_DIGITS}d}-{until:0{_DIGITS}d}.parquet"
        written = write_checked(self._folder, name, parquet_of(table))
        self._parts.append(
            TrainingPart(
                name=written.name,
                size_bytes=written.size_bytes,
                checksum=written.checksum,
                after=after,
                until=until,
                rows=table.num_rows,
            )
        )

    # -- interruptions ---------------------------------------------------------------------

    def _keep(self) -> None:
        """Note how far the set is, and keep the state there, if it is not too large for the way it came."""
        store = self._store
        size = store.bytes_used
        position = store.position
        if size <= max(_STATE_BYTES_MIN, (position - self._kept_at) * _STATE_BYTES_PER_POSITION_MAX):
            header = SnapshotHeader(
                semantics=_SEMANTICS, position=position, timestamp=store.now, state_hash=store.state_hash
            )
            self._snapshots.write(header, store.sections())
            self._kept_at = position
        noted = _Progress(request=self._request, position=position, parts=tuple(self._parts))
        write_json(self._folder / _UNFINISHED, _PROGRESS, noted)

    def _resume(self) -> None:
        """Take over what an earlier run kept, as far as its files are sound."""
        noted = read_json(self._folder / _UNFINISHED, _PROGRESS, _Progress)
        if noted is None:
            return
        sound = sound_parts(self._folder, noted.parts)
        until = noted.position if sound == noted.parts else noted.parts[len(sound)].after
        kept = self._snapshots.latest(semantics=_SEMANTICS, until=until, report=_report)
        if kept is not None and self._store.restore(kept.sections):
            self._kept_at = self._store.position
            self._parts = [part for part in sound if part.until <= self._store.position]


def _report(error: SnapshotCorrupted) -> None:
    _LOG.warning("%s; rows are folded again", error)
