"""Small worlds in which a violation can be tried: two accounts, a hold, an original, with traits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from formicary.factory.ledger import (
    Account,
    AccountFlags,
    CreateTransferStatus,
    Transfer,
    TransferFlags,
)
from tests.factory.ledger.kit import SECOND, Bench, pack
from tests.factory.ledger.oracle import Outcome
from tests.factory.ledger.oracle_rules import Record
from tests.factory.ledger.violations import (
    ABSENT,
    AMOUNT_MAX,
    BURNT,
    CREDIT,
    DEBIT,
    FRESH,
    HALF,
    HOLD,
    LOADED,
    ORIGINAL,
    OTHER,
    PLAIN,
    Violation,
)

F, G = TransferFlags, AccountFlags

# So late that a timeout can end after the last nanosecond there is.
START: Final = 6 * 10**18
# Imported events are stamped between what is in the world and what is tried in it.
IMPORTED_AT: Final = START + 5 * SECOND
LATE: Final = START + 6 * SECOND
NOW: Final = START + 10 * SECOND
HELPERS: Final = 100

_PLAIN_EVENT: Final[Record] = {
    "id": FRESH,
    "debit_account_id": DEBIT,
    "credit_account_id": CREDIT,
    "amount": 10,
    "ledger": 1,
    "code": 1,
}
_RESOLUTION_EVENT: Final[Record] = {
    "id": FRESH,
    "pending_id": HOLD,
    "amount": AMOUNT_MAX,
}
_ACCOUNT_EVENT: Final[Record] = {"id": FRESH, "ledger": 1, "code": 1}
EVENTS: Final[dict[str, Record]] = {
    "plain": _PLAIN_EVENT,
    "retry": _PLAIN_EVENT | {"id": ORIGINAL},
    "resolution": _RESOLUTION_EVENT,
    "account": _ACCOUNT_EVENT,
    "account_retry": _ACCOUNT_EVENT | {"id": OTHER},
}
"""The good event of each family, which a violation changes."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What distinguishes one world from another."""

    debit: frozenset[str] = frozenset()
    credit: frozenset[str] = frozenset()
    hold: frozenset[str] = frozenset()


