"""Verification: silent about a sound journal, and never about a damaged one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.base.limits import TIMERS_PER_STEP_MAX
from formicary.factory.engine.state import known_events
from formicary.factory.follower import StateSnapshots, Verification, verify
from formicary.factory.follower.commits import read_commits
from formicary.factory.follower.row_files import append_rows, described
from formicary.factory.follower.state_snapshots import note_of
from formicary.factory.follower.sums import account_sums
from formicary.factory.journal.access import Access
from formicary.factory.journal.snapshot_file import Snapshot, SnapshotHeader
from formicary.factory.journal.snapshots import Snapshots
from tests.factory.engine.example_product import ESCROW_PRODUCT
from tests.factory.follower.house import open_house
from tests.factory.follower.remains import Remains, copied, remains_of
from tests.factory.follower.tamper import tamper
from tests.fixtures_postgres import PostgresServer

MODULE = "formicary.factory.follower.verification"
# Above the room that is always kept free, so that two generations share the rows.
GENERATION_ROWS = TIMERS_PER_STEP_MAX + 100


@pytest.fixture(scope="module")
def left(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remains]:
    """Give what a house left that knew holds of every fate, events, and two snapshots."""
    name, access = postgres.create(segment_positions=256)
    with open_house(access, tmp_path_factory.mktemp("house"), products=[ESCROW_PRODUCT]) as house:
        follower = house.follower(generation_rows=GENERATION_ROWS)
        follower.open()
        house.work(11, groups=40)
        follower.catch_up()
        follower.write_snapshot()
        house.pay(120, accounts=8)
        house.hold_in_escrow(2**100)
        house.rate(2**101)
        follower.catch_up()
        follower.write_snapshot()
        house.pay(60, accounts=8, seed=5)
        remains = remains_of(house)
    yield remains
    postgres.drop(name)


@pytest.fixture
def remains(postgres: PostgresServer, left: Remains, tmp_path: Path) -> Iterator[Remains]:
    """Give a copy of them to damage."""
    with copied(postgres, left, tmp_path) as remains:
        yield remains


def _verify(remains: Remains, **options: Any) -> Verification:
    return verify(
        remains.access,
        snapshots=remains.snapshots,
        products=[ESCROW_PRODUCT],
        upcasters=known_events([ESCROW_PRODUCT]),
        **{"generation_rows": 50, **options},
    )


def _whats(found: Verification) -> list[str]:
    return [finding.what for finding in found.findings]


def test_a_sound_journal(remains: Remains) -> None:
    """Everything agrees: rows, commits, snapshots, sums, the engine; and it says what it has seen."""
    steps: list[tuple[int, int]] = []
    found = _verify(
        remains, engine=(remains.position, remains.state_hash), progress=lambda *step: steps.append(step)
    )
    assert found.findings == ()
    assert found.sound
    assert (found.position, found.state_hash) == (remains.position, remains.state_hash)
    assert (found.rows, found.accounts) == (remains.position, remains.accounts)
    assert (found.snapshots, found.commits > 20) == (2, True)
    assert found.seconds >= found.fold_seconds > 0
    assert found.rows_per_second > 0
    assert steps[-1] == (remains.position, remains.position)


def test_an_empty_journal(access: Access, tmp_path: Path) -> None:
    """There is nothing wrong with nothing."""
    found = verify(access, snapshots=StateSnapshots(tmp_path))
    assert (found.sound, found.rows, found.position) == (True, 0, 0)


SOME_TRANSFER = "position = (SELECT position FROM journal.transfers ORDER BY position OFFSET 90 LIMIT 1)"
LAST_ACCOUNT = "position = (SELECT max(position) FROM journal.accounts)"
SOME_COMMIT = "first = (SELECT first FROM journal.commits ORDER BY first OFFSET 20 LIMIT 1)"
RATED = "kind = 'escrow.EscrowRated'"
TIMER = "kind = 'engine.timer_set'"


@pytest.mark.parametrize(
    ("table", "change", "where"),
    [
        ("transfers", "amount = amount # 1", SOME_TRANSFER),
        (
            "transfers",
            "rare = decode(repeat('00', 32) || repeat('01', 8) || repeat('00', 8), 'hex')",
            SOME_TRANSFER,
        ),
        ("transfers", "after = set_bit(after, 300, 1 - get_bit(after, 300))", SOME_TRANSFER),
        ("transfers", "", SOME_TRANSFER),
        ("accounts", "flags = flags # 8", LAST_ACCOUNT),
        ("accounts", "code = code # 1", LAST_ACCOUNT),
        ("accounts", "credit_limit = credit_limit + 1", LAST_ACCOUNT),
        ("accounts", "", LAST_ACCOUNT),
        ("events", "body = jsonb_set(body, '{due}', '7')", TIMER),
        ("events", "subject = gen_random_uuid()", RATED),
        ("events", "", RATED),
        ("commits", "state_hash = state_hash # 1", SOME_COMMIT),
        ("commits", "", SOME_COMMIT),
    ],
)
def test_damage_to_the_journal(
    remains: Remains, postgres: PostgresServer, table: str, change: str, where: str
) -> None:
    """A flipped bit and a deleted row are found in every table, and how far all was well."""
    verb, changes = ("UPDATE", f"SET {change}") if change else ("DELETE FROM", "")
    tamper(postgres, remains.access, f"{verb} journal.{table} {changes} WHERE {where}")
    found = _verify(remains)
    assert _whats(found)[-1] == "journal"
    assert not found.sound
    assert found.position < remains.position


def test_a_swapped_pair(remains: Remains, postgres: PostgresServer) -> None:
    """Two rows that changed places are found."""
    pair = "SELECT position FROM journal.transfers WHERE status = 0 ORDER BY position OFFSET 90 LIMIT 2"
    swap = (
        f"WITH pair AS ({pair}) UPDATE journal.transfers"  # noqa: S608 - text of ours.
        " SET position = (SELECT sum(position) FROM pair) - position"
        " WHERE position IN (SELECT position FROM pair)"
    )
    tamper(postgres, remains.access, swap)
    assert _whats(_verify(remains)) == ["journal"]


def _flip(remains: Remains) -> None:
    path = max(remains.folder.glob("*.snapshot"))
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def _flip_sealed(remains: Remains) -> None:
    _flip_end(next(max((remains.folder / "files").iterdir()).glob("ids-*")))


def _flip_rows(remains: Remains) -> None:
    _flip_end(max(max((remains.folder / "files").iterdir()).glob("rows-*")))


def _flip_end(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_flip, _flip_sealed, _flip_rows])
def test_a_damaged_snapshot(remains: Remains, damage: Callable[[Remains], None]) -> None:
    """A flipped bit anywhere in a snapshot's files is found."""
    damage(remains)
    found = _verify(remains)
    assert _whats(found) == ["snapshot"]
    assert "damaged" in found.findings[0].message
    assert found.snapshots == 1


