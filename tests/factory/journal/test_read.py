"""Reading: complete and in order, or an error that names the position."""

# ruff: noqa: S608 - the statements are made of the test's own names and numbers.

from __future__ import annotations

import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.base.limits import BLOCK_ROWS
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import (
    JournalCorrupted,
    JournalTooNew,
    JournalUnavailable,
    SegmentMissing,
)
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.semantics import declare_semantics
from formicary.factory.journal.upcasters import Upcasters
from tests.factory.journal.kit import (
    accounts,
    batch,
    database_of,
    event,
    opened,
    owned,
    read_all,
    transfers,
    wait_for,
)
from tests.fixtures_postgres import PostgresServer

TWO_SEGMENTS_AND_MORE = 150


def fill(access: Access, count: int = TWO_SEGMENTS_AND_MORE) -> None:
    """Write transfers at positions 1 to ``count``."""
    with owned(access) as journal:
        journal.append(batch(transfers=transfers(1, count)))


def tamper(postgres: PostgresServer, access: Access, statement: str) -> None:
    """Change the journal as only a superuser can: without triggers."""
    with postgres.superuser(database_of(access)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement.encode())


@pytest.mark.parametrize(("after", "until"), [(0, 150), (10, 60), (60, 70), (149, 150), (20, 20)])
def test_any_range_is_complete(small_segments: Access, after: int, until: int) -> None:
    """Blocks follow each other and hold exactly the positions asked for, on one connection or on more."""
    fill(small_segments)
    with opened(small_segments) as journal:
        blocks = list(journal.read(after=after, until=until))
    assert [block.after for block in blocks] == [after, *(block.until for block in blocks)][: len(blocks)]
    found = [position for block in blocks for position in block.transfers["position"].tolist()]
    assert found == list(range(after + 1, until + 1))


@pytest.mark.parametrize(("after", "until"), [(0, 151), (-1, 5), (6, 5)])
def test_a_range_that_is_not_there_is_an_error(small_segments: Access, after: int, until: int) -> None:
    """Reading past the head would look like a gap."""
    fill(small_segments)
    with opened(small_segments) as journal, pytest.raises(ProgrammingError, match="positions 1 to 150"):
        journal.read(after=after, until=until)


@pytest.mark.parametrize("position", [1, 64, 65, 100, 149])
def test_a_deleted_row_is_found(postgres: PostgresServer, small_segments: Access, position: int) -> None:
    """A gap is named by its position."""
    fill(small_segments)
    tamper(postgres, small_segments, f"DELETE FROM journal.transfers WHERE position = {position}")
    with (
        opened(small_segments) as journal,
        pytest.raises(JournalCorrupted, match=f"position {position} exactly once"),
    ):
        read_all(journal)


def test_a_doubled_row_is_found(postgres: PostgresServer, small_segments: Access) -> None:
    """A position that is there twice is named."""
    fill(small_segments)
    tamper(
        postgres,
        small_segments,
        "INSERT INTO journal.transfers SELECT * FROM journal.transfers WHERE position = 70",
    )
    with opened(small_segments) as journal:
        with pytest.raises(JournalCorrupted, match="position 71 exactly once"):
            read_all(journal)
        with pytest.raises(JournalCorrupted, match="position 70"):
            journal.transfers_at(np.array([70]))


def test_order_is_that_of_positions(postgres: PostgresServer, access: Access) -> None:
    """Rows come in the order of their positions, wherever the server put them."""
    fill(access, 20)
    tamper(
        postgres,
        access,
        "WITH gone AS (DELETE FROM journal.transfers WHERE position < 10 RETURNING *) "
        "INSERT INTO journal.transfers SELECT * FROM gone",
    )
    with opened(access) as journal:
        assert np.array_equal(read_all(journal)[1], transfers(1, 20))


def test_rare_fields_come_back_to_their_rows(access: Access, postgres: PostgresServer) -> None:
    """What most rows leave at zero is read apart, and belongs to the row at its position, in any order."""
    rows = transfers(1, 60)
    for name in ("pending_id_low", "user_data_128_high", "user_data_64", "user_data_32", "timeout"):
        rows[name] = 0
    for place, name in enumerate(("pending_id_low", "user_data_128_high", "user_data_64", "timeout")):
        rows[name][7 + 11 * place] = 2**31 + place
    with owned(access) as journal:
        journal.append(batch(transfers=rows))
    tamper(
        postgres,
        access,
        "WITH gone AS (DELETE FROM journal.transfers WHERE position < 10 RETURNING *) "
        "INSERT INTO journal.transfers SELECT * FROM gone",
    )
    with opened(access) as journal:
        assert np.array_equal(read_all(journal)[1], rows)


def test_a_segment_of_many_blocks(access: Access) -> None:
    """A full segment is read in several blocks, each ahead of the other."""
    count = 3 * BLOCK_ROWS + 1
    fill(access, count)
    with opened(access) as journal:
        blocks = list(journal.read(after=0, until=count))
    assert [block.until for block in blocks] == [BLOCK_ROWS, 2 * BLOCK_ROWS, 3 * BLOCK_ROWS, count]
    assert np.array_equal(np.concatenate([block.transfers for block in blocks]), transfers(1, count))


def test_a_reader_may_stop_early(small_segments: Access, postgres: PostgresServer) -> None:
    """An iterator that is closed closes its connections."""
    fill(small_segments)
    with opened(small_segments) as journal:
        blocks = journal.read(after=0, until=150)
        assert next(blocks).until == 64
        blocks.close()  # type: ignore[attr-defined]
        with postgres.superuser(database_of(small_segments)) as connection:
            wait_for(
                connection,
                "SELECT count(*) = 1 FROM pg_stat_activity"
                " WHERE application_name = 'formicary reader' AND datname = current_database()",
            )


