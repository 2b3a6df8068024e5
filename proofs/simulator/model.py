"""The factory as its documentation describes it: the ledger's oracle, with commands and timers beside it.

It shares no code with the engine. Each engine has a copy, forked from the one that belongs to the
last commit, so that what it decides is compared row for row before it is committed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from formicary.base.clock import SimulatedClock
from formicary.factory.engine.requests import derive_id
from formicary.factory.journal.batch import Batch
from formicary.factory.journal.semantics import SEMANTICS_ACTIVATED
from proofs.simulator.escrow_model import (
    Escrow,
    Refused,
    Wish,
    decide_command,
    decide_timer,
    refuse,
)
from proofs.simulator.records import unpack
from proofs.simulator.violations import require, violate
from tests.factory.ledger.oracle import Oracle, Outcome, chains
from tests.factory.ledger.oracle_rules import DETAILS, SIDES, TOTALS, A, Record, S, due, entry_times

__all__ = ["Command", "Model", "Read", "Receipt"]


class Command(NamedTuple):
    """A command as the model takes it."""

    command_id: int
    fingerprint: str
    body: Any


class Read(NamedTuple):
    """A look at some accounts."""

    accounts: tuple[int, ...]


class Receipt(NamedTuple):
    """What a command is answered: ``code`` is empty where it was done."""

    code: str
    answer: dict[str, int]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class _Timer:
    due: int
    position: int
    subject: int
    name: str


class Model(Oracle):
    """The independent model of everything an engine decides."""

    def __init__(self) -> None:
        super().__init__(SimulatedClock(0))
        self.escrows: dict[int, Escrow] = {}
        self.timers: dict[int, _Timer] = {}
        self.receipts: dict[int, Receipt] = {}

    def fork(self, *, recovered: bool = False) -> Model:
        """Return a copy; a recovered engine knows only the stamps that the journal has."""
        fork = Model()
        fork.books = self.books.copy()
        fork.escrows, fork.timers, fork.receipts = dict(self.escrows), dict(self.timers), dict(self.receipts)
        fork.last_timestamp = self.last_timestamp
        if recovered:
            fork.last_timestamp = max((row["timestamp"] for row in self.books.rows), default=0)
        return fork

    def activate(self, batch: Batch) -> None:
        """Take the one row with which an engine dates its semantics while it recovers."""
        (event,) = batch.events
        require(event.kind == SEMANTICS_ACTIVATED, "an engine decides nothing while it recovers", event.kind)
        self._write(event.kind, {}, 0, 0, event.timestamp)

    @property
    def position(self) -> int:
        """The position of the last row."""
        return len(self.books.rows)

    def next_due(self) -> int | None:
        """Return when the next hold or timer falls due, in nanoseconds."""
        first = self._first_due()
        return None if first is None else first[0]

    def decide(self, requests: Iterable[Any], now: int) -> list[Any]:
        """Decide packed requests, commands and reads in their order."""
        return [self._decide(request, now) for request in requests]

    def run_timers(self, count: int) -> None:
        """Run what is due next until ``count`` rows were written."""
        end = self.position + count
        while self.position < end:
            self._run_first()

    # -- one request -----------------------------------------------------------------------

    def _decide(self, request: Any, now: int) -> Any:
        self.clock = SimulatedClock(now)
        if isinstance(request, Command):
            return self._command(request, now)
        if isinstance(request, Read):
            return self.look(request)
        return self._request(unpack(request))

    def look(self, read: Read) -> tuple[int, list[tuple[int, ...]]]:
        """Return the position and the totals of accounts, empty where there is none."""
        found = [self.books.accounts.get(account) for account in read.accounts]
        return self.position, [tuple(one[name] for name in TOTALS) if one else () for one in found]

    def _request(self, events: list[Record]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        stamp = max(self.clock.now(), self.last_timestamp + 1)
        for chain in chains(events):
            outcomes += self._stamped_chain(chain, self._expire_before(stamp))
            stamp = self.last_timestamp + 1
        return outcomes

    def _expire_before(self, stamp: int) -> int:
        """Run what is due at a stamp; return the stamp that is left, as timers' transfers take some."""
        while (first := self._first_due()) is not None and first[0] <= stamp:
            self._run_first()
            stamp = max(stamp, self.last_timestamp + 1)
        return stamp

    def _stamped_chain(self, chain: list[Record], stamp: int) -> list[Outcome]:
        outcomes = self._chain(chain, stamp, importing=False)
        self.last_timestamp = stamp + len(chain) - 1
        return outcomes

    # -- commands --------------------------------------------------------------------------

    def _command(self, command: Command, now: int) -> Receipt | str:
        earlier = self.receipts.get(command.command_id)
        if earlier is not None:
            return earlier if earlier.fingerprint == command.fingerprint else "idempotency_key_reused"
        stamp = self._expire_before(max(now, self.last_timestamp + 1))
        escrow = self.escrows.get(command.body.subject)
        try:
            wish = decide_command(command.body, escrow, stamp)
            self._carry_out(wish, command.command_id, stamp)
            receipt = Receipt("", wish.answer, command.fingerprint)
        except Refused as refused:
            wish, receipt = Wish(), Receipt(refused.code, {}, command.fingerprint)
        self._keep(wish, command.command_id, command.body.subject, stamp)
        body = {"product": "escrow", **receipt._asdict()}
        self._write("engine.answered", body, command.command_id, command.body.subject, stamp)
        self.receipts[command.command_id] = receipt
        return receipt

    def _carry_out(self, wish: Wish, command_id: int, stamp: int) -> None:
        """Open the account, then move the money; an account stays open where the money is refused."""
        for account in wish.accounts:
            (outcome,) = self._stamped_chain([account], max(stamp, self.last_timestamp + 1))
            if outcome.status not in (A.CREATED, A.EXISTS):
                refuse(A(outcome.status).name.lower())
        chain = wish.chain(command_id)
        if chain:
            outcomes = self._stamped_chain(chain, max(stamp, self.last_timestamp + 1))
            failed = [o for o in outcomes if o.status not in (S.CREATED, S.LINKED_EVENT_FAILED)]
            if failed:
                refuse(S(failed[0].status).name.lower())

    def _keep(self, wish: Wish, command_id: int, subject: int, stamp: int) -> None:
        for kind, body in wish.events:
            self._write(kind, body, command_id, subject, stamp)
        if wish.escrow is not None:
            self.escrows[subject] = wish.escrow
        for name, when in wish.timers:
            body = {"product": "escrow", "subject": f"{subject:032x}", "name": name, "due": when}
            self._write("engine.timer_set", body, command_id, subject, stamp)
            self.timers[self.position] = _Timer(when, self.position, subject, name)

    def _write(self, kind: str, body: dict[str, Any], command_id: int, subject: int, stamp: int) -> None:
        self.last_timestamp = max(self.last_timestamp, stamp)
        header = {"command_id": command_id, "subject": subject, "timestamp": self.last_timestamp}
        row: Any = {"position": self.position + 1, "kind": kind, "body": body, **header}
        self.books.rows.append(row)

    # -- what falls due --------------------------------------------------------------------

    def _first_due(self) -> tuple[int, int, Any] | None:
        transfers, holds = self.books.transfers, self.books.holds
        held = [transfers[hold] for hold, state in holds.items() if state == "open"]
        waiting: list[tuple[int, int, Any]] = [
            (due(one), one["position"], one) for one in held if one["timeout"]
        ]
        waiting += [(timer.due, timer.position, timer) for timer in self.timers.values()]
        return min(waiting, key=lambda one: one[:2], default=None)

    def _run_first(self) -> None:
        first = self._first_due()
        if first is None:
            violate("only what is due runs", f"after position {self.position}")
        if isinstance(first[2], _Timer):
            self._fire(first[2])
        else:
            self._release(first[2])

    def _release(self, held: Record) -> None:
        self.books.holds[held["id"]] = "expired"
        row = {name: held[name] for name in (*SIDES, *DETAILS, "amount")}
        stamp = max([due(held), *entry_times(self.books)])
        row |= {"pending_id": held["id"], "timestamp": stamp, "status": int(S.EXPIRED)}
        self._enter(row, pending=-held["amount"], reopened=held["flags"])
        self.last_timestamp = max(self.last_timestamp, due(held) - 1)

    def _fire(self, timer: _Timer) -> None:
        del self.timers[timer.position]
        stamp = max(timer.due, self.last_timestamp)
        command_id = derive_id(timer.position, 0)
        try:
            wish, code = decide_timer(timer.name, timer.subject, self.escrows.get(timer.subject), stamp), ""
            self._carry_out(wish, command_id, stamp)
        except Refused as refused:
            wish, code = Wish(), refused.code
        body = {"set_at": timer.position, "code": code}
        self._write("engine.timer_fired", body, command_id, timer.subject, stamp)
        self._keep(wish, command_id, timer.subject, stamp)