def _section(name: str, change: Callable[[Any], Any]) -> Callable[[Any], None]:
    def apply(snapshot: Any) -> None:
        snapshot.sections[name] = change(snapshot.sections[name].copy())

    return apply


def _set(field: str, value: int, where: Any = 0) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array[field][where] = value
        return array

    return change


def _without_one(array: Any) -> Any:
    return np.delete(array, len(array) // 2)


def _forge(remains: Remains, snapshot: Snapshot) -> None:
    """Write a snapshot again with good checksums, whatever it holds."""
    sections, note = dict(snapshot.sections), note_of(snapshot)
    folder = remains.folder / "files" / f"{snapshot.header.position:019d}"
    files = []
    for name, file in zip(("ledger.older", "ledger.recent"), note.rows, strict=True):
        rows = sections.pop(name)
        (folder / file.name).unlink(missing_ok=True)
        files.append(described(rows))
        append_rows(folder / files[-1].name, rows)
    forged = msgspec.structs.replace(note, rows=tuple(files))
    sections["follower"] = np.frombuffer(msgspec.json.encode(forged), np.uint8)
    Snapshots(remains.folder).write(snapshot.header, sections)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("accounts", _section("ledger.accounts", _set("credits_posted", 77))),
        ("rows in memory", _section("ledger.recent", _set("user_data_64", 77))),
        ("rows in memory", _section("ledger.older", _set("user_data_64", 77))),
        ("rows in memory", _section("ledger.recent", _without_one)),
        ("rows in memory", _section("ledger.recent", lambda rows: rows[:-1])),
        ("hold rows", _section("ledger.hold_rows", _set("amount", 77, slice(None)))),
        ("hold due times", _section("ledger.holds", _set("due", 77, slice(None)))),
        ("timers", _section("ledger.timers", lambda timers: timers[:0])),
        ("account_timestamp", _section("ledger.scalars", _set("account_timestamp", 77))),
        ("aggregates.escrow", _section("aggregates.escrow", _set("stars", 77))),
        ("aggregates.escrow", lambda snapshot: snapshot.sections.pop("aggregates.escrow")),
    ],
)
def test_a_forged_snapshot(remains: Remains, part: str, change: Callable[[Any], None]) -> None:
    """A snapshot rewritten with a good checksum but another content is found, and what differs."""
    position = remains.snapshots.positions()[-1]
    snapshot = remains.snapshots.read(position)
    change(snapshot)
    _forge(remains, snapshot)
    found = _verify(remains)
    assert _whats(found) == ["snapshot"]
    assert found.findings[0].position == position
    assert part in found.findings[0].message


