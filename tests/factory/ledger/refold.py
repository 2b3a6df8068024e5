"""The ways to get a ledger's state back: fold its journal, or take over a snapshot."""

from __future__ import annotations

from typing import Any

import numpy as np

from formicary.base.clock import Clock
from formicary.factory.journal.rows import TRANSFER_ROW
from formicary.factory.ledger import Ledger
from tests.factory.ledger.workload import Workload


def worked(seed: int, clock: Any, *, generation_rows: int, requests: int = 60) -> tuple[Ledger, Workload]:
    """Return a ledger after random work, and the workload that can go on from there."""
    workload = Workload(seed)
    clock.set(workload.start)
    ledger = Ledger(clock, generation_rows=generation_rows)
    ledger.execute([workload.opening()])
    for _ in range(requests):
        go_on(workload, clock, ledger)
    return ledger, workload


def go_on(workload: Workload, clock: Any, *ledgers: Ledger) -> None:
    """Let each ledger decide the same next request, and compare the answers."""
    clock.set(workload.pause())
    request = workload.request(workload.random.randint(1, 9))
    answers = [ledger.execute([request])[0] for ledger in ledgers]
    workload.learn(request, answers[0]["status"].tolist())
    for answer in answers[1:]:
        assert np.array_equal(answer, answers[0])


def fold(ledger: Ledger, clock: Clock, *, block: int, generation_rows: int) -> Ledger:
    """Fold a ledger's journal, a block of positions at a time, into a new ledger."""
    folded = Ledger(clock, generation_rows=generation_rows)
    accounts, rows = ledger.account_rows, ledger.rows
    last = ledger._machine.position
    for after in range(0, last, block):
        until = min(after + block, last)
        parts = [part[(part["position"] > after) & (part["position"] <= until)] for part in (accounts, rows)]
        assert folded._machine.fold(*parts, until=until) is None
    # Refused events left no row: the stamps they took are told apart.
    folded._machine.note_stamp(ledger._machine.timestamp)
    folded._rows, folded._account_rows = [rows], [accounts]
    return folded


def restore(ledger: Ledger, clock: Clock, *, generation_rows: int, room: int = 0) -> Ledger:
    """Take over a snapshot of a ledger; its rows are in arrays with ``room`` for more of them."""
    restored = Ledger(clock, generation_rows=generation_rows)
    sections = {name: array.copy() for name, array in ledger._machine.sections().items()}
    for name in ("older", "recent"):
        sections[name] = np.append(sections[name], np.zeros(room, TRANSFER_ROW))
    restored._machine.restore(sections)
    for path in ledger._machine.sealed.files:
        restored._machine.sealed.load(path)
    restored._rows, restored._account_rows = [ledger.rows], [ledger.account_rows]
    return restored
