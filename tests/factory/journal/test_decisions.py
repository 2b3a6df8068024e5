"""Decisions: rows of any bits beside the transfers they are about, in one sequence of positions."""

# ruff: noqa: S608 - the statements are made of the test's own names and numbers.

from __future__ import annotations

from uuid import UUID

import numpy as np
import psycopg
import pytest
from psycopg.rows import dict_row

from formicary.base.limits import SMALL_APPEND_ROWS_MAX
from formicary.factory.journal import reader as reader_module
from formicary.factory.journal import statements
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.blocks import Block, part_of
from formicary.factory.journal.codec import COPY_HEADER, COPY_TRAILER
from formicary.factory.journal.errors import BatchRejected, JournalCorrupted
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.migrations import migrate, packaged_migrations
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.rows import REASONS, SCORES, VALUES
from formicary.factory.journal.segments import attach_segment, detach_segment, index_closed_segments
from tests.factory.journal.kit import (
    Rows,
    accounts,
    batch,
    database_of,
    decided,
    decisions,
    event,
    owned,
    read_all,
    transfers,
)
from tests.fixtures_postgres import PostgresServer

LARGE = SMALL_APPEND_ROWS_MAX + 1


def decisions_in(journal: Journal) -> Rows:
    """Return every decision of the journal."""
    return np.concatenate([block.decisions for block in journal.read(after=0, until=journal.head())])


@pytest.mark.parametrize("has_more", [False, True], ids=["half", "all"])
@pytest.mark.parametrize("count", [1, LARGE], ids=["one statement", "copied"])
def test_every_bit_comes_back(access: Access, count: int, *, has_more: bool) -> None:
    """Mixed with all other kinds, whichever way they were written, with all values or half of them."""
    judged, moved = decided(4, count, has_more=has_more)
    other, _ = decided(4 + 2 * count, 1, has_more=not has_more)
    with owned(access) as journal:
        journal.append(batch(accounts=accounts(1, 2), events=[event(3)], transfers=moved, decisions=judged))
        journal.append(batch(decisions=other))
        assert decisions_in(journal).tobytes() == judged.tobytes() + other.tobytes()
        got_accounts, got_transfers, got_events = read_all(journal)
        assert np.array_equal(got_transfers, moved)
        assert (len(got_accounts), got_events) == (2, (event(3),))
        assert journal.take_over().position == 4 + 2 * count


def test_numbers_that_are_no_numbers(access: Access) -> None:
    """What a NaN carries and the sign of a zero are bits as all others, also where all else is zero."""
    row = np.zeros(1, decisions(1, 1).dtype)
    row["position"] = row["timestamp"] = 1
    written = []
    for place, bits in enumerate((0x7FF0_0000_0000_0001, 0xFFF8_DEAD_BEEF_0001, 1 << 63, 1), start=1):
        one = row.copy()
        one["position"] = place
        for name in ("value_00", "value_63", "score_3", "propensity"):
            one[name].view(np.uint64)[:] = bits
        written.append(one)
    with owned(access) as journal:
        for one in written:
            journal.append(batch(decisions=one))
        assert decisions_in(journal).tobytes() == b"".join(one.tobytes() for one in written)


@pytest.mark.parametrize("count", [35, 80], ids=["few", "over a whole segment"])
def test_a_batch_over_a_segment_boundary(small_segments: Access, count: int) -> None:
    """A decision may be the last row of its segment, and the transfer the first of the next."""
    judged, moved = decided(4, count)
    with owned(small_segments) as journal:
        journal.append(batch(transfers=transfers(1, 3)))
        journal.append(batch(transfers=moved, decisions=judged))
        assert decisions_in(journal).tobytes() == judged.tobytes()
        assert np.array_equal(read_all(journal)[1], np.concatenate([transfers(1, 3), moved]))
        blocks = list(journal.read(after=0, until=journal.head()))
    assert (blocks[0].decisions["position"][-1], blocks[1].transfers["position"][0]) == (64, 65)


