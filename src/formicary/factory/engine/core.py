"""Deciding: a group of requests in, one batch of journal rows and the answers out.

No input or output but the look-up of old rows; time comes with the call. The same requests with the
same stamps give the same rows, wherever the groups were cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.errors import Refusal
from formicary.base.limits import PRODUCT_TIMERS_PER_STEP_MAX, TIMERS_PER_STEP_MAX
from formicary.factory.decisions.judges import CapTripped
from formicary.factory.decisions.live import CAP_TRIPPED
from formicary.factory.engine.context import DecidingContext, OldRows
from formicary.factory.engine.kept import Kept, kept_of, require_sweeps
from formicary.factory.engine.packing import pack_decision
from formicary.factory.engine.products import Product, TimerFired
from formicary.factory.engine.requests import (
    CommandRequest,
    KeyReused,
    LedgerRequest,
    MalformedCommand,
    ReadRequest,
    Request,
    TransferRefused,
    UnknownProduct,
    derive_id,
)
from formicary.factory.engine.state import (
    ANSWERED,
    TIMER_FIRED,
    FactoryState,
    PendingTimer,
    Receipt,
    TimerFiring,
)
from formicary.factory.features.live import FEATURES_ACTIVATED, newly_live
from formicary.factory.journal.batch import Batch
from formicary.factory.journal.events import Event
from formicary.factory.journal.rows import ACCOUNT_ROW, DECISION_ROW, TRANSFER_ROW
from formicary.factory.journal.semantics import semantics_activated
from formicary.factory.ledger import (
    ID_MAX,
    SEMANTICS,
    CreateAccountStatus,
    CreateTransferStatus,
    Group,
    LedgerMachine,
    TransferFlags,
    group_requests,
    refusal_of,
)

__all__ = ["Core", "Decided"]

Rows = npt.NDArray[Any]

_NO_ACCOUNTS: Final = np.empty(0, ACCOUNT_ROW)
_NO_TRANSFERS: Final = np.empty(0, TRANSFER_ROW)


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a group: a batch to append (None if nothing is to be kept), and the answers.

    An answer is an array of results, a ``Receipt``, what a read returned, or a refusal. No answer
    may be given before the batch is committed.
    """

    batch: Batch | None
    answers: list[Any]


