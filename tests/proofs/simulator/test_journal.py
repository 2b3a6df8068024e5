"""The simulated journal keeps the contract of the real one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from formicary.factory.engine.state import ANSWERED
from formicary.factory.journal.batch import Batch
from formicary.factory.journal.errors import BatchRejected, Fenced, JournalCorrupted
from formicary.factory.journal.events import Event
from formicary.factory.journal.rows import ACCOUNT_ROW, TRANSFER_ROW
from proofs.simulator.dice import Dice
from proofs.simulator.journal import SimulatedJournal
from proofs.simulator.store import Store, Transaction
from tests.factory.journal.kit import decisions


def batch(first: int, *, transfers: int = 1, events: int = 0) -> Batch:
    """Make a batch of transfers, then answers."""
    rows = np.zeros(transfers, TRANSFER_ROW)
    rows["position"] = np.arange(first, first + transfers)
    last = first + transfers + events - 1
    answers = tuple(
        Event(
            position=position,
            timestamp=1,
            kind=ANSWERED,
            version=1,
            command_id=position,
            subject=0,
            body=b'{"b":1,"a":2}',
        )
        for position in range(first + transfers, last + 1)
    )
    return Batch(
        accounts=np.zeros(0, ACCOUNT_ROW),
        transfers=rows,
        events=answers,
        first=first,
        last=last,
        requests=1,
        state_hash=0,
    )


class Bench:
    """A store, and connections to it on which nothing fails."""

    def __init__(self) -> None:
        self.committed: list[Transaction] = []
        self.fate = True
        self.store = Store(self.committed.append, lambda: self.fate)
        self.dice = Dice(0)
        self.dice.quiet = True

    def connect(self) -> SimulatedJournal:
        """Open a connection."""
        return SimulatedJournal(self.store, self.dice, lambda: None)

    def leave_in_flight(self) -> None:
        """Begin an append that nobody waits for."""
        lease = self.store.take_over()
        self.store.begin(lease, batch(lease.position + 1)).is_abandoned = True


@pytest.fixture
def bench() -> Bench:
    """Return a fresh bench."""
    return Bench()


def test_a_take_over_fences_the_writer_before(bench: Bench) -> None:
    """The deposed writer's append is refused, and so is its claim that it may answer reads."""
    first, second = bench.connect(), bench.connect()
    first.take_over()
    first.append(batch(1))
    second.take_over()
    with pytest.raises(Fenced):
        first.confirm()
    with pytest.raises(Fenced):
        first.append(batch(2))
    second.append(batch(2))
    second.confirm()
    assert [commit.lease.epoch for commit in bench.committed] == [1, 2]


def test_after_an_error_the_lease_is_gone(bench: Bench) -> None:
    """As with the real writer, only a take-over makes the next append possible."""
    journal = bench.connect()
    with pytest.raises(BatchRejected):
        journal.append(batch(1))
    journal.take_over()
    with pytest.raises(BatchRejected):
        journal.append(batch(2))


@pytest.mark.parametrize(("fate", "position"), [(True, 1), (False, 0)])
def test_a_take_over_waits_for_the_append_in_flight(bench: Bench, *, fate: bool, position: int) -> None:
    """However it ends, its end is before the epoch is raised, and the lease knows the tail."""
    bench.fate = fate
    bench.leave_in_flight()
    lease = bench.connect().take_over()
    assert (lease.epoch, lease.position) == (2, position)
    assert len(bench.committed) == position


def test_blocks_may_be_cut_anywhere(bench: Bench) -> None:
    """Together they hold every row once, and events come back in another spelling."""
    journal = bench.connect()
    journal.take_over()
    journal.append(batch(1, transfers=3, events=2))
    journal.append(batch(6, transfers=100))
    blocks = list(journal.read(after=2, until=90))
    assert [block.after for block in blocks[1:]] == [block.until for block in blocks[:-1]]
    positions = [int(row["position"]) for block in blocks for row in block.transfers]
    assert positions == [3, *range(6, 91)]
    assert [event.body for block in blocks for event in block.events] == [b'{"a": 2, "b": 1}'] * 2


def test_old_rows_are_found_by_position_and_by_command(bench: Bench) -> None:
    """What is not in the journal is an error for rows, and simply missing for answers."""
    journal = bench.connect()
    journal.take_over()
    journal.append(batch(1, transfers=2, events=1))
    assert journal.transfers_at(np.array([2, 1]))["position"].tolist() == [2, 1]
    assert set(journal.caused_by([3, 4], kind=ANSWERED)) == {3}
    with pytest.raises(JournalCorrupted):
        journal.transfers_at(np.array([3]))


def test_a_batch_is_kept_by_value(bench: Bench) -> None:
    """What the engine does to its arrays after the append does not reach the journal."""
    journal = bench.connect()
    journal.take_over()
    sent = batch(1)
    journal.append(sent)
    sent.transfers["amount"] = 7
    assert journal.transfers_at(np.array([1]))["amount"].tolist() == [0]
    judged = replace(batch(2), transfers=sent.transfers[:0], decisions=decisions(2, 1))
    journal.append(judged)
    judged.decisions["outcome"] ^= 1
    (block,) = bench.store.blocks((0, 2))
    assert block.decisions.tobytes() == decisions(2, 1).tobytes()
    assert bench.store.commit_at(1) is bench.committed[0]
    assert bench.store.commit_at(0) is None