def test_order_is_that_of_positions(postgres: PostgresServer, access: Access) -> None:
    """Decisions come in the order of their positions, each with its own values, wherever they lie."""
    few, many = decisions(1, 3, has_more=False), decisions(4, 3)
    with owned(access) as journal:
        journal.append(batch(decisions=many[:0], transfers=transfers(1, 1)))
        few["position"], many["position"] = (2, 4, 6), (3, 5, 7)
        whole = np.concatenate([few, many])
        journal.append(batch(decisions=whole[np.argsort(whole["position"])]))
        with postgres.superuser(database_of(access)) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(
                "WITH gone AS (DELETE FROM journal.decisions WHERE position < 5 RETURNING *)"
                " INSERT INTO journal.decisions SELECT * FROM gone"
            )
        assert decisions_in(journal).tobytes() == whole[np.argsort(whole["position"])].tobytes()


@pytest.mark.parametrize("statement", ["DELETE FROM {}", "INSERT INTO {0} SELECT * FROM {0}"])
def test_a_lost_and_a_doubled_decision_are_found(
    postgres: PostgresServer, access: Access, statement: str
) -> None:
    """Positions are checked over all kinds of rows."""
    judged, moved = decided(1, 5)
    with owned(access) as journal:
        journal.append(batch(transfers=moved, decisions=judged))
        with postgres.superuser(database_of(access)) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(f"{statement.format('journal.decisions')} WHERE position = 3".encode())
        with pytest.raises(JournalCorrupted, match=r"position [34] exactly once"):
            decisions_in(journal)


def test_a_block_is_cut_with_its_decisions() -> None:
    """Each piece has those of its own positions."""
    judged, moved = decided(1, 5)
    block = Block(accounts=accounts(1, 0), transfers=moved, events=(), after=0, until=10, decisions=judged)
    piece = part_of(block, after=2, until=7)
    assert piece.decisions["position"].tolist() == [3, 5, 7]
    assert piece.transfers["position"].tolist() == [4, 6]


def test_other_arrays_are_refused() -> None:
    """Decisions have exactly the journal's layout, and count among the positions."""
    with pytest.raises(BatchRejected, match="DECISION_ROW"):
        batch(decisions=transfers(1, 1))
    with pytest.raises(BatchRejected, match="position 3 exactly once"):
        batch(decisions=decisions(2, 1), transfers=transfers(1, 2))


@pytest.mark.parametrize("count", [1, LARGE], ids=["one statement", "copied"])
def test_a_decision_has_a_time(access: Access, count: int) -> None:
    """A row that breaks an invariant is refused by the database, and nothing of its batch is written."""
    rows = decisions(1, count)
    rows["timestamp"][-1] = 0
    with owned(access) as journal:
        with pytest.raises(BatchRejected, match="timestamp_is_positive"):
            journal.append(batch(decisions=rows))
        assert journal.head() == 0


@pytest.mark.parametrize(
    ("column", "constraint"),
    [("record", "record_is_whole"), ("values", "values_are_32"), ("more_values", "more_values_are_empty")],
)
def test_parts_of_a_row_are_whole(
    postgres: PostgresServer, access: Access, column: str, constraint: str
) -> None:
    """What shares a column has its whole length."""
    columns = dict.fromkeys(("position", "timestamp", "point", "policy", "outcome", "effect", "path"), "1")
    columns |= {"record": "zeros(110)", "values": "zeros(256)", "more_values": "zeros(0)"}
    columns[column] = "zeros(8)"
    with postgres.superuser(database_of(access)) as connection:
        connection.execute(
            "CREATE FUNCTION pg_temp.zeros(n integer) RETURNS bytea LANGUAGE sql AS"
            " $$ SELECT decode(repeat('00', n), 'hex') $$"
        )
        connection.execute("SELECT journal.create_segments(1)")
        values = ", ".join(value.replace("zeros", "pg_temp.zeros") for value in columns.values())
        with pytest.raises(psycopg.errors.CheckViolation, match=constraint):
            connection.execute(f"INSERT INTO journal.decisions_0 VALUES ({values})".encode())


def test_a_segment_leaves_with_its_decisions(small_segments: Access) -> None:
    """Detached, they can be read by their positions, and come back."""
    judged, moved = decided(1, 70)
    with owned(small_segments) as journal:
        journal.append(batch(transfers=moved, decisions=judged))
        assert index_closed_segments(small_segments) == (0, 1)
        detach_segment(small_segments, 1)
        assert decisions_in(journal).tobytes() == judged.tobytes()
        assert _count(small_segments) == 70 - 32
        attach_segment(small_segments, 1)
        assert _count(small_segments) == 70


def _count(access: Access) -> int:
    with psycopg.connect(access.conninfo_for(Role.READER)) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM journal.v_decisions").fetchall()
    return int(count)


