"""The archive gives back what the journal held, or says which file does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from formicary.base.purposes import Purpose
from formicary.factory.engine.state import known_events
from formicary.factory.features.archive import Archive
from formicary.factory.features.archive_manifest import ArchiveCorrupted
from formicary.factory.features.journal_fold import CONSENT_EVENTS
from formicary.factory.features.sources import PositionsNotThere
from formicary.factory.features.training import write_training_set
from formicary.factory.journal.blocks import Block, part_of
from formicary.factory.journal.errors import JournalTooNew, SegmentMissing
from formicary.factory.journal.upcasters import Upcasters
from tests.factory.features.training_kit import (
    PRODUCTS,
    MemorySource,
    features_compiled,
    memory_house,
    source_of,
)
from tests.factory.journal.kit import NO_ACCOUNTS, NO_TRANSFERS, decided, decisions

PART = 50


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> MemorySource:
    """Give the rows of a house in which a lot happened."""
    house = memory_house(tmp_path_factory.mktemp("house") / "state")
    house.works(8, steps=120)
    return source_of(house.journal)


@pytest.fixture
def folder(source: MemorySource, tmp_path: Path) -> Path:
    """Give the folder of a whole archive."""
    Archive(tmp_path).extend(source, part_positions=PART)
    return tmp_path


def content(blocks: Any) -> tuple[bytes, bytes, bytes, list[Any]]:
    """Return all rows of blocks."""
    blocks = list(blocks)
    accounts, transfers, decisions = (
        b"".join(getattr(block, name).tobytes() for block in blocks)
        for name in ("accounts", "transfers", "decisions")
    )
    return accounts, transfers, decisions, [event for block in blocks for event in block.events]


def files(folder: Path) -> list[Path]:
    """Return the data files of an archive."""
    return sorted(folder.glob("*.parquet"))


def until(source: MemorySource, position: int) -> MemorySource:
    """Return a source that ends earlier."""
    return replace(source, whole=part_of(source.whole, after=0, until=position))


def test_it_is_the_journal(source: MemorySource, folder: Path) -> None:
    """Every byte of every row comes back, from any position to any other."""
    archive, head = Archive(folder), source.head()
    assert archive.head() == head
    for after, end in ((0, head), (0, 0), (1, 2), (PART, 2 * PART), (PART - 3, 2 * PART + 7)):
        assert content(archive.read(after=after, until=end)) == content(source.read(after=after, until=end))
    blocks = list(archive.read(after=3, until=head))
    assert [block.after for block in blocks] == [3, *(block.until for block in blocks[:-1])]
    for after, end in ((0, head), (60, 171)):
        found = archive.events_of(CONSENT_EVENTS, after=after, until=end)
        assert list(found) == list(source.events_of(CONSENT_EVENTS, after=after, until=end))
    with pytest.raises(PositionsNotThere):
        list(archive.read(after=0, until=head + 1))


def test_it_goes_on_where_it_ended(source: MemorySource, tmp_path: Path) -> None:
    """A later run adds what is new; a broken one leaves whole parts."""
    archive, head = Archive(tmp_path), source.head()
    steps: list[tuple[int, int]] = []
    early = until(source, 70)
    assert (
        archive.extend(early, part_positions=PART, progress=lambda *step: steps.append(step)).position == 70
    )
    before = {path: path.stat().st_mtime_ns for path in files(tmp_path)}
    with pytest.raises(ConnectionError):
        archive.extend(replace(source, fails_after=3 * PART), part_positions=PART)
    assert archive.head() == 3 * PART
    manifest = archive.extend(source, part_positions=PART, progress=lambda *step: steps.append(step))
    assert manifest == archive.manifest()
    assert steps == [
        (50, 70),
        (70, 70),
        *((min(end, head), head) for end in range(4 * PART, head + PART, PART)),
    ]
    assert before.items() <= {path: path.stat().st_mtime_ns for path in files(tmp_path)}.items()
    assert archive.extend(source, part_positions=PART) == manifest
    assert content(archive.read(after=0, until=head)) == content(source.read(after=0, until=head))
    assert sum(path.stat().st_size for path in files(tmp_path)) == manifest.size_bytes


def test_decisions_are_archived(tmp_path: Path) -> None:
    """Every bit of them comes back, whatever their numbers say, and the manifest counts them."""
    judged, moved = decided(1, 40)
    whole = Block(accounts=NO_ACCOUNTS, transfers=moved, events=(), after=0, until=80, decisions=judged)
    manifest = Archive(tmp_path).extend(MemorySource(whole), part_positions=PART)
    counts = [{file.table: file.rows for file in part.files} for part in manifest.parts]
    assert counts == [{"transfers": 25, "decisions": 25}, {"transfers": 15, "decisions": 15}]
    assert content(Archive(tmp_path).read(after=0, until=80)) == content([whole])
    (path, *_) = tmp_path.glob("decisions-*.parquet")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArchiveCorrupted, match=path.name):
        list(Archive(tmp_path).read(after=0, until=80))


def test_another_decision_is_another_journal(tmp_path: Path) -> None:
    """Where the last archived row is a decision, it has to be the journal's."""
    rows = decisions(1, 3)
    whole = Block(
        accounts=NO_ACCOUNTS, transfers=NO_TRANSFERS, events=(), after=0, until=3, decisions=rows.copy()
    )
    Archive(tmp_path).extend(MemorySource(part_of(whole, after=0, until=2)))
    rows["outcome"][1] ^= 1
    with pytest.raises(ArchiveCorrupted, match="another journal"):
        Archive(tmp_path).extend(MemorySource(replace(whole, decisions=rows)))
    assert Archive(tmp_path).extend(MemorySource(whole)).position == 3


