"""An independent ledger: plain dictionaries and Python integers, one event at a time.

Written from the documented semantics alone, it shares no code with the kernel (only the names
of flags and statuses). It answers with the same statuses, timestamps and totals and writes the
same ordered rows; slow and obvious on purpose. ``oracle_rules`` has the order of the refusals.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from formicary.base.clock import Clock
from formicary.factory.ledger import AccountFlags, CreateAccountStatus, CreateTransferStatus, TransferFlags
from tests.factory.ledger.oracle_rules import (
    DETAILS,
    POST,
    RESOLVES,
    SIDES,
    TOTALS,
    Books,
    Record,
    account_fields,
    account_retry,
    balanced_amount,
    due,
    entry_times,
    envelope,
    first,
    is_imported,
    is_transfer,
    plain_fields,
    plain_funds,
    resolution,
    resolved_amount,
    transfer_retry,
)

S, A, F, G = CreateTransferStatus, CreateAccountStatus, TransferFlags, AccountFlags
ENTRY_TOTALS: Final = tuple(f"{side}_{name}" for side in ("debit", "credit") for name in TOTALS)
NO_TOTALS: Final = (0,) * len(ENTRY_TOTALS)
BLANK_ROW: Final = dict.fromkeys(
    (
        *("id", *SIDES, "amount", "pending_id", *DETAILS, "timeout", "flags", "status"),
        *("request", "previous_debit", "previous_credit", *ENTRY_TOTALS),
    ),
    0,
)
TRANSIENT: Final = (
    S.DEBIT_ACCOUNT_NOT_FOUND,
    S.CREDIT_ACCOUNT_NOT_FOUND,
    S.PENDING_TRANSFER_NOT_FOUND,
    S.EXCEEDS_CREDITS,
    S.EXCEEDS_DEBITS,
    S.DEBIT_ACCOUNT_ALREADY_CLOSED,
    S.CREDIT_ACCOUNT_ALREADY_CLOSED,
)


class Outcome(NamedTuple):
    """What one event is answered; an account has no totals."""

    status: int
    timestamp: int
    totals: tuple[int, ...] = NO_TOTALS


class Oracle:
    """The ledger's semantics as a reader of its documentation would write them down."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.books, self.last_timestamp = clock, Books(), 0

    def execute(self, requests: Iterable[Any]) -> list[list[Outcome]]:
        """Decide packed requests in order."""
        return [
            self._request([event | {"request": number} for number, event in enumerate(unpack(request))])
            for request in requests
        ]

    def tick(self) -> None:
        """Expire what is due now."""
        self._expire(self.clock.now())

    def _request(self, events: list[Record]) -> list[Outcome]:
        stamp = max(self.clock.now(), self.last_timestamp + 1)
        importing = bool(events) and is_imported(events[0])
        outcomes: list[Outcome] = []
        for chain in chains(events):
            self._expire(stamp)
            outcomes += self._chain(chain, stamp, importing=importing)
            stamp += len(chain)
            self.last_timestamp = stamp - 1
        return outcomes

    def _chain(self, chain: list[Record], stamp: int, *, importing: bool) -> list[Outcome]:
        before = self.books.copy() if len(chain) > 1 else self.books
        outcomes: list[Outcome] = []
        breaker = None
        for own, event in enumerate(chain, stamp):
            if event is chain[-1] and event["flags"] & F.LINKED:
                outcome = Outcome(S.LINKED_EVENT_CHAIN_OPEN, own)
            elif breaker is not None:
                outcome = Outcome(S.LINKED_EVENT_FAILED, own)
            else:
                outcome = self._event(event, own, importing=importing)
            if outcome.status != S.CREATED and breaker is None:
                breaker = len(outcomes)
            outcomes.append(outcome)
        if breaker is None:
            return outcomes
        self.books = before
        self._burn(chain[breaker], stamp + breaker, outcomes[breaker].status)
        if len(chain) == 1:
            return outcomes
        undone = [Outcome(S.LINKED_EVENT_FAILED, stamp + number) for number in range(breaker)]
        return undone + [outcome._replace(totals=NO_TOTALS) for outcome in outcomes[breaker:]]

    def _burn(self, event: Record, stamp: int, status: int) -> None:
        if is_transfer(event) and status in TRANSIENT:
            self.books.burnt.add(event["id"])
            row = BLANK_ROW | event | {"timestamp": stamp, "status": status}
            self.books.rows.append(row | {"position": len(self.books.rows) + 1})

    def _event(self, event: Record, stamp: int, *, importing: bool) -> Outcome:
        status = first(envelope(event, stamp, importing=importing))
        if status:
            return Outcome(status, stamp)
        return self._transfer(event, stamp) if is_transfer(event) else self._account(event, stamp)

    def _account(self, account: Record, stamp: int) -> Outcome:
        books = self.books
        if account["id"] in books.accounts:
            existing = books.accounts[account["id"]]
            status = first(account_retry(account, existing))
            return Outcome(status, existing["timestamp"] if status == A.EXISTS else stamp)
        status = first(account_fields(books, account))
        if status:
            return Outcome(status, stamp)
        opened = account | {"timestamp": account["timestamp"] or stamp, "position": len(books.rows) + 1}
        books.accounts[account["id"]] = opened | {"last_entry": 0}
        books.rows.append(opened)
        return Outcome(A.CREATED, opened["timestamp"])

    def _transfer(self, transfer: Record, stamp: int) -> Outcome:
        books = self.books
        if transfer["id"] in books.transfers:
            existing = books.transfers[transfer["id"]]
            held = books.transfers.get(existing["pending_id"], existing)
            status = first(transfer_retry(transfer, existing, held))
            if status == S.EXISTS:
                return Outcome(status, existing["timestamp"], entry_totals(existing))
            return Outcome(status, stamp)
        if transfer["id"] in books.burnt:
            return Outcome(S.ID_ALREADY_FAILED, stamp)
        return (
            self._resolve(transfer, stamp) if transfer["flags"] & RESOLVES else self._plain(transfer, stamp)
        )

    def _plain(self, transfer: Record, stamp: int) -> Outcome:
        status = first(plain_fields(self.books, transfer))
        if status:
            return Outcome(status, stamp)
        debit, credit = (self.books.accounts[transfer[name]] for name in SIDES)
        amount = balanced_amount(transfer, debit, credit)
        row = transfer | {"amount": amount, "timestamp": transfer["timestamp"] or stamp}
        status = first(plain_funds(row, debit, credit))
        if status:
            return Outcome(status, stamp, tuple(side[name] for side in (debit, credit) for name in TOTALS))
        if not row["flags"] & F.PENDING:
            return self._enter(row, posted=amount)
        self.books.holds[row["id"]] = "open"
        return self._enter(row, pending=amount, closed=row["flags"])

    def _resolve(self, transfer: Record, stamp: int) -> Outcome:
        status = first(resolution(self.books, transfer, stamp))
        if status:
            return Outcome(status, stamp)
        held = self.books.transfers[transfer["pending_id"]]
        amount = resolved_amount(transfer, held["amount"])
        row = transfer | {name: transfer[name] or held[name] for name in (*SIDES, *DETAILS)}
        row |= {"amount": amount, "timestamp": transfer["timestamp"] or stamp}
        if transfer["flags"] & POST:
            self.books.holds[held["id"]] = "posted"
            return self._enter(row, pending=-held["amount"], posted=amount)
        self.books.holds[held["id"]] = "voided"
        return self._enter(row, pending=-held["amount"], reopened=held["flags"])

    def _expire(self, now: int) -> None:
        transfers, holds = self.books.transfers, self.books.holds
        held_open = [transfers[hold] for hold, state in holds.items() if state == "open"]
        for held in sorted(held_open, key=lambda held: (due(held), held["position"])):
            if due(held) <= now:
                holds[held["id"]] = "expired"
                stamp = max([due(held), *entry_times(self.books)])
                row = {name: held[name] for name in (*SIDES, *DETAILS, "amount")}
                row |= {"pending_id": held["id"], "timestamp": stamp, "status": int(S.EXPIRED)}
                self._enter(row, pending=-held["amount"], reopened=held["flags"])
                self.last_timestamp = max(self.last_timestamp, due(held) - 1)

    def _enter(
        self, row: Record, *, pending: int = 0, posted: int = 0, closed: int = 0, reopened: int = 0
    ) -> Outcome:
        books = self.books
        row = BLANK_ROW | row | {"position": len(books.rows) + 1}
        for side, closing in (("debit", F.CLOSING_DEBIT), ("credit", F.CLOSING_CREDIT)):
            account = dict(books.accounts[row[f"{side}_account_id"]])
            account[f"{side}s_pending"] += pending
            account[f"{side}s_posted"] += posted
            if closed & closing:
                account["flags"] |= int(G.CLOSED)
            if reopened & closing:
                account["flags"] &= ~int(G.CLOSED)
            row[f"previous_{side}"], account["last_entry"] = account["last_entry"], row["position"]
            row |= {f"{side}_{name}": account[name] for name in TOTALS}
            books.accounts[account["id"]] = account
        books.rows.append(row)
        if row["status"] == S.CREATED:
            books.transfers[row["id"]] = row
        return Outcome(S.CREATED, row["timestamp"], entry_totals(row))


def entry_totals(row: Record) -> tuple[int, ...]:
    """Return the eight totals of a row."""
    return tuple(row[name] for name in ENTRY_TOTALS)


def chains(events: list[Record]) -> list[list[Record]]:
    """Cut a request after every event that is not linked to the next."""
    cut: list[list[Record]] = [[]]
    for event in events:
        cut[-1].append(event)
        if not event["flags"] & F.LINKED:
            cut.append([])
    return [chain for chain in cut if chain]


def unpack(array: Any) -> list[Record]:
    """Turn a packed array into records: a pair of words becomes one integer."""
    names = [name.removesuffix("_high") for name in array.dtype.names if not name.endswith("_low")]
    columns = [
        array[name].tolist()
        if name in array.dtype.names
        else [
            (high << 64) | low
            for high, low in zip(array[f"{name}_high"].tolist(), array[f"{name}_low"].tolist(), strict=True)
        ]
        for name in names
    ]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