# -- journals that are older than decisions ------------------------------------------------


def _fill_old(access: Access) -> None:
    """Write 150 transfers as a release without decisions left them: a full segment in each state."""
    codec = statements.transfer_codec()
    with psycopg.connect(access.conninfo_for(Role.OWNER), autocommit=True) as connection:
        connection.execute("SELECT journal.create_segments(200)")
        connection.execute("UPDATE journal.writer SET epoch = 1, position = 150")
        copying = f"COPY journal.transfers ({codec.names}) FROM STDIN (FORMAT binary)"
        with connection.cursor().copy(copying.encode()) as copy:
            copy.write(b"".join((COPY_HEADER, codec.copy(transfers(1, 150)), COPY_TRAILER)))
        connection.execute(
            "INSERT INTO journal.commits (first, last, epoch, state_hash, requests) VALUES (1, 150, 1, 0, 1)"
        )
        connection.execute("SELECT journal.index_segment(0)")
        for table in ("transfers", "commits"):
            connection.execute(f"ALTER TABLE journal.{table} DETACH PARTITION journal.{table}_0".encode())


def test_an_older_journal_is_migrated(postgres: PostgresServer) -> None:
    """Each of its segments gets decisions as if it had always had them; what is there stays as it is."""
    access = postgres.supervisor.access("older")
    try:
        older = tuple(one for one in packaged_migrations() if one.name < "0006")
        migrate(access, migrations=older, segment_positions=64)
        _fill_old(access)
        assert migrate(access) == ("0006_decisions.sql",)
        judged, moved = decided(151, 100)
        with owned(access) as journal:
            journal.append(batch(transfers=moved, decisions=judged))
            assert np.array_equal(read_all(journal)[1], np.concatenate([transfers(1, 150), moved]))
            assert decisions_in(journal).tobytes() == judged.tobytes()
        assert index_closed_segments(access) == (1, 2, 3, 4)
        attach_segment(access, 0)
        with psycopg.connect(access.conninfo_for(Role.OWNER)) as connection:
            indexed = connection.execute(
                "SELECT tablename FROM pg_indexes WHERE indexname ~ '^decisions_[0-9]+_position$' ORDER BY 1"
            ).fetchall()
            ((rows,),) = connection.execute("SELECT count(*) FROM journal.v_transfers").fetchall()
        assert [name for (name,) in indexed] == [f"decisions_{number}" for number in range(5)]
        assert rows == 250
    finally:
        postgres.drop("older")


# -- for people ----------------------------------------------------------------------------


def _shown(access: Access, query: str) -> list[dict[str, object]]:
    with psycopg.connect(access.conninfo_for(Role.READER), row_factory=dict_row) as connection:
        return connection.execute(query.encode()).fetchall()


def test_decisions_are_readable(access: Access) -> None:
    """Every field is shown with its own value, beside the transfer that it is about."""
    judged, moved = decided(1, 6)
    judged["features"] = (0, 1, 31, 33, VALUES, 2**16 - 1)
    judged["model_2"] = 0
    alone = decisions(13, 1, has_more=False)
    alone["features"] = VALUES
    with owned(access) as journal:
        journal.append(batch(transfers=moved, decisions=judged))
        journal.append(batch(decisions=alone))
    shown = _shown(access, "SELECT * FROM journal.v_decisions ORDER BY position")
    for row, seen in zip(np.concatenate([judged, alone]), shown, strict=True):
        for name in ("position", "timestamp", "point", "policy", "outcome", "effect", "cap", "withheld"):
            assert seen[name] == int(row[name])
        for name, width in (("path", 16), ("rules_true", 64), ("rules_unknown", 64)):
            assert seen[name] == f"{int(row[name]):0{width}b}"
        models = [int(row[f"model_{place}"]) for place in range(SCORES)]
        assert seen["models"] == [f"{model:016x}" if model else None for model in models]
        scores = [float(row[f"score_{place}"]) if model else None for place, model in enumerate(models)]
        assert repr(seen["scores"]) == repr(scores)
        assert repr(seen["propensity"]) == repr(float(row["propensity"]))
        assert seen["reasons"] == [int(row[f"reason_{place}"]) for place in range(REASONS)]
        told = [float(row[f"value_{place:02}"]) for place in range(min(int(row["features"]), VALUES))]
        assert repr(seen["features"]) == repr([None if np.isnan(value) else value for value in told])
    for row, seen in zip(moved, shown[:6], strict=True):
        for name in ("id", "debit_account_id", "credit_account_id"):
            whole = UUID(int=(int(row[f"{name}_high"]) << 64) | int(row[f"{name}_low"]))
            assert seen["transfer_id" if name == "id" else name] == whole
        assert [seen[name] for name in ("amount", "ledger", "code")] == [
            int(row[name]) for name in ("amount", "ledger", "code")
        ]
        assert seen["status"] == "created"
    assert (shown[6]["transfer_id"], shown[6]["status"]) == (None, None)


