"""A house with identity's products on a journal in memory, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from formicary.base.clock import SimulatedClock
from formicary.base.scopes import Scope
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command
from formicary.factory.engine.reads import read_aggregates
from formicary.factory.engine.requests import LedgerRequest, ReadRequest, command_request
from formicary.factory.engine.state import FactoryState, Receipt
from formicary.factory.identity import IDENTITY
from formicary.factory.identity.credential import IssueKey
from formicary.factory.identity.keys import Credential, NewKey, new_key
from formicary.factory.identity.party import PartyKind, RegisterParty
from formicary.factory.ledger import Account, Transfer, account_array, transfer_array
from tests.factory.engine.null_journal import NullJournal

__all__ = ["DAY", "SECOND", "START", "House", "hexed"]

SECOND = 10**9
DAY = 86_400 * SECOND
START = 1_700_000_000 * SECOND


def hexed(value: int) -> str:
    """Return an id as commands hold it."""
    return f"{value:032x}"


class House:
    """An engine with identity's products, its journal and its clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = NullJournal()
        self.clock = SimulatedClock(START)
        self.random = Random(7)
        self.engine = Engine(self.journal, self._new_state, self.clock)
        self.engine.recover()
        self._commands = 0

    def does(self, product: str, command: Command, key: str = "") -> Receipt:
        """Carry out a command, under a key of its own unless one is given."""
        self._commands += 1
        named = key or f"command {self._commands}"
        request = command_request(product, command, principal="house", key=named)
        receipt: Receipt = self.engine.execute([request])[0]
        return receipt

    def done(self, product: str, command: Command) -> dict[str, Any]:
        """Carry out a command that must not be refused; return its answer."""
        receipt = self.does(product, command)
        assert receipt.code == ""
        return receipt.answer

    def refused(self, product: str, command: Command) -> str:
        """Carry out a command that must be refused; return the code. It leaves its answer and no more."""
        before = [event for batch in self.journal.batches for event in batch.events]
        receipt = self.does(product, command)
        after = [event for batch in self.journal.batches for event in batch.events]
        assert [event.kind for event in after[len(before) :]] == ["engine.answered"]
        return receipt.code

    def look(self, product: str, subject: int) -> dict[str, Any] | None:
        """Return an aggregate's fields, or None."""
        found: dict[str, Any] | None = self.engine.execute(
            [ReadRequest(read_aggregates(product, [subject]))]
        )[0][0]
        return found

    def has(self, product: str, subject: int) -> dict[str, Any]:
        """Return the fields of an aggregate that there is."""
        found = self.look(product, subject)
        assert found is not None
        return found

    def party(self, subject: int, kind: PartyKind = PartyKind.PERSON) -> int:
        """Register a party and return its id."""
        self.done("party", RegisterParty(subject=subject, kind=kind))
        return subject

    def key(self, subject: int, party: int, scopes: int = sum(Scope), expires: int = 0) -> NewKey:
        """Issue a key to a party."""
        made = new_key("test", subject, self.random.randbytes)
        command = IssueKey(
            subject=subject,
            party=hexed(party),
            hash_first=made.hash_first,
            hash_last=made.hash_last,
            scopes=scopes,
            expires=expires,
        )
        self.done("credential", command)
        return made

    def credential(self, subject: int) -> Credential:
        """Return a credential as a look gives it."""
        return Credential.of(self.has("credential", subject))

    def opens(self, *accounts: int) -> None:
        """Open accounts of pounds."""
        opened = [Account(id=number, ledger=826, code=1) for number in accounts]
        self.engine.execute([LedgerRequest(account_array(opened))])

    def pays(self, number: int, debit: int, credit: int, amount: int) -> None:
        """Make a transfer."""
        sides = {"debit_account_id": debit, "credit_account_id": credit}
        transfer = Transfer(id=number, amount=amount, ledger=826, code=1, **sides)
        self.engine.execute([LedgerRequest(transfer_array([transfer]))])

    def balance(self, account: int) -> int:
        """Return credits less debits, posted."""
        view = self.engine.state.machine.account_views([account])[0]
        return int(view["credits_posted"] - view["debits_posted"])

    def kinds(self) -> list[str]:
        """Return the kinds of all events in the journal."""
        return [event.kind for batch in self.journal.batches for event in batch.events]

    def require_refolds(self) -> None:
        """Fold the journal alone: it gives the state that the engine has."""
        fresh = self._new_state()
        for block in self.journal.read(after=0, until=self.journal.take_over().position):
            rows = (block.accounts, block.transfers, block.events)
            fresh.fold(*rows, until=block.until, decisions=block.decisions)
        assert fresh.state_hash == self.engine.state.state_hash
        assert fresh.timers == self.engine.state.timers

    def _new_state(self) -> FactoryState:
        return FactoryState(self.folder, IDENTITY)
