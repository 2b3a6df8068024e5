"""Rows, batches and journals for the tests of the journal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg.conninfo import conninfo_to_dict

from formicary.factory.journal.access import Access
from formicary.factory.journal.batch import NO_DECISIONS, Batch
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.events import Event
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.rows import ACCOUNT_ROW, DECISION_ROW, TRANSFER_ROW, VALUES

Rows = npt.NDArray[Any]

NO_ACCOUNTS = np.zeros(0, ACCOUNT_ROW)
NO_TRANSFERS = np.zeros(0, TRANSFER_ROW)


def transfers(first: int, count: int, *, seed: int = 0) -> Rows:
    """Return ``count`` transfers from position ``first`` on: what the schema asks for, and else any bits."""
    rows = np.frombuffer(
        np.random.default_rng([seed, first]).bytes(count * TRANSFER_ROW.itemsize), TRANSFER_ROW
    ).copy()
    rows["position"] = np.arange(first, first + count)
    rows["timestamp"] = rows["position"] + 1_000
    rows["amount"] &= 2**63 - 1
    rows["status"] = 0
    rows["ledger"] |= 1
    rows["code"] |= 1
    rows["reserved"] = 0
    rows["previous_debit"] = 0
    rows["previous_credit"] = rows["position"] - 1
    return rows


def decisions(first: int, count: int, *, has_more: bool = True) -> Rows:
    """Return ``count`` decisions from position ``first`` on, of any bits; of the values all, or half."""
    size = count * DECISION_ROW.itemsize
    rows = np.frombuffer(np.random.default_rng([7, first]).bytes(size), DECISION_ROW).copy()
    rows["position"] = np.arange(first, first + count)
    rows["timestamp"] = rows["position"] + 1_000
    if not has_more:
        for place in range(VALUES // 2, VALUES):
            rows[f"value_{place:02}"] = 0
    return rows


def decided(first: int, count: int, *, has_more: bool = True) -> tuple[Rows, Rows]:
    """Return ``count`` decisions and the transfers that they are about, turn by turn from ``first`` on."""
    judged, moved = decisions(first, count, has_more=has_more), transfers(first, count)
    for rows, offset in ((judged, 0), (moved, 1)):
        rows["position"] = first + offset + 2 * np.arange(count)
        rows["timestamp"] = rows["position"] + 1_000
    return judged, moved


def accounts(first: int, count: int) -> Rows:
    """Return accounts at ``count`` positions from ``first`` on."""
    rows = np.zeros(count, ACCOUNT_ROW)
    rows["position"] = np.arange(first, first + count)
    rows["timestamp"] = rows["position"] + 1_000
    rows["id_high"] = 2**64 - 1
    rows["id_low"] = rows["position"]
    rows["ledger"] = 2**32 - 1
    rows["code"] = 2**16 - 1
    return rows


def event(position: int, *, kind: str = "Happened", version: int = 1, body: bytes = b'{"n": 1}') -> Event:
    """Return an event."""
    return Event(
        position=position,
        timestamp=position + 1_000,
        kind=kind,
        version=version,
        command_id=2**128 - position,
        subject=position,
        body=body,
    )


def batch(
    *,
    accounts: Rows = NO_ACCOUNTS,
    transfers: Rows = NO_TRANSFERS,
    events: Iterable[Event] = (),
    decisions: Rows = NO_DECISIONS,
    requests: int = 1,
    state_hash: int = 2**64 - 1,
) -> Batch:
    """Return the batch of these parts."""
    events = tuple(events)
    rows = [row for part in (accounts, transfers, decisions) for row in part["position"]]
    positions = [*rows, *(event.position for event in events)]
    return Batch(
        accounts=accounts,
        transfers=transfers,
        events=events,
        decisions=decisions,
        first=int(min(positions)),
        last=int(max(positions)),
        requests=requests,
        state_hash=state_hash,
    )


@contextmanager
def opened(access: Access, *, semantics: int = 1, deadline_seconds: float = 5) -> Iterator[Journal]:
    """Open a journal and close it."""
    journal = Journal(access, semantics=semantics, deadline_seconds=deadline_seconds)
    try:
        yield journal
    finally:
        journal.close()


@contextmanager
def owned(access: Access) -> Iterator[Journal]:
    """Open a journal, take it over, and close it."""
    with opened(access) as journal:
        journal.take_over()
        yield journal


def read_all(journal: Journal) -> tuple[Rows, Rows, tuple[Event, ...]]:
    """Return every account, transfer and event of the journal."""
    blocks: list[Block] = list(journal.read(after=0, until=journal.head()))
    return (
        np.concatenate([NO_ACCOUNTS, *(block.accounts for block in blocks)]),
        np.concatenate([NO_TRANSFERS, *(block.transfers for block in blocks)]),
        tuple(event for block in blocks for event in block.events),
    )


def database_of(access: Access) -> str:
    """Return the name of the database."""
    return str(conninfo_to_dict(access.conninfo)["dbname"])


def wait_for(connection: psycopg.Connection[tuple[object, ...]], question: str) -> None:
    """Wait until a query's answer is true."""
    deadline = time.monotonic() + 10
    while connection.execute(question.encode()).fetchall() != [(True,)]:
        assert time.monotonic() < deadline, question
        time.sleep(0.005)
