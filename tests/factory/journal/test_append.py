"""Appending: what is written is what is read, whole or not at all, by one writer."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from formicary.base.limits import SMALL_APPEND_ROWS_MAX
from formicary.factory.journal import writer
from formicary.factory.journal.access import Access
from formicary.factory.journal.errors import BatchRejected, Fenced, JournalUnavailable
from formicary.factory.journal.takeover import Lease
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

LARGE = SMALL_APPEND_ROWS_MAX + 1


@pytest.mark.parametrize("count", [1, 3, LARGE], ids=["one", "few", "copied"])
def test_transfers_come_back(access: Access, count: int) -> None:
    """Every bit of a transfer survives, whichever way it was written."""
    written = transfers(1, count)
    with owned(access) as journal:
        journal.append(batch(transfers=written))
        assert np.array_equal(read_all(journal)[1], written)
        assert journal.head() == count


@pytest.mark.parametrize("count", [2, LARGE], ids=["one statement", "copied"])
def test_all_kinds_share_positions(access: Access, count: int) -> None:
    """Accounts, transfers and events of one batch come back, each in its order."""
    opened_accounts, moved = accounts(1, count), transfers(count + 1, count)
    events = tuple(event(position) for position in range(2 * count + 1, 3 * count + 1))
    with owned(access) as journal:
        journal.append(batch(accounts=opened_accounts, transfers=moved, events=events))
        journal.append(batch(events=[event(3 * count + 1)]))
        journal.append(batch(accounts=accounts(3 * count + 2, 1)))
        got_accounts, got_transfers, got_events = read_all(journal)
    assert np.array_equal(got_accounts[:-1], opened_accounts)
    assert np.array_equal(got_transfers, moved)
    assert got_events == (*events, event(3 * count + 1))


def test_an_append_is_begun_and_finished(access: Access) -> None:
    """Between the two its caller may do something else; it is durable when the second returns."""
    written = transfers(1, 3)
    with owned(access) as journal:
        finish = journal.begin(batch(transfers=written))
        finish()
        assert np.array_equal(read_all(journal)[1], written)


@pytest.mark.parametrize("count", [10, LARGE], ids=["one statement", "copied"])
def test_batch_over_a_segment_boundary(small_segments: Access, count: int) -> None:
    """A batch is cut where segments meet; the next ones are there before they are reached."""
    with owned(small_segments) as journal:
        journal.append(batch(transfers=transfers(1, 60)))
        journal.append(
            batch(accounts=accounts(61, 3), events=[event(64), event(65)], transfers=transfers(66, count))
        )
        journal.append(batch(transfers=transfers(66 + count, 1)))
        got_accounts, got_transfers, got_events = read_all(journal)
        assert len(got_accounts) == 3
        assert len(got_transfers) == 61 + count
        assert len(got_events) == 2
        assert [tuple(commit) for rows in journal.commits(after=0) for commit in rows[["first", "last"]]] == [
            (1, 60),
            (61, 65 + count),
            (66 + count, 66 + count),
        ]


def test_commits_note_what_no_hash_holds(access: Access) -> None:
    """The side table has each batch's positions, epoch, requests and state hash."""
    with owned(access) as journal:
        journal.append(batch(transfers=transfers(1, 2), requests=2, state_hash=2**64 - 1))
        journal.append(batch(transfers=transfers(3, LARGE), requests=5, state_hash=7))
        (commits,) = journal.commits(after=0)
        assert [
            tuple(map(int, row)) for row in commits[["first", "last", "epoch", "state_hash", "requests"]]
        ] == [
            (1, 2, 1, 2**64 - 1, 2),
            (3, 2 + LARGE, 1, 7, 5),
        ]
        assert np.all(np.diff(commits["wall_time"]) > 0)
        (later,) = journal.commits(after=2)
        assert later["first"].tolist() == [3]
        assert list(journal.commits(after=3)) == []


@pytest.mark.parametrize("count", [1, LARGE], ids=["one statement", "copied"])
def test_a_deposed_writer_is_fenced(access: Access, count: int) -> None:
    """After a take-over the old writer's batch is refused, and nothing of it is written."""
    with owned(access) as old, opened(access) as new:
        old.append(batch(transfers=transfers(1, 5)))
        assert new.take_over() == Lease(epoch=2, position=5)
        with pytest.raises(Fenced, match="epoch 1"):
            old.append(batch(transfers=transfers(6, count)))
        new.append(batch(transfers=transfers(6, 1)))
        assert new.head() == 6
        assert old.take_over() == Lease(epoch=3, position=6)


def test_only_the_owner_confirms(access: Access) -> None:
    """A deposed writer learns it before it answers what needs no append."""
    with owned(access) as old, opened(access) as new:
        old.append(batch(transfers=transfers(1, 1)))
        old.confirm()
        old.append(batch(transfers=transfers(2, 1)))
        with pytest.raises(BatchRejected, match="taken over"):
            new.confirm()
        new.take_over()
        with pytest.raises(Fenced, match="epoch 1"):
            old.confirm()
        with pytest.raises(BatchRejected, match="taken over"):
            old.append(batch(transfers=transfers(3, 1)))
        new.confirm()


