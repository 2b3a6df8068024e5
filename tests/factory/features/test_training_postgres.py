"""From a real PostgreSQL: what the engine told, the journal's set and its archive's set are the same."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from formicary.base.purposes import Purpose
from formicary.factory.engine.state import known_events
from formicary.factory.features.archive import Archive
from formicary.factory.features.journal_fold import CONSENT_EVENTS
from formicary.factory.features.training import write_training_set
from formicary.factory.journal.access import Access
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.reader import JournalReader
from formicary.factory.ledger import SEMANTICS
from tests.factory.features.training_kit import PRODUCTS, House, features_compiled

PART = 128


def test_replayed_is_told(small_segments: Access, tmp_path: Path) -> None:
    """Beside the engine that goes on writing, over several segments, with every product in the journal."""
    (tmp_path / "state").mkdir()
    known = known_events(PRODUCTS)
    journal = Journal(small_segments, semantics=SEMANTICS, upcasters=known, deadline_seconds=5)
    raw, reader = JournalReader(small_segments), JournalReader(small_segments, upcasters=known)
    try:
        house = House(journal, tmp_path / "state")
        house.works(3, steps=60)
        archive = Archive(tmp_path / "archive", upcasters=known)
        archive.extend(raw, part_positions=PART)
        house.works(4, steps=60)
        archive.extend(raw, part_positions=PART)
        head = reader.head()
        assert archive.head() == head == house.engine.state.position
        told = list(reader.events_of(CONSENT_EVENTS, after=5, until=head))
        assert told == list(archive.events_of(CONSENT_EVENTS, after=5, until=head))
        assert told
        for purpose in (Purpose.FRAUD, Purpose.CREDIT):
            for view in ("risk", "credit"):
                folder = tmp_path / f"{view} {purpose}"
                manifests = [
                    write_training_set(
                        source, features_compiled(), view, purpose, folder / name, part_positions=PART
                    )
                    for name, source in (("journal", reader), ("archive", archive))
                ]
                assert manifests[0] == manifests[1]
        require_told(house, tmp_path / f"risk {int(Purpose.FRAUD)}" / "journal", "risk")
        # The engine did not notice that it was read beside.
        house.works(5, steps=5)
    finally:
        for closable in (journal, raw, reader):
            closable.close()


def require_told(house: House, folder: Path, view: str) -> None:
    """Compare a set's rows with what the engine told just before each event."""
    tables = [pq.read_table(path) for path in sorted(folder.glob("*.parquet"))]
    rows = {row["position"]: row for row in pa.concat_tables(tables).to_pylist()}
    told = {at: one for at, one in house.told["FRAUD"].items() if one.set == view}
    assert list(rows) == list(told)
    for position, reading in told.items():
        assert {name: rows[position][name] for name in reading.values} == reading.values


def test_the_journal_is_not_deposed(small_segments: Access) -> None:
    """A reader asks for no lease: events of kinds are read from an empty journal as well."""
    reader = JournalReader(small_segments)
    try:
        assert list(reader.events_of(CONSENT_EVENTS, after=0, until=0)) == []
    finally:
        reader.close()