class World:
    """A bench with accounts and transfers in it, at the moment before something is tried."""

    def __init__(self, traits: Traits) -> None:
        self.bench, self.traits = Bench(START), traits
        self.last_id, self.tries = HELPERS, 0
        self._open(OTHER, frozenset())
        self._open_side(DEBIT, traits.debit, late=False)
        self._open_side(CREDIT, traits.credit, late=False)
        self._load(DEBIT, traits.debit)
        self._load(CREDIT, traits.credit)
        self._move(self._helper(), self._helper(), id=PLAIN)
        burnt = Transfer(id=BURNT, debit_account_id=ABSENT, credit_account_id=OTHER, ledger=1, code=1)
        assert self.bench.transfers(burnt) == [CreateTransferStatus.DEBIT_ACCOUNT_NOT_FOUND]
        if not traits.debit | traits.credit:
            self._move(DEBIT, CREDIT, id=ORIGINAL)
            self._hold(traits.hold)
        self.bench.clock.set(LATE)
        self._open_side(DEBIT, traits.debit, late=True)
        self._open_side(CREDIT, traits.credit, late=True)
        self.bench.clock.set(NOW)

    def try_event(self, family: str, violation: Violation) -> Outcome:
        """Try the good event of a family with a violation; return its answer."""
        self.tries += 1
        event = EVENTS[family] | {"flags": 0} | violation.fields
        # Every try has an id of its own: the one before may have burnt its.
        event = {name: FRESH + self.tries if value == FRESH else value for name, value in event.items()}
        event["flags"] |= violation.flags
        if family == "resolution" and not violation.flags & F.VOID_PENDING_TRANSFER:
            event["flags"] |= F.POST_PENDING_TRANSFER
        if violation.same_account:
            event["credit_account_id"] = event["debit_account_id"]
        imported_flag = int(F.IMPORTED if "amount" in event else G.IMPORTED)
        if violation.imported:
            event["flags"] |= imported_flag
            event.setdefault("timestamp", IMPORTED_AT)
        # A refused event comes first: the first event of a request sets its import mode.
        import_mode = violation.imported if violation.import_mode is None else violation.import_mode
        before = dict.fromkeys(event, 0)
        before["flags"] = imported_flag * bool(import_mode) + F.LINKED * violation.after_failure
        before["timestamp"] = IMPORTED_AT * bool(import_mode)
        return self.bench.execute([pack([before, event])])[0][1]

    def _open(self, account_id: int, traits: frozenset[str]) -> None:
        flags = 0
        if "floored" in traits:
            debits = account_id == DEBIT
            flags |= G.DEBITS_MUST_NOT_EXCEED_CREDITS if debits else G.CREDITS_MUST_NOT_EXCEED_DEBITS
        if "closed" in traits and not traits & LOADED:
            flags |= G.CLOSED
        ledger = 2 if "other_ledger" in traits else 1
        assert self.bench.accounts(Account(id=account_id, ledger=ledger, code=1, flags=flags)) == [0]

    def _open_side(self, account_id: int, traits: frozenset[str], *, late: bool) -> None:
        if late == ("late" in traits):
            self._open(account_id, traits)

    def _helper(self, traits: frozenset[str] = frozenset()) -> int:
        self.last_id += 1
        self._open(self.last_id, traits & {"other_ledger"})
        return self.last_id

    def _load(self, account_id: int, traits: frozenset[str]) -> None:
        """Bring a side's totals to where the traits say, past its floor where it has one."""
        crowd = HALF // 2 * ("crowded" in traits)
        held, spent = ((HALF - 1) * (name in traits) + crowd for name in ("held", "spent"))
        ledger = 2 if "other_ledger" in traits else 1
        helper = self._helper(traits)
        from_id, to_id = (account_id, helper) if account_id == DEBIT else (helper, account_id)
        closing = int(F.CLOSING_DEBIT if account_id == DEBIT else F.CLOSING_CREDIT)
        if "floored" in traits and held + spent:
            self._move(to_id, from_id, amount=held + spent, ledger=ledger)
        if held:
            self._move(from_id, to_id, amount=held, ledger=ledger, flags=int(F.PENDING))
        if spent:
            self._move(from_id, to_id, amount=spent, ledger=ledger)
        if "closed" in traits and held + spent:
            self._move(from_id, to_id, amount=0, ledger=ledger, flags=int(F.PENDING) | closing)

    def _hold(self, traits: frozenset[str]) -> None:
        self._move(DEBIT, CREDIT, id=HOLD, flags=int(F.PENDING), timeout=int("expired" in traits))
        if "posted" in traits:
            self._move(0, 0, amount=AMOUNT_MAX, pending_id=HOLD, flags=int(F.POST_PENDING_TRANSFER))
        if "voided" in traits:
            self._move(0, 0, amount=0, pending_id=HOLD, flags=int(F.VOID_PENDING_TRANSFER))
        if "debit_closed" in traits:
            self._move(DEBIT, self._helper(), amount=0, flags=int(F.PENDING | F.CLOSING_DEBIT))
        if "credit_closed" in traits:
            self._move(self._helper(), CREDIT, amount=0, flags=int(F.PENDING | F.CLOSING_CREDIT))

    def _move(self, debit: int, credit: int, **fields: int) -> None:
        self.last_id += 1
        resolves = fields.get("pending_id", 0) != 0
        given = {
            "id": self.last_id,
            "amount": 10,
            "ledger": 0 if resolves else 1,
            "code": 0 if resolves else 1,
        }
        transfer = Transfer(debit_account_id=debit, credit_account_id=credit, **(given | fields))
        assert self.bench.transfers(transfer) == [CreateTransferStatus.CREATED]
