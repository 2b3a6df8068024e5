"""What callers ask for: each operation as the engine takes it, and as the model does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from formicary.factory.engine.products import Command as ProductCommand
from formicary.factory.engine.requests import LedgerRequest, ReadRequest, Request, command_request
from formicary.factory.engine.state import FactoryState
from proofs.simulator.model import Command, Read
from tests.factory.ledger.oracle_rules import TOTALS

__all__ = ["Message", "Operation", "command_operation", "ledger_operation", "read_operation"]


@dataclass(slots=True, eq=False)
class Operation:
    """One request of a caller, retried until it is answered.

    ``answers`` are all that came back, the first one first.
    """

    name: str
    request: Request
    question: Any
    answers: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Message:
    """An operation under way to an engine.

    ``acknowledged`` is the position that somebody had been told of when it was sent: what is read
    must not be older.
    """

    operation: Operation
    acknowledged: int


def ledger_operation(name: str, items: Any) -> Operation:
    """Open accounts or make transfers."""
    return Operation(name, LedgerRequest(items), items)


def command_operation(name: str, key: str, command: ProductCommand) -> Operation:
    """Give a command under an idempotency key."""
    request = command_request("escrow", command, principal="caller", key=key)
    return Operation(name, request, Command(request.command_id, request.fingerprint, command))


def read_operation(name: str, accounts: tuple[int, ...]) -> Operation:
    """Look at accounts."""

    def look(state: FactoryState) -> tuple[int, list[tuple[int, ...]]]:
        machine = state.machine
        numbers = [machine.account_number(account) for account in accounts]
        found = [machine.accounts[number] if number >= 0 else None for number in numbers]
        return machine.position, [
            () if one is None else tuple(int(one[name]) for name in TOTALS) for one in found
        ]

    return Operation(name, ReadRequest(look), Read(accounts))
