"""The ledger against the oracle on hostile random work, and the same work cut differently."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.factory.ledger import Ledger
from tests.factory.ledger.kit import Bench, journal, outcomes, pack, without
from tests.factory.ledger.oracle import Outcome
from tests.factory.ledger.oracle_rules import Record
from tests.factory.ledger.workload import Workload

WORLDS: Final = 40
EVENTS_PER_WORLD: Final = 500
WORLDS_CUT: Final = 8
# Tiny generations: ids and holds soon are in older and sealed ones, which must make no difference.
GENERATION_ROWS: Final = (None, 64, 300)

# One time of the clock, the events of each chain, and whether they are accounts.
Segment = tuple[int, list[list[Record]]]


@pytest.mark.parametrize("world", range(WORLDS))
def test_every_answer_and_row_is_the_oracle_s(world: int) -> None:
    """20,000 events: each answer equals the oracle's, and at the end of each world every row and total."""
    workload = Workload(world)
    bench = Bench(workload.start, generation_rows=GENERATION_ROWS[world % len(GENERATION_ROWS)])
    bench.execute([workload.opening()])
    events = 0
    while events < EVENTS_PER_WORLD:
        bench.clock.set(workload.pause())
        if workload.random.random() < 0.05:
            bench.tick()
        sizes = workload.random.choices((1, 3, 10, 40), (4, 1, 1, 1), k=workload.random.randint(1, 3))
        requests = [workload.request(size) for size in sizes]
        for request, answers in zip(requests, bench.execute(requests), strict=True):
            workload.learn(request, [answer.status for answer in answers])
            events += len(answers)
    bench.check()


@pytest.mark.parametrize("world", range(WORLDS_CUT))
def test_results_do_not_depend_on_where_requests_are_cut(world: int) -> None:
    """One chain a request, or many, grouped or not: the same answers and the same rows."""
    workload = Workload(1_000 + world)
    apart, segments, expected = _decide_apart(workload)
    clock = SimulatedClock(workload.start)
    together = Ledger(clock, generation_rows=100)
    answers = _execute(together, [workload.opening()])
    for now, chains in segments:
        clock.set(now)
        answers += _execute(together, _merge(chains, workload.random))
    assert answers == expected
    # The number of an event within its request is all that may differ.
    rows, rows_apart = ([without(row, "request") for row in journal(ledger)] for ledger in (together, apart))
    assert rows == rows_apart


@pytest.mark.parametrize("world", range(WORLDS_CUT))
def test_state_does_not_depend_on_where_groups_are_cut(world: int) -> None:
    """The same requests one by one or as groups: the same bytes and the same state hash."""
    workload = Workload(2_000 + world)
    clock = SimulatedClock(workload.start)
    apart, together = Ledger(clock), Ledger(clock, generation_rows=64)
    for ledger in (apart, together):
        ledger.execute([workload.opening()])
    for _ in range(40):
        clock.set(workload.pause())
        requests = [
            workload.request(workload.random.randint(1, 8)) for _ in range(workload.random.randint(1, 5))
        ]
        for request in requests:
            (results,) = apart.execute([request])
            workload.learn(request, results["status"].tolist())
        together.execute(requests)
    assert np.array_equal(apart.rows, together.rows)
    assert np.array_equal(apart.account_rows, together.account_rows)
    assert apart.state_hash == together.state_hash


def _decide_apart(workload: Workload) -> tuple[Ledger, list[Segment], list[Outcome]]:
    """Decide a world one chain a request; return the ledger, the work and the answers."""
    clock, random = SimulatedClock(workload.start), workload.random
    ledger, segments = Ledger(clock), list[Segment]()
    answers = _execute(ledger, [workload.opening()])
    for _ in range(40):
        clock.set(workload.pause())
        accounts, importing = random.random() < 0.1, random.random() < 0.1
        chains = [
            workload.chain(accounts=accounts, importing=importing) for _ in range(random.randint(1, 12))
        ]
        segments.append((clock.now(), chains))
        for request in map(pack, chains):
            own = _execute(ledger, [request])
            workload.learn(request, [answer.status for answer in own])
            answers += own
    return ledger, segments, answers


def _merge(chains: list[list[Record]], random: Random) -> list[Any]:
    """Lay neighbouring chains of one import mode together at random; return the requests."""
    requests: list[list[Record]] = []
    for chain in chains:
        if requests and random.random() < 0.7 and _imports(requests[-1]) == _imports(chain):
            requests[-1] += chain
        else:
            requests.append(list(chain))
    return [pack(request) for request in requests]


def _imports(events: list[Record]) -> bool:
    imported = 1 << 8 if "amount" in events[0] else 1 << 4
    return bool(events[0]["flags"] & imported)


def _execute(ledger: Ledger, requests: list[Any]) -> list[Outcome]:
    return [answer for results in ledger.execute(requests) for answer in outcomes(results)]
