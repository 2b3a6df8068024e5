"""A whole house for tests: an engine on a real journal, and beside it the ledger in memory, fed the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from formicary.base.clock import SimulatedClock
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Product
from formicary.factory.engine.requests import LedgerRequest, command_request
from formicary.factory.engine.state import FactoryState, known_events
from formicary.factory.follower import Follower, Pace, StateSnapshots
from formicary.factory.history import EntryIndex, History
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.reader import JournalReader
from formicary.factory.ledger import (
    SEMANTICS,
    Account,
    Ledger,
    Transfer,
    TransferFlags,
    account_array,
    id_column,
    transfer_array,
)
from tests.factory.engine.example_product import CURRENCY, OpenEscrow, RateEscrow
from tests.factory.ledger.workload import Workload

SMALL_GENERATION = 300
HOLDS = 0.1


@dataclass
class House:
    """An engine, its journal, a ledger that is told the same, and folders for files."""

    access: Access
    folder: Path
    clock: SimulatedClock
    journal: Journal
    engine: Engine
    ledger: Ledger
    products: Sequence[Product]
    opened: list[Any] = field(default_factory=list)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Let engine and ledger decide the same; return the engine's answers, which are the ledger's too."""
        answers = self.engine.execute([LedgerRequest(items) for items in requests])
        expected = self.ledger.execute(list(requests))
        assert [answer.tobytes() for answer in answers] == [answer.tobytes() for answer in expected]
        return answers

    def work(self, seed: int, *, groups: int, size: int = 12) -> Workload:
        """Let it work off a seeded workload in so many groups."""
        workload, random = Workload(seed), Random(seed)
        self.clock.set(workload.start)
        self.execute([workload.opening()])
        for _ in range(groups):
            self.clock.set(workload.pause())
            requests = [workload.request(random.randint(1, size)) for _ in range(random.randint(1, 3))]
            for request, answers in zip(requests, self.execute(requests), strict=True):
                workload.learn(request, answers["status"].tolist())
        return workload

    def pay(self, count: int, *, accounts: int = 5, seed: int = 1) -> None:
        """Let it make ``count`` small payments, some of them holds, among a few accounts: long histories."""
        random = Random(seed)
        opening = [Account(id=number, ledger=1, code=1) for number in range(1, accounts + 1)]
        self.execute([account_array(opening)])
        left = count
        while left:
            size = min(left, random.randint(1, 40))
            self.clock.advance(random.choice((0, 1, 10**6, 2 * 10**9)))
            self.execute([transfer_array([_payment(random, accounts) for _ in range(size)])])
            left -= size

    def rate(self, subject: int, *, key: str = "rate") -> None:
        """Let the engine carry out a command that moves no money; the ledger beside knows nothing of it."""
        self._command(RateEscrow(subject=subject, stars=2), key)

    def hold_in_escrow(self, subject: int) -> None:
        """Let the engine carry out a command that opens an account, moves money and sets timers."""
        parties = [Account(id=subject + number, ledger=CURRENCY, code=1) for number in (1, 2)]
        self.execute([account_array(parties)])
        opening = OpenEscrow(subject=subject, buyer=subject + 1, seller=subject + 2, amount=9, seconds=9_000)
        self._command(opening, "open")

    def _command(self, command: Any, key: str) -> None:
        request = command_request("escrow", command, principal="p", key=f"{key} {command.subject}")
        (receipt,) = self.engine.execute([request])
        assert receipt.code == ""
        # The engine is now ahead of the ledger by a few stamps.
        self.clock.advance(100)

    @property
    def account_ids(self) -> list[int]:
        """The ids of all accounts."""
        return id_column(self.engine.state.machine.accounts)

    @property
    def snapshots(self) -> StateSnapshots:
        """The folder of snapshots."""
        return StateSnapshots(self.folder / "snapshots")

    def reader(self) -> JournalReader:
        """Return a new reader, closed with the house."""
        reader = JournalReader(
            self.access, role=Role.FOLLOWER, upcasters=known_events(self.products), deadline_seconds=5
        )
        self.opened.append(reader)
        return reader

    def follower(self, *, name: str = "follower", **options: Any) -> Follower:
        """Return a new follower, closed with the house."""
        follower = Follower(
            reader=self.reader(),
            index=EntryIndex(self.access),
            snapshots=self.snapshots,
            folder=self.folder / name,
            products=self.products,
            **{"generation_rows": SMALL_GENERATION, "pace": Pace(), **options},
        )
        self.opened.append(follower)
        return follower

    def history(self) -> History:
        """Return history that looks at the engine's memory, closed with the house."""
        history = History(self.access, lambda read: read(self.engine.state.machine))
        self.opened.append(history)
        return history


def _payment(random: Random, accounts: int) -> Transfer:
    debit, credit = random.sample(range(1, accounts + 1), 2)
    is_hold = random.random() < HOLDS
    return Transfer(
        id=random.getrandbits(127) + 1,
        debit_account_id=debit,
        credit_account_id=credit,
        amount=random.randint(0, 1_000),
        ledger=1,
        code=random.randint(1, 3),
        user_data_128=random.choice((0, 1, 2**127)),
        user_data_64=random.choice((0, 1, 2**63)),
        user_data_32=random.choice((0, 1, 2**31)),
        flags=TransferFlags.PENDING if is_hold else TransferFlags.NONE,
        timeout=random.choice((0, 1, 3)) if is_hold else 0,
    )


@contextmanager
def open_house(
    access: Access,
    folder: Path,
    *,
    products: Sequence[Product] = (),
    generation_rows: int = SMALL_GENERATION,
) -> Iterator[House]:
    """Open a house on a fresh database."""
    clock = SimulatedClock(10**18)
    journal = Journal(access, semantics=SEMANTICS, upcasters=known_events(products), deadline_seconds=5)
    sealed = folder / "engine"
    sealed.mkdir()
    engine = Engine(journal, lambda: FactoryState(sealed, products, generation_rows=generation_rows), clock)
    house = House(access, folder, clock, journal, engine, Ledger(clock), products, [journal])
    try:
        engine.recover()
        # The ledger beside has no row that says which semantics hold, stamped just now.
        clock.advance(1)
        yield house
    finally:
        for closable in house.opened:
            closable.close()