def test_an_archive_that_is_older_than_decisions(source: MemorySource, tmp_path: Path) -> None:
    """It is read, and gone on with, as one that holds none."""
    archive, head = Archive(tmp_path), source.head()
    archive.extend(until(source, PART), part_positions=PART)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 1}))
    assert content(archive.read(after=0, until=PART)) == content(source.read(after=0, until=PART))
    assert archive.extend(source, part_positions=PART).format == 2
    assert content(archive.read(after=0, until=head)) == content(source.read(after=0, until=head))


def test_what_was_dropped_may_have_been_archived(source: MemorySource, tmp_path: Path) -> None:
    """Where the journal has dropped what is archived, the archive goes on behind it."""

    class Dropped(MemorySource):
        def read(self, *, after: int, until: int) -> Any:
            if after < PART:
                raise SegmentMissing
            return super().read(after=after, until=until)

    Archive(tmp_path).extend(until(source, PART), part_positions=PART)
    Archive(tmp_path).extend(Dropped(source.whole), part_positions=PART)
    found = Archive(tmp_path).read(after=0, until=source.head())
    assert content(found) == content(source.read(after=0, until=source.head()))


def test_another_journals_archive(source: MemorySource, tmp_path: Path) -> None:
    """An archive is not gone on with from a journal that it is not of."""
    other = memory_house(tmp_path / "state")
    other.works(9, steps=20)
    Archive(tmp_path / "archive").extend(source_of(other.journal), part_positions=PART)
    with pytest.raises(ArchiveCorrupted, match="another journal"):
        Archive(tmp_path / "archive").extend(source, part_positions=PART)
    with pytest.raises(ArchiveCorrupted, match="another journal"):
        Archive(tmp_path / "archive").extend(until(source, 3), part_positions=PART)


@pytest.mark.parametrize("table", ["accounts", "transfers", "events"])
def test_a_damaged_file_is_named(source: MemorySource, folder: Path, table: str) -> None:
    """One byte, or a file that is gone, is found and named, also by a training set made from it."""
    (path, *_) = folder.glob(f"{table}-*.parquet")
    whole = path.read_bytes()
    for damage in (whole[:-1], whole[:70] + bytes([whole[70] ^ 1]) + whole[71:], None):
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage)
        with pytest.raises(ArchiveCorrupted, match=path.name):
            list(Archive(folder).read(after=0, until=source.head()))
        with pytest.raises(ArchiveCorrupted, match=path.name):
            write_training_set(
                Archive(folder),
                features_compiled(),
                "risk",
                Purpose.FRAUD,
                folder / "set",
                part_positions=PART,
            )
    with pytest.raises(ArchiveCorrupted, match=path.name):
        list(Archive(folder).events_of(CONSENT_EVENTS, after=0, until=10**6)) if table == "events" else list(
            Archive(folder).read(after=0, until=source.head())
        )


def test_a_damaged_manifest_is_named(source: MemorySource, folder: Path) -> None:
    """A manifest that cannot be read, leaves a part out or is of a newer release is no archive."""
    path = folder / "manifest.json"
    document = json.loads(path.read_text())
    gapped = {**document, "parts": [part for place, part in enumerate(document["parts"]) if place != 1]}
    for text in ("{", json.dumps(gapped)):
        path.write_text(text)
        with pytest.raises(ArchiveCorrupted, match=r"manifest\.json"):
            Archive(folder).head()
    path.write_text(json.dumps({"format": 3, "something": "else"}))
    with pytest.raises(JournalTooNew):
        Archive(folder).extend(source)
    path.unlink()
    with pytest.raises(ArchiveCorrupted, match="there is no archive"):
        Archive(folder).head()


def test_a_file_of_other_rows(source: MemorySource, folder: Path, tmp_path: Path) -> None:
    """Files whose checksums are right still have to hold every position once; what is archived, too."""
    document = json.loads((folder / "manifest.json").read_text())
    first, second = document["parts"][:2]
    by_table = [{file["table"]: file for file in part["files"]} for part in (first, second)]
    first["files"] = [by_table[1].get(name, file) for name, file in by_table[0].items()]
    rows = sum(file["rows"] for file in first["files"])
    first["files"][0]["rows"] += PART - rows
    (folder / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(ArchiveCorrupted, match="not there exactly once"):
        list(Archive(folder).read(after=0, until=PART))
    whole = source.whole
    lacking = Block(
        accounts=whole.accounts,
        transfers=whole.transfers[1:],
        events=whole.events,
        after=0,
        until=whole.until,
    )
    with pytest.raises(ArchiveCorrupted, match="what is to be archived"):
        Archive(tmp_path / "new").extend(MemorySource(lacking))


def test_events_come_in_their_present_form(source: MemorySource, folder: Path) -> None:
    """What is archived is as it was stored; whoever reads it says which kinds it knows."""
    known = Archive(folder, upcasters=known_events(PRODUCTS))
    assert content(known.read(after=0, until=source.head())) == content(
        source.read(after=0, until=source.head())
    )
    with pytest.raises(JournalTooNew):
        list(Archive(folder, upcasters=Upcasters()).read(after=0, until=source.head()))
    with pytest.raises(JournalTooNew):
        list(Archive(folder, upcasters=Upcasters()).events_of(CONSENT_EVENTS, after=0, until=10**6))