def test_a_forged_state_hash(remains: Remains) -> None:
    """A snapshot that names another hash is found."""
    snapshot = remains.snapshots.read(remains.snapshots.positions()[-1])
    header = SnapshotHeader(
        semantics=snapshot.header.semantics,
        position=snapshot.header.position,
        timestamp=snapshot.header.timestamp,
        state_hash=snapshot.header.state_hash ^ 1,
    )
    _forge(remains, Snapshot(header=header, sections=snapshot.sections))
    assert "state hash" in _verify(remains).findings[0].message


def test_snapshots_that_were_cut_otherwise(remains: Remains) -> None:
    """Where generations were cut is no difference: rows are compared with the journal's."""
    assert _verify(remains, generation_rows=10_000).sound


def test_an_engine_that_holds_something_else(remains: Remains) -> None:
    """A running engine whose memory differs from its journal is found; so is one at no commit's end."""
    assert _whats(_verify(remains, engine=(remains.position, remains.state_hash ^ 1))) == ["engine"]
    beyond = _verify(remains, engine=(remains.position + 1, remains.state_hash))
    assert _whats(beyond) == ["claim"]


def test_sums_that_differ(remains: Remains, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's own sums of the entries are compared with what was folded."""

    def missing(access: Access, *, until: int) -> Any:
        return account_sums(access, until=until)[1:]

    monkeypatch.setattr(f"{MODULE}.account_sums", missing)
    found = _verify(remains)
    assert _whats(found) == ["balances"]
    assert "accounts have entries" in found.findings[0].message

    def wrong(access: Access, *, until: int) -> Any:
        found = account_sums(access, until=until)
        found["credits_pending"][0] += 5
        return found

    monkeypatch.setattr(f"{MODULE}.account_sums", wrong)
    assert "sum up to" in _verify(remains).findings[0].message


def test_a_snapshot_that_goes_while_it_is_looked_at(
    remains: Remains, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A follower that goes on drops old snapshots; that is no finding."""
    positions = remains.snapshots.positions()
    answers = iter([positions, positions[1:]])
    monkeypatch.setattr(StateSnapshots, "positions", lambda _: next(answers))
    (remains.folder / f"{positions[0]:019d}.snapshot").unlink()
    found = _verify(remains)
    assert found.sound
    assert found.snapshots == 1


def test_rows_that_come_meanwhile(remains: Remains, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine is ahead of the journal by what it commits just now; what comes later is folded as well."""
    heads = iter([remains.position - 20, *[remains.position] * 99])

    def delayed(reader: Any, *, after: int) -> Iterator[Any]:
        head = next(heads)
        for commits in read_commits(reader, after=after):
            yield commits[commits["last"] <= head]

    monkeypatch.setattr(f"{MODULE}.read_commits", delayed)
    found = _verify(remains, engine=(remains.position, remains.state_hash))
    assert found.sound
