"""The journal as Parquet: all its rows as its blocks hold them, to read without a database.

::

    <folder>/manifest.json
    <folder>/transfers-0000000000000000001-0000000000000262144.parquet
    <folder>/decisions-...   <folder>/accounts-...   <folder>/events-...

A part is never written again. The next run goes on behind the last one, so that an archive also keeps what
the journal has dropped since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from formicary.base.arrays import joined
from formicary.base.limits import ARCHIVE_PART_POSITIONS, BLOCK_ROWS
from formicary.factory.features.archive_manifest import (
    ArchiveCorrupted,
    ArchivedFile,
    ArchivedPart,
    ArchiveManifest,
    read_manifest,
    write_manifest,
)
from formicary.factory.features.checked_files import read_checked, write_checked
from formicary.factory.features.parquet_files import (
    events_in,
    events_table,
    parquet_of,
    rows_in,
    rows_table,
)
from formicary.factory.features.sources import PositionsNotThere, Progress, RowSource
from formicary.factory.journal.batch import first_gap, positions_of
from formicary.factory.journal.blocks import Block, part_of, spans
from formicary.factory.journal.errors import SegmentMissing
from formicary.factory.journal.events import Event
from formicary.factory.journal.prefetch import ahead
from formicary.factory.journal.rows import ACCOUNT_ROW, DECISION_ROW, TRANSFER_ROW
from formicary.factory.journal.upcasters import Upcasters

__all__ = ["Archive"]

_ROWS: Final = {"accounts": ACCOUNT_ROW, "transfers": TRANSFER_ROW, "decisions": DECISION_ROW}
_FEW_VALUES: Final = (
    "kind",
    "version",
    "code",
    "ledger",
    "flags",
    "status",
    "request",
    "timeout",
    "reserved",
    "point",
    "policy",
    "outcome",
    "effect",
    "path",
    "cap",
    "features",
)
# Digits of the largest position, so that names sort as positions do.
_DIGITS: Final = 19


class Archive:
    """An archive in a folder, as a source of rows.

    Parameters
    ----------
    folder
        Created with the first part.
    upcasters
        The event kinds this release knows; without them events come as they are stored.
    """

    def __init__(self, folder: Path, *, upcasters: Upcasters | None = None) -> None:
        self._folder = folder
        self._upcasters = Upcasters(raw=True) if upcasters is None else upcasters

    def manifest(self) -> ArchiveManifest:
        """Return what is in the archive.

        Raises
        ------
        ArchiveCorrupted, JournalTooNew
            See ``read_manifest``; also where there is none.
        """
        found = read_manifest(self._folder)
        if found is None:
            message = f"there is no archive in {self._folder}: it has no manifest.json"
            raise ArchiveCorrupted(message)
        return found

    def head(self) -> int:
        """Return the last position that is archived."""
        return self.manifest().position

    def extend(
        self,
        source: RowSource,
        *,
        progress: Progress = lambda _done, _total: None,
        part_positions: int = ARCHIVE_PART_POSITIONS,
    ) -> ArchiveManifest:
        """Archive what the source has beyond the last archived position; durable on return.

        Raises
        ------
        ArchiveCorrupted
            The archive cannot be gone on with, or is not of this source's journal.
        """
        manifest = read_manifest(self._folder) or ArchiveManifest()
        head = source.head()
        self._require_same(manifest, source, head)
        pieces = spans(
            after=manifest.position,
            until=head,
            segment_positions=part_positions,
            positions_max=part_positions,
        )
        for after, until in pieces:
            part = self._write(list(source.read(after=after, until=until)), after, until)
            manifest = ArchiveManifest(parts=(*manifest.parts, part))
            write_manifest(self._folder, manifest)
            progress(until, head)
        return manifest

    def read(self, *, after: int, until: int) -> Iterator[Block]:
        """Yield the rows after ``after`` up to ``until`` in blocks.

        Raises
        ------
        PositionsNotThere
            They are not archived.
        ArchiveCorrupted
            A file is missing, is not as it was written, or does not hold each of its positions once.
        """
        manifest = self.manifest()
        if not 0 <= after <= until <= manifest.position:
            message = f"the archive holds positions 1 to {manifest.position}, not {after + 1} to {until}"
            raise PositionsNotThere(message)
        wanted = [part for part in manifest.parts if part.after < until and part.until > after]
        for whole in ahead(self._read, wanted, threads=1):
            first, last = max(after, whole.after), min(until, whole.until)
            for start, end in spans(after=first, until=last, segment_positions=BLOCK_ROWS):
                yield part_of(whole, after=start, until=end)

    def events_of(self, kinds: Sequence[str], *, after: int, until: int) -> Iterator[Event]:
        """Yield the events of some kinds after ``after`` up to ``until``, in order and in their present form.

        Raises
        ------
        ArchiveCorrupted
            A file is missing or not as it was written.
        """
        files = (file for part in self.manifest().parts for file in part.files)
        for file in files:
            if file.table == "events" and file.first <= until and file.last > after:
                for event in events_in(self._data(file), kinds=kinds):
                    if after < event.position <= until:
                        yield self._upcasters.apply(event)

    def _require_same(self, manifest: ArchiveManifest, source: RowSource, head: int) -> None:
        """Raise unless the last archived row is the source's, too."""
        position = manifest.position
        if not position:
            return
        ours = part_of(self._read(manifest.parts[-1]), after=position - 1, until=position)
        try:
            theirs = list(source.read(after=position - 1, until=position)) if head >= position else []
        except SegmentMissing:
            # What is archived may be dropped; the positions of what follows show that nothing is left out.
            return
        if [_content(block) for block in theirs] != [_content(ours)]:
            message = (
                f"the archive in {self._folder} is of another journal: its last row, {position}, differs"
            )
            raise ArchiveCorrupted(message)

    def _write(self, blocks: Sequence[Block], after: int, until: int) -> ArchivedPart:
        whole = Block(
            accounts=joined([block.accounts for block in blocks], ACCOUNT_ROW),
            transfers=joined([block.transfers for block in blocks], TRANSFER_ROW),
            events=tuple(event for block in blocks for event in block.events),
            after=after,
            until=until,
            decisions=joined([block.decisions for block in blocks], DECISION_ROW),
        )
        _require_whole(whole, name="what is to be archived")
        tables = {name: rows_table(getattr(whole, name)) for name in _ROWS}
        tables["events"] = events_table(whole.events)
        files = []
        for name, table in tables.items():
            if not table.num_rows:
                continue
            few = [column for column in _FEW_VALUES if column in table.column_names]
            file_name = f"{name}-{after + 1:0{_DIGITS}d}-{until:0{_DIGITS}d}.parquet"
            written = write_checked(self._folder, file_name, parquet_of(table, dictionaries=few))
            at = table.column("position")
            files.append(
                ArchivedFile(
                    name=written.name,
                    size_bytes=written.size_bytes,
                    checksum=written.checksum,
                    table=name,
                    rows=table.num_rows,
                    first=at[0].as_py(),
                    last=at[-1].as_py(),
                )
            )
        return ArchivedPart(after=after, until=until, files=tuple(files))

    def _read(self, part: ArchivedPart) -> Block:
        rows = {name: np.zeros(0, dtype) for name, dtype in _ROWS.items()}
        events: tuple[Event, ...] = ()
        for file in part.files:
            data = self._data(file)
            if file.table == "events":
                events = tuple(self._upcasters.apply(event) for event in events_in(data))
            else:
                rows[file.table] = rows_in(data, _ROWS[file.table])
        whole = Block(**rows, events=events, after=part.after, until=part.until)
        _require_whole(whole, name=", ".join(file.name for file in part.files))
        return whole

    def _data(self, file: ArchivedFile) -> bytes:
        data = read_checked(self._folder, file)
        if data is None:
            message = f"{self._folder / file.name} is missing or not as it was written"
            raise ArchiveCorrupted(message)
        return data


def _require_whole(block: Block, *, name: str) -> None:
    positions = positions_of(block.accounts, block.transfers, block.events, block.decisions)
    gap = first_gap(positions, first=block.after + 1, last=block.until)
    if gap:
        message = f"{name}: position {gap} is not there exactly once"
        raise ArchiveCorrupted(message)


def _content(block: Block) -> tuple[Any, ...]:
    rows = (getattr(block, name).tobytes() for name in _ROWS)
    return *rows, block.events