def test_transfers_at_any_positions(small_segments: Access) -> None:
    """Transfers come in the order asked for, over segments, and again where a position repeats."""
    fill(small_segments)
    positions = np.array([150, 3, 64, 65, 3, 1])
    with opened(small_segments) as journal:
        found = journal.transfers_at(positions)
        assert np.array_equal(found, transfers(1, 150)[positions - 1])
        assert len(journal.transfers_at(np.zeros(0, np.int64))) == 0


def test_a_position_without_a_transfer_is_an_error(small_segments: Access) -> None:
    """Asking for the position of an account, or one that is not there, names it."""
    with owned(small_segments) as journal:
        journal.append(batch(accounts=accounts(1, 1), transfers=transfers(2, 1)))
        with pytest.raises(JournalCorrupted, match="position 1 "):
            journal.transfers_at(np.array([2, 1]))
        with pytest.raises(SegmentMissing):
            journal.transfers_at(np.array([10**9]))


def write_chain(journal: Journal, count: int) -> None:
    """Write transfers of which account 7 is in every third, now on one side, now on the other."""
    rows = transfers(1, count)
    rows["previous_debit"] = rows["previous_credit"] = 0
    for position in range(3, count + 1, 3):
        side = "debit" if position % 2 else "credit"
        row = rows[position - 1 : position]
        row[f"{side}_account_id_high"], row[f"{side}_account_id_low"] = 0, 7
        row[f"previous_{side}"] = position - 3
    journal.append(batch(transfers=rows))


@pytest.mark.parametrize(("start", "limit"), [(150, 5), (150, 1_000), (66, 2), (3, 1), (3, 9)])
def test_walk_follows_an_account(small_segments: Access, start: int, limit: int) -> None:
    """The entries of an account come newest first, over segments, up to the limit."""
    with owned(small_segments) as journal:
        write_chain(journal, 150)
        rows = journal.walk(account_id=7, from_position=start, limit=limit)
    assert rows["position"].tolist() == list(range(start, 0, -3))[:limit]


def test_walk_of_nothing(access: Access) -> None:
    """No position, or no room, is no entry."""
    fill(access, 3)
    with opened(access) as journal:
        assert len(journal.walk(account_id=7, from_position=0, limit=5)) == 0
        assert len(journal.walk(account_id=7, from_position=3, limit=0)) == 0


def test_walk_checks_every_step(postgres: PostgresServer, small_segments: Access) -> None:
    """A position that is no entry of the account, or not there, is corruption."""
    with owned(small_segments) as journal:
        write_chain(journal, 150)
        with pytest.raises(JournalCorrupted, match="no entry of account"):
            journal.walk(account_id=7, from_position=4, limit=5)
        tamper(postgres, small_segments, "DELETE FROM journal.transfers WHERE position = 126")
        with pytest.raises(JournalCorrupted, match="no transfer at position 126"):
            journal.walk(account_id=7, from_position=126, limit=5)
        with pytest.raises(SegmentMissing):
            journal.walk(account_id=7, from_position=10**9, limit=5)


def test_walk_finds_a_doubled_entry(postgres: PostgresServer, small_segments: Access) -> None:
    """An entry that is there twice makes two chains of one; neither is believed."""
    with owned(small_segments) as journal:
        write_chain(journal, 150)
        tamper(
            postgres,
            small_segments,
            "INSERT INTO journal.transfers SELECT * FROM journal.transfers WHERE position = 141",
        )
        with pytest.raises(JournalCorrupted, match="no single chain"):
            journal.walk(account_id=7, from_position=150, limit=9)


def test_walk_reports_a_failing_server(small_segments: Access, postgres: PostgresServer) -> None:
    """Errors that say nothing about the journal are passed on."""
    with owned(small_segments) as journal:
        write_chain(journal, 10)
        with postgres.superuser(database_of(small_segments)) as connection:
            connection.execute("REVOKE SELECT ON journal.transfers_0 FROM formicary_writer")
        with pytest.raises(JournalUnavailable, match="permission denied"):
            journal.walk(account_id=7, from_position=9, limit=5)


def test_events_are_upcast(access: Access) -> None:
    """Events of known kinds come in their present form; of a newer release they are refused."""
    with owned(access) as journal:
        journal.append(batch(events=[event(1, body=b'{"n": 1}'), event(2, version=2, body=b'{"m": 2}')]))
        journal.append(batch(events=[event(3, version=3)]))
    upcasters = Upcasters()
    declare_semantics(upcasters)
    upcasters.declare("Happened", version=2)
    upcasters.upcast("Happened", version=1)(lambda body: {"m": body["n"]})
    reader = JournalReader(access, role=Role.READER, upcasters=upcasters)
    (block,) = reader.read(after=0, until=2)
    assert [(found.version, found.body.replace(b" ", b"")) for found in block.events] == [
        (2, b'{"m":1}'),
        (2, b'{"m":2}'),
    ]
    with pytest.raises(JournalTooNew, match="Happened version 3 at position 3"):
        list(reader.read(after=2, until=3))
    reader.close()


def test_a_closed_reader_opens_again(access: Access) -> None:
    """Closing twice, or before anything was read, is fine; a later call connects again."""
    reader = JournalReader(access)
    reader.close()
    assert reader.head() == 0
    reader.close()
    assert reader.head() == 0
    reader.close()