class Core:
    """Decides; keeps the state ahead of the journal by what is not committed yet."""

    def __init__(self, state: FactoryState, old_rows: OldRows) -> None:
        self.state = state
        self._old_rows = old_rows
        self._accounts: list[Rows] = []
        self._transfers: list[Rows] = []
        self._events: list[Event] = []
        self._decisions: list[Rows] = []
        # Whether deciding stopped because a cap tripped, and not for a timer.
        self._tripped = False

    @property
    def _machine(self) -> LedgerMachine:
        return self.state.machine

    # -- one step --------------------------------------------------------------------------

    def run_timers(self, now: int) -> Decided | None:
        """Run timers due at ``now``, as many as fit one batch; None if none is due."""
        due = self._machine.due
        if due is None or due > now:
            return None
        first = self.state.position + 1
        for _ in range(PRODUCT_TIMERS_PER_STEP_MAX):
            self._run_timers_once(now)
            due = self._machine.due
            if due is None or due > now or self.state.position + 1 - first >= TIMERS_PER_STEP_MAX:
                break
        return Decided(self._batch(first, requests=0), [])

    def activate_semantics(self, now: int) -> Decided | None:
        """Date the first use of this code's kernels, unless the journal has it already."""
        if self.state.semantics >= SEMANTICS:
            return None
        first = self._machine.take_positions(1)
        event = semantics_activated(semantics=SEMANTICS, position=first, timestamp=self._stamp(now))
        self.state.apply([event])
        self._events.append(event)
        return Decided(self._batch(first, requests=0), [])

    def activate_features(self, now: int) -> Decided | None:
        """Date the first use of features that are new, or new in meaning; they know all of history already.

        Raises
        ------
        MeaningChanged
            A live feature means something else under the same version.
        """
        sets = [one for product in self.state.products.values() for one in product.features]
        activated = newly_live(sets, self.state.live_features)
        if activated is None:
            return None
        first = self.state.position + 1
        self._keep([Kept(FEATURES_ACTIVATED, 1, 0, activated)], 0, self._stamp(now))
        return Decided(self._batch(first, requests=0), [])

    def decide(self, requests: Sequence[Request], now: int) -> Decided:
        """Decide requests in their order; each event is stamped ``now`` or just after the one before."""
        first = self.state.position + 1
        known = self._receipts(requests)
        answers: list[Any] = []
        run: list[Rows] = []
        for request in requests:
            if isinstance(request, LedgerRequest) and refusal_of(request.items) is None:
                run.append(request.items)
                answers.append(None)
                continue
            self._decide_run(run, answers, now)
            run = []
            answers.append(self._decide_other(request, known, now))
        self._decide_run(run, answers, now)
        return Decided(self._batch(first, requests=len(requests)), answers)

    def _decide_other(self, request: Request, known: Mapping[int, Receipt], now: int) -> Any:
        if isinstance(request, LedgerRequest):
            return refusal_of(request.items)
        if isinstance(request, ReadRequest):
            return request.read(self.state)
        return self._decide_command(request, known, now)

    def _batch(self, first: int, *, requests: int) -> Batch | None:
        last = self.state.position
        accounts, transfers, events = self._accounts, self._transfers, self._events
        decisions = self._decisions
        self._accounts, self._transfers, self._events, self._decisions = [], [], [], []
        if last < first:
            return None
        return Batch(
            accounts=_join(accounts, ACCOUNT_ROW),
            transfers=_join(transfers, TRANSFER_ROW),
            events=tuple(events),
            decisions=_join(decisions, DECISION_ROW),
            first=first,
            last=last,
            requests=requests,
            state_hash=self.state.state_hash,
        )

    # -- the ledger's requests -------------------------------------------------------------

    def _decide_run(self, run: Sequence[Rows], answers: list[Any], now: int) -> None:
        """Decide consecutive ledger requests, whose answers are the last of ``answers``."""
        at = len(answers) - len(run)
        for group in group_requests(run):
            results = group.split(self._decide_group(group, self._stamp(now)))
            answers[at : at + len(results)] = results
            at += len(results)

    def _stamp(self, now: int) -> int:
        # A clock that went back is clamped: stamps only grow.
        return max(now, self._machine.timestamp + 1)

    def _decide_group(self, group: Group, first_stamp: int, *, run_timers: bool = True) -> Rows:
        results, decided = group.empty_results(), 0
        decide = self._decide_accounts if group.opens_accounts else self._decide_transfers
        while True:
            stamps = {"first_stamp": first_stamp, "start": decided, "run_timers": run_timers}
            decided = decide(group, results, **stamps)
            if decided == len(group.items):
                return results
            if not self._tripped:
                self._run_timers_once(first_stamp + decided)
            # What a timer moved was stamped as well: the rest of the group comes after it.
            first_stamp = max(first_stamp, self._machine.timestamp + 1 - decided)

    def _decide_accounts(self, group: Group, results: Rows, **stamps: Any) -> int:
        machine = self._machine
        machine.reserve(accounts=len(group.items))
        first_row, first = machine.scalar("recent"), len(machine.accounts)
        decided = machine.decide_accounts(group.items, group.ordinals, results, **stamps)
        done = slice(stamps["start"], decided)
        opened = machine.opened(first, group.items[done], results[done], group.ordinals[done])
        self._accounts.append(opened)
        self.state.fold_features(opened, _NO_TRANSFERS, (), until=machine.position)
        self._keep_rows(first_row)
        self._tripped = False
        return decided

    def _decide_transfers(self, group: Group, results: Rows, **stamps: Any) -> int:
        machine, judges = self._machine, self.state.judges
        machine.reserve(transfers=len(group.items))
        self._fetch(group.items)
        first_row = machine.scalar("recent")
        if judges is not None:
            judges.prepare(len(group.items))
            stamps["decide"] = judges.decide
        decided = machine.decide_transfers(group.items, group.ordinals, results, **stamps)
        trips: Sequence[CapTripped] = ()
        if judges is not None:
            self._decisions.append(judges.take(machine.take_decisions()))
            judges.note_followed(machine.position)
            trips = judges.trips()
        rows = machine.recent_rows(first_row)
        self._transfers.append(rows)
        # Before the next decision, which is to know of them.
        self.state.fold_features(_NO_ACCOUNTS, rows, (), until=machine.position)
        self._tripped = bool(trips)
        if trips:
            self._keep([Kept(CAP_TRIPPED, 1, 0, trip) for trip in trips], 0, machine.timestamp)
        return decided

    def _fetch(self, items: Rows) -> None:
        positions = self._machine.missing(items)
        # Nothing missing is the rule; nothing is looked up then.
        rows = self._old_rows.transfers_at(positions) if len(positions) else _NO_TRANSFERS
        self._machine.fetch(rows)

    def _keep_rows(self, first: int) -> None:
        # A copy: one batch may hold many timers and commands, and each of them may begin a new generation.
        rows = self._machine.recent_rows(first).copy()
        self._transfers.append(rows)
        self.state.fold_features(_NO_ACCOUNTS, rows, (), until=self._machine.position)

    # -- timers ----------------------------------------------------------------------------

    def _run_timers_once(self, stamp: int) -> None:
        """Run due timers in order: expiries up to the cap, or up to and with one of a product."""
        machine = self._machine
        machine.reserve()
        first_row = machine.scalar("recent")
        machine.tick(stamp)
        self._keep_rows(first_row)
        set_at = machine.take_timer(stamp)
        if set_at is not None and set_at in self.state.timers:
            self._fire(set_at, self.state.timers[set_at])

    def _fire(self, set_at: int, timer: PendingTimer) -> None:
        product, subject = self.state.products[timer.product], int(timer.subject, 16)
        fired = TimerFired(subject=subject, name=timer.name, due=timer.due)
        # Stamped with its own due time, unless the journal is past it already.
        stamp = max(timer.due, self._machine.timestamp)
        command_id = derive_id(set_at, 0)
        receipt, events = self._carry_out(product, fired, command_id, "", stamp)
        firing = TimerFiring(set_at=set_at, code=receipt.code)
        self._keep([Kept(TIMER_FIRED, 1, subject, firing), *events], command_id, stamp)

    # -- products' commands ----------------------------------------------------------------

    def _receipts(self, requests: Sequence[Request]) -> dict[int, Receipt]:
        # Also those in memory: the group itself may push them out before they are asked for.
        ids = [request.command_id for request in requests if isinstance(request, CommandRequest)]
        known = {key: receipt for key in ids if (receipt := self.state.receipt(key)) is not None}
        forgotten = [key for key in ids if key not in known]
        found = self._old_rows.caused_by(forgotten, kind=ANSWERED) if forgotten else {}
        return known | {key: msgspec.json.decode(event.body, type=Receipt) for key, event in found.items()}

    def _decide_command(self, request: CommandRequest, known: Mapping[int, Receipt], now: int) -> Any:
        earlier = self.state.receipt(request.command_id) or known.get(request.command_id)
        if earlier is not None:
            return earlier if earlier.fingerprint == request.fingerprint else KeyReused()
        product = self.state.products.get(request.product)
        if product is None or type(request.command) not in product.commands:
            return UnknownProduct()
        if not 0 <= request.command.subject <= ID_MAX:
            return MalformedCommand()
        stamp = self._stamp(now)
        while (due := self._machine.due) is not None and due <= stamp:
            self._run_timers_once(stamp)
            stamp = self._stamp(stamp)
        receipt, events = self._carry_out(
            product, request.command, request.command_id, request.fingerprint, stamp
        )
        subject = request.command.subject
        self._keep([*events, Kept(ANSWERED, 1, subject, receipt)], request.command_id, stamp)
        return receipt

    def _carry_out(
        self, product: Product, command: Any, command_id: int, fingerprint: str, stamp: int
    ) -> tuple[Receipt, list[Kept]]:
        """Let the product decide, move the money; return the receipt and the events to keep."""
        context = DecidingContext(stamp, command_id, self.state, self._old_rows)
        aggregate = self.state.aggregates[product.name].find(command.subject)
        try:
            decision = product.decide(command, aggregate, context)
            self.state.require_readable(product, decision)
            accounts, transfers = pack_decision(decision, context.derive_id)
            kept = kept_of(self.state.products, product, command.subject, decision)
            require_sweeps(self.state, kept)
            self._open(accounts, stamp)
            self._transfer(transfers, stamp)
        except Refusal as refusal:
            code = refusal.code if not isinstance(refusal, TransferRefused) else refusal.status
            return Receipt(product=product.name, fingerprint=fingerprint, code=code), []
        answer = dict(decision.answer)
        receipt = Receipt(product=product.name, fingerprint=fingerprint, answer=answer)
        return receipt, kept

    def _open(self, accounts: Rows, stamp: int) -> None:
        if not len(accounts):
            return
        group = group_requests([accounts])[0]
        results = self._decide_group(group, self._stamp(stamp), run_timers=False)
        for status in results["status"].tolist():
            if status not in (CreateAccountStatus.CREATED, CreateAccountStatus.EXISTS):
                raise TransferRefused(CreateAccountStatus(status).name.lower())

    def _transfer(self, items: Rows, stamp: int) -> None:
        if not len(items):
            return
        # One chain: every one is linked but the last.
        items["flags"] |= int(TransferFlags.LINKED)
        items["flags"][-1:] ^= int(TransferFlags.LINKED)
        group = group_requests([items])[0]
        results = self._decide_group(group, self._stamp(stamp), run_timers=False)
        self._transfers[-1] = self._transfers[-1].copy()
        for status in dict.fromkeys(results["status"].tolist()):
            if status not in (CreateTransferStatus.CREATED, CreateTransferStatus.LINKED_EVENT_FAILED):
                raise TransferRefused(CreateTransferStatus(status).name.lower())

    def _keep(self, kept: Sequence[Kept], command_id: int, stamp: int) -> None:
        first = self._machine.take_positions(len(kept))
        stamp = max(stamp, self._machine.timestamp)
        events = [
            Event(
                position=first + i,
                timestamp=stamp,
                kind=one.kind,
                version=one.version,
                command_id=command_id,
                subject=one.subject,
                body=msgspec.json.encode(one.body),
            )
            for i, one in enumerate(kept)
        ]
        self.state.apply(events)
        self.state.fold_features(_NO_ACCOUNTS, _NO_TRANSFERS, events, until=self._machine.position)
        self._events += events


def _join(parts: Sequence[Rows], dtype: np.dtype[Any]) -> Rows:
    full = [part for part in parts if len(part)]
    return full[0] if len(full) == 1 else joined(full, dtype)
