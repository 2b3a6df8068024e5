"""What the ledger's tests share: packing odd events, reading answers, and what must always hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from formicary.base.clock import SimulatedClock
from formicary.factory.ledger import (
    Account,
    AccountFlags,
    CreateAccountStatus,
    CreateTransferStatus,
    Ledger,
    Transfer,
    account_array,
    transfer_array,
)
from tests.factory.ledger.oracle import Oracle, Outcome, entry_totals, unpack
from tests.factory.ledger.oracle_rules import TOTALS, Record

START: Final = 1_700_000_000 * 10**9
SECOND: Final = 10**9


def pack(events: Sequence[Record]) -> Any:
    """Pack records, also ones no dataclass can express, into a request."""
    is_transfer = "amount" in events[0]
    kind: Any = Transfer if is_transfer else Account
    names = set(kind.__dataclass_fields__)
    items = [kind(**{name: value for name, value in event.items() if name in names}) for event in events]
    array = transfer_array(items) if is_transfer else account_array(items)
    for name in set().union(*events) - names:
        array[name] = [event.get(name, 0) for event in events]
    return array


def outcomes(results: Any) -> list[Outcome]:
    """Turn packed results into what the oracle answers."""
    records = unpack(results)
    if "debit_debits_posted" not in results.dtype.names:
        return [Outcome(record["status"], record["timestamp"]) for record in records]
    return [Outcome(record["status"], record["timestamp"], entry_totals(record)) for record in records]


def journal(ledger: Ledger) -> list[Record]:
    """Return all rows of a ledger in order of position, as the oracle keeps them."""
    rows = unpack(ledger.rows) + unpack(ledger.account_rows)
    rows.sort(key=lambda row: row["position"])
    return [without(row, "reserved") for row in rows]


def oracle_journal(oracle: Oracle) -> list[Record]:
    """Return the oracle's rows; of an account only what its row has."""
    return [without(row, "reserved", *TOTALS) for row in oracle.books.rows]


def without(record: Record, *names: str) -> Record:
    """Return a record less some fields."""
    return {name: value for name, value in record.items() if name not in names}


class Bench:
    """A ledger and the oracle on one clock, fed the same requests; every answer is compared."""

    def __init__(self, start: int = START, *, generation_rows: int | None = None) -> None:
        self.clock = SimulatedClock(start)
        self.ledger = (
            Ledger(self.clock)
            if generation_rows is None
            else Ledger(self.clock, generation_rows=generation_rows)
        )
        self.oracle = Oracle(self.clock)

    def execute(self, requests: Sequence[Any]) -> list[list[Outcome]]:
        """Decide packed requests as one group."""
        answers = [outcomes(results) for results in self.ledger.execute(requests)]
        assert answers == self.oracle.execute(requests)
        return answers

    def accounts(self, *accounts: Account) -> list[CreateAccountStatus]:
        """Open accounts; return the statuses."""
        (answers,) = self.execute([account_array(accounts)])
        return [CreateAccountStatus(answer.status) for answer in answers]

    def transfers(self, *transfers: Transfer) -> list[CreateTransferStatus]:
        """Make transfers; return the statuses."""
        return [CreateTransferStatus(answer.status) for answer in self.answers(*transfers)]

    def answers(self, *transfers: Transfer) -> list[Outcome]:
        """Make transfers; return the whole answers."""
        (answers,) = self.execute([transfer_array(transfers)])
        return answers

    def tick(self) -> None:
        """Run what is due."""
        self.ledger.tick()
        self.oracle.tick()

    def check(self) -> None:
        """Compare everything written and kept, and check what must always hold."""
        assert journal(self.ledger) == oracle_journal(self.oracle)
        kept = list(self.oracle.books.accounts.values())
        accounts = unpack(self.ledger.lookup_accounts([account["id"] for account in kept]))
        bookkeeping = ("last_entry", "position", "request")
        assert accounts == [without(account, *bookkeeping) for account in kept]
        check_conservation(accounts)
        check_floors(accounts)


def check_conservation(accounts: Iterable[Record]) -> None:
    """In every ledger debits equal credits, pending and posted apart, and no total is negative."""
    sums: dict[int, list[int]] = {}
    for account in accounts:
        assert min(account[name] for name in TOTALS) >= 0
        ledger = sums.setdefault(account["ledger"], [0, 0])
        ledger[0] += account["debits_pending"] - account["credits_pending"]
        ledger[1] += account["debits_posted"] - account["credits_posted"]
    assert all(differences == [0, 0] for differences in sums.values())


def check_floors(accounts: Iterable[Record]) -> None:
    """No floored account is below its floor, and no total above what fits."""
    for account in accounts:
        debits = account["debits_pending"] + account["debits_posted"]
        credits_ = account["credits_pending"] + account["credits_posted"]
        assert max(debits, credits_) < 2**63
        if account["flags"] & AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS:
            assert debits <= account["credits_posted"] + account["credit_limit"]
        if account["flags"] & AccountFlags.CREDITS_MUST_NOT_EXCEED_DEBITS:
            assert credits_ <= account["debits_posted"]