def test_doubles_are_exact(access: Access) -> None:
    """The smallest, the largest, what is no number, and any bits: as IEEE 754 has them."""
    words = np.frombuffer(np.random.default_rng(6).bytes(8 * 200), ">u8").copy()
    words[:6] = [0, 1 << 63, 1, (1 << 52) - 1, 1 << 52, (2047 << 52) - 1]
    words[6:9] = [2047 << 52, 4095 << 52, 2**64 - 1]
    (row,) = _shown(
        access,
        "SELECT array_agg(journal.double_at(words, place) ORDER BY place) AS found"
        f" FROM generate_series(0, {len(words) - 1}) AS place,"
        f" decode('{words.tobytes().hex()}', 'hex') AS words",
    )
    assert repr(row["found"]) == repr(words.view(">f8").tolist())


def test_decisions_at_any_positions(small_segments: Access) -> None:
    """Decisions come in the order asked for, over segments, or by the transfers that they are about."""
    judged, moved = decided(1, 80)
    with owned(small_segments) as journal:
        journal.append(batch(transfers=moved, decisions=judged))
    positions = np.array([159, 3, 63, 65, 3, 1])
    reader = JournalReader(small_segments)
    try:
        found = reader.decisions_at(positions)
        assert found.tobytes() == judged[(positions - 1) // 2].tobytes()
        assert len(reader.decisions_at(np.zeros(0, np.int64))) == 0
        # One is no transfer's, one is asked for twice, and nothing stands before the first position.
        about = reader.decisions_before(np.array([66, 3, 64, 66, 2, 1]))
        assert about["position"].tolist() == [1, 63, 65]
    finally:
        reader.close()


@pytest.mark.parametrize("span", [4, 16, 4_096])
def test_decisions_of_a_span_of_time(
    small_segments: Access, monkeypatch: pytest.MonkeyPatch, span: int
) -> None:
    """All of them from a time on and before another, wherever the border lies, over segments and gaps."""
    monkeypatch.setattr(reader_module, "_DECISION_SPAN", span)
    reader = JournalReader(small_segments)
    judged, moved = decided(81, 60)
    judged["timestamp"] = np.repeat(np.arange(1_000, 1_020), 3)
    try:
        assert len(reader.decisions_between(first=0, after=2**62)) == 0
        with owned(small_segments) as journal:
            journal.append(batch(transfers=transfers(1, 80)))
            assert len(reader.decisions_between(first=0, after=2**62)) == 0
            journal.append(batch(transfers=moved, decisions=judged))
            journal.append(batch(transfers=transfers(201, 90)))
        for since, until in ((0, 2**62), (1_000, 1_001), (1_005, 1_012), (1_019, 1_020), (1_020, 2_000)):
            at = judged["timestamp"]
            expected = judged[(at >= since) & (at < until)]
            assert reader.decisions_between(first=since, after=until).tobytes() == expected.tobytes()
    finally:
        reader.close()


def test_a_position_without_a_decision_is_an_error(postgres: PostgresServer, access: Access) -> None:
    """Asking for the position of a transfer names it, and so does a decision that is there twice."""
    judged, moved = decided(1, 3)
    with owned(access) as journal:
        journal.append(batch(transfers=moved, decisions=judged))
    reader = JournalReader(access)
    try:
        with pytest.raises(JournalCorrupted, match="position 2 does not hold exactly one decision"):
            reader.decisions_at(np.array([3, 2, 1]))
        with postgres.superuser(database_of(access)) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(
                "INSERT INTO journal.decisions SELECT * FROM journal.decisions WHERE position = 3"
            )
        with pytest.raises(JournalCorrupted, match="position 3 does not hold exactly one decision"):
            reader.decisions_before(np.array([2, 4]))
    finally:
        reader.close()