def test_a_take_over_waits_for_an_append_in_flight(postgres: PostgresServer, access: Access) -> None:
    """The position that a take-over returns includes the batch that was being written when it began."""
    with owned(access) as old, opened(access) as new:
        old.append(batch(transfers=transfers(1, 1)))
        with postgres.superuser(database_of(access)) as blocker:
            with blocker.transaction():
                # Keeps the append from ending: it has passed the fence, but may not write to its partition.
                blocker.execute("LOCK TABLE journal.transfers_0 IN SHARE MODE")
                appending = threading.Thread(target=old.append, args=[batch(transfers=transfers(2, LARGE))])
                appending.start()
                wait_for(blocker, "SELECT count(*) = 1 FROM pg_locks WHERE NOT granted")
                leases: list[Lease] = []
                taking = threading.Thread(target=lambda: leases.append(new.take_over()))
                taking.start()
                wait_for(blocker, "SELECT count(*) = 2 FROM pg_locks WHERE NOT granted")
                assert leases == []
            appending.join()
            taking.join()
        assert leases == [Lease(epoch=2, position=1 + LARGE)]
        with pytest.raises(Fenced):
            old.append(batch(transfers=transfers(2 + LARGE, 1)))


def test_a_stopped_writer_is_ended(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that stands still in the middle of a COPY cannot keep the journal locked."""
    monkeypatch.setattr(writer, "_PATIENCE_SECONDS", 0.1)
    with owned(access) as stopped, opened(access) as new:
        stopped.append(batch(transfers=transfers(1, 1)))
        session = stopped._writer._session
        assert session is not None
        session.query(
            "BEGIN; UPDATE journal.writer SET position = 2;"
            "COPY journal.transfers_0 FROM STDIN (FORMAT binary)"
        )
        assert new.take_over() == Lease(epoch=2, position=1)
        with pytest.raises(JournalUnavailable):
            stopped.append(batch(transfers=transfers(2, 1)))


def test_append_needs_a_take_over(access: Access) -> None:
    """Before the first take-over, and after any error, there is nothing to append to."""
    with opened(access) as journal, pytest.raises(BatchRejected, match="taken over"):
        journal.append(batch(transfers=transfers(1, 1)))


def test_batches_follow_each_other(access: Access) -> None:
    """A batch that would leave a gap, or write a position again, is an error of the code."""
    with owned(access) as journal:
        journal.append(batch(transfers=transfers(1, 2)))
        with pytest.raises(BatchRejected, match="cannot follow position 2"):
            journal.append(batch(transfers=transfers(2, 2)))
        journal.append(batch(transfers=transfers(3, 1)))


@pytest.mark.parametrize("count", [1, LARGE], ids=["one statement", "copied"])
@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", -1), ("timestamp", 0), ("code", 0), ("ledger", 0)],
)
def test_constraints_repeat_the_invariants(access: Access, field: str, value: int, count: int) -> None:
    """A row that breaks an invariant is refused by the database, and nothing of its batch is written."""
    rows = transfers(1, count)
    rows[field][-1] = value
    with owned(access) as journal:
        with pytest.raises(BatchRejected, match="constraint"):
            journal.append(batch(transfers=rows))
        assert journal.head() == 0
        assert journal.take_over() == Lease(epoch=2, position=0)
        journal.append(batch(transfers=transfers(1, 1)))


def test_a_transfer_needs_two_accounts(access: Access) -> None:
    """A created transfer from an account to itself is refused; a burnt id may name none at all."""
    rows = transfers(1, 2)
    for word in ("high", "low"):
        rows[f"debit_account_id_{word}"] = rows[f"credit_account_id_{word}"]
    rows["status"] = 54
    with owned(access) as journal:
        journal.append(batch(transfers=rows))
        rows["position"] += 2
        rows["status"] = 101
        with pytest.raises(BatchRejected, match="two_accounts"):
            journal.append(batch(transfers=rows))


def test_a_lost_connection_is_unavailable(postgres: PostgresServer, access: Access) -> None:
    """When the connection dies the outcome is unknown; taking over again finds it out."""
    with owned(access) as journal:
        journal.append(batch(transfers=transfers(1, 1)))
        with postgres.superuser() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s",
                ("formicary writer",),
            )
        with pytest.raises(JournalUnavailable):
            journal.append(batch(transfers=transfers(2, 1)))
        assert journal.take_over() == Lease(epoch=2, position=1)


def test_nothing_waits_past_its_deadline(postgres: PostgresServer, access: Access) -> None:
    """An append that cannot go on gives up, with the server's reason."""
    with opened(access, deadline_seconds=0.2) as journal:
        journal.take_over()
        journal.append(batch(transfers=transfers(1, 1)))
        with postgres.superuser(database_of(access)) as blocker, blocker.transaction():
            blocker.execute("LOCK TABLE journal.transfers_0 IN SHARE MODE")
            with pytest.raises(JournalUnavailable):
                journal.append(batch(transfers=transfers(2, 1)))


def test_a_commit_that_became_a_rollback_is_no_success(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the server's word COMMIT counts."""
    monkeypatch.setattr(writer, "_COMMITTED", b"SOMETHING ELSE")
    with owned(access) as journal, pytest.raises(JournalUnavailable, match="to COMMIT"):
        journal.append(batch(transfers=transfers(1, LARGE)))


def test_a_segment_that_cannot_be_created_yet(
    postgres: PostgresServer,
    small_segments: Access,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While there is room, somebody in the way of the next segment does not stop the writer."""
    monkeypatch.setattr(writer, "_PATIENCE_SECONDS", 0.1)
    with opened(small_segments, deadline_seconds=0.5) as journal:
        journal.take_over()
        journal.append(batch(transfers=transfers(1, 1)))
        with postgres.superuser(database_of(small_segments)) as blocker, blocker.transaction():
            blocker.execute("LOCK TABLE journal.transfers IN SHARE UPDATE EXCLUSIVE MODE")
            journal.append(batch(transfers=transfers(2, 99)))
            journal.append(batch(transfers=transfers(101, 1)))
            assert caplog.text.count("could not be created yet") == 1
            with pytest.raises(JournalUnavailable):
                journal.append(batch(transfers=transfers(102, 60)))
        journal.take_over()
        journal.append(batch(transfers=transfers(102, 60)))
        assert len(read_all(journal)[1]) == 161
