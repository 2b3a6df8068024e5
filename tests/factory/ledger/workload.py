"""Hostile random work for the ledger: everything that is rare in life is common here.

A ``Workload`` is a world of a dozen accounts and a few hundred ids, so that retries, conflicts,
burnt ids, chains, holds and limits meet all the time. It is a pure function of its seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from formicary.factory.ledger import AccountFlags, CreateTransferStatus, TransferFlags
from tests.factory.ledger.kit import SECOND, START, pack
from tests.factory.ledger.oracle import unpack
from tests.factory.ledger.oracle_rules import ID_MAX, INT64_MAX, Record, is_transfer

F, G = TransferFlags, AccountFlags

ACCOUNTS: Final = 14
_ACCOUNT_FLAGS: Final = (
    *(0, 0, 0, 0, 0, G.HISTORY),
    *(G.DEBITS_MUST_NOT_EXCEED_CREDITS, G.DEBITS_MUST_NOT_EXCEED_CREDITS, G.DEBITS_MUST_NOT_EXCEED_CREDITS),
    *(G.CREDITS_MUST_NOT_EXCEED_DEBITS, G.CREDITS_MUST_NOT_EXCEED_DEBITS),
    G.CLOSED,
)
_BOTH_FLOORS: Final = (G.DEBITS_MUST_NOT_EXCEED_CREDITS, G.CREDITS_MUST_NOT_EXCEED_DEBITS)
_PAUSES: Final = (0, 0, 0, 1, 7, 10**6, SECOND // 2, SECOND, 3 * SECOND, -2 * SECOND)
_HARMS: Final[dict[str, tuple[int, ...]]] = {
    "id": (0, ID_MAX, 2**64, 2**127),
    "debit_account_id": (0, ID_MAX, 99, 2**64 + 1),
    "credit_account_id": (0, ID_MAX, 99, 2**64 + 2),
    "amount": (-1, -(2**63), 0, INT64_MAX, INT64_MAX - 1),
    "pending_id": (0, 1, ID_MAX, 2**64 + 3),
    "timeout": (1, 2**32 - 1),
    "ledger": (0, 1, 2, 3),
    "code": (0, 1, 2),
    "timestamp": (-1, 1, START, INT64_MAX),
    "user_data_128": (0, 1, 2**64, 2**127),
    "user_data_64": (0, 1, 2**63),
    "user_data_32": (0, 1, 2**31),
    "flags": (0, *(1 << bit for bit in range(11)), F.POST_PENDING_TRANSFER | F.VOID_PENDING_TRANSFER),
}
_ACCOUNT_HARMS: Final[dict[str, tuple[int, ...]]] = {
    "id": (0, ID_MAX),
    "ledger": (0, 2),
    "code": (0, 2),
    "credit_limit": (-1, 1),
    "reserved": (1,),
    "timestamp": (-1, 1),
    "debits_pending": (1,),
    "debits_posted": (-1,),
    "credits_pending": (1,),
    "credits_posted": (1,),
    "user_data_128": (1, 2**64),
    "user_data_64": (1,),
    "user_data_32": (1,),
    "flags": (G.LINKED, G.HISTORY, G.CLOSED, G.IMPORTED, 1 << 7, *_BOTH_FLOORS),
}


@dataclass(slots=True)
class Workload:
    """One seeded world: call ``chain`` for the next events that belong together."""

    seed: int
    random: Random = field(init=False)
    start: int = field(init=False)
    scale: int = field(init=False)
    ids: int = field(init=False)
    now: int = field(init=False)
    history: list[Record] = field(init=False, default_factory=list)
    holds: list[Record] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.start = self.random.choice((START, START, START, 3 * 10**18, INT64_MAX - 3 * 10**18))
        self.scale = self.random.choice((20, 1_000, 10**6, INT64_MAX // 3, INT64_MAX))
        self.ids = 0
        self.now = self.start

    def pause(self) -> int:
        """Let time pass, or go back; return the time now."""
        self.now = max(self.now + self.random.choice(_PAUSES), 1)
        return self.now

    def opening(self) -> Any:
        """Return the request that opens most of the accounts."""
        return pack([self._account(number, {}) for number in range(1, ACCOUNTS - 2)])

    def chain(self, *, accounts: bool = False, importing: bool = False) -> list[Record]:
        """Return one event, or a chain of them, closed."""
        length = self.random.choice((2, 2, 3, 5)) if self._chance(0.08) else 1
        # Half of the chains are of plain good events, or none would ever succeed.
        calm = length > 1 and self._chance(0.7)
        make = self._any_account if accounts else self._transfer
        chain = [make(importing=importing, calm=calm) for _ in range(length)]
        for event in chain[:-1]:
            event["flags"] |= F.LINKED
        chain[-1]["flags"] &= ~F.LINKED
        return chain

    def request(self, size: int) -> Any:
        """Return a request of about ``size`` events; now and then its last chain is open."""
        accounts, importing = self._chance(0.06), self._chance(0.1)
        events: list[Record] = []
        while len(events) < size:
            events += self.chain(accounts=accounts, importing=importing)
        if self._chance(0.05):
            events[-1]["flags"] |= F.LINKED
        return pack(events)

    def learn(self, request: Any, statuses: Sequence[int]) -> None:
        """Take note of what was created, so that holds that exist are resolved and retried often."""
        for event, status in zip(unpack(request), statuses, strict=True):
            if status == CreateTransferStatus.CREATED and is_transfer(event):
                self.history.append(event)
                if event["flags"] & F.PENDING:
                    self.holds.append(event)

    def _chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def _any_account(self, *, importing: bool, calm: bool) -> Record:
        number = self.random.randint(1, 2 * ACCOUNTS)
        account = self._account(number, _ACCOUNT_HARMS if self._chance(0.4) else {})
        if importing != (not calm and self._chance(0.05)):
            account["flags"] |= G.IMPORTED
            account["timestamp"] = self._past()
        return account

    def _account(self, number: int, harms: dict[str, tuple[int, ...]]) -> Record:
        """Account ``number`` is always the same, so that opening it again is a retry."""
        fixed = Random(self.seed * 1_000 + number)
        flags = int(fixed.choice(_ACCOUNT_FLAGS))
        floored = flags & G.DEBITS_MUST_NOT_EXCEED_CREDITS
        account: Record = {
            "id": number << fixed.choice((0, 0, 64)),
            "ledger": 2 if number == 5 and self.seed % 3 == 0 else 1,
            "code": 1,
            "flags": flags,
            "credit_limit": fixed.choice((0, 5, self.scale, INT64_MAX)) if floored else 0,
            "user_data_128": fixed.choice((0, 2**70)),
            "user_data_64": fixed.choice((0, 5)),
            "user_data_32": fixed.choice((0, 6)),
            "timestamp": 0,
        }  # fmt: skip
        for name, choices in harms.items():
            if self._chance(0.15):
                harm = int(self.random.choice(choices))
                account[name] = flags | harm if name == "flags" else harm
        return account

    def _transfer(self, *, importing: bool, calm: bool) -> Record:
        harmful = 0.0 if calm else 0.1
        if calm:
            event = self._plain()
        elif self.history and self._chance(0.12):
            event, harmful = dict(self.random.choice(self.history[-60:])), 0.6
        elif self.holds and self._chance(0.3):
            event = self._resolution()
        else:
            event = self._plain()
        if self._chance(harmful):
            name = self.random.choice(list(_HARMS))
            harm = int(self.random.choice(_HARMS[name]))
            event[name] = event["flags"] ^ harm if name == "flags" else harm
            event["pending_id"] = event["id"] if self._chance(0.02) else event["pending_id"]
        if importing != (not calm and self._chance(0.02)):
            event["flags"] |= F.IMPORTED
            event["timestamp"] = event["timestamp"] or self._past()
            event["timeout"] = event["timeout"] if self._chance(0.1) else 0
        self.history.append(dict(event))
        if event["flags"] & F.PENDING and self._chance(0.06):
            self.holds.append(dict(event))
        return event

    def _fresh_id(self) -> int:
        if self.ids and self._chance(0.05):
            return self._spread(self.random.randint(1, self.ids))
        self.ids += 1
        return self._spread(self.ids)

    @staticmethod
    def _spread(number: int) -> int:
        """Ids that differ in the high word alone, in the low word alone, or in both."""
        return (number // 3 << 64) | (number % 3 + 1)

    def _account_ids(self) -> tuple[int, int]:
        debit, credit = self.random.sample(range(1, ACCOUNTS - 2), 2)
        if self._chance(0.04):
            credit = self.random.choice((debit, ACCOUNTS - 2, ACCOUNTS - 1, ACCOUNTS))
        return self._account(debit, {})["id"], self._account(credit, {})["id"]

    def _amount(self) -> int:
        if self._chance(0.03):
            return INT64_MAX
        return self.random.choice((0, 1, 2, 10, *(self.random.randint(0, self.scale) for _ in range(4))))

    def _past(self) -> int:
        span = self.random.choice((2, 10**3, 10**6, SECOND))
        return max(self.now - self.random.randint(0, span), 1)

    def _user_data(self) -> Record:
        return {
            "user_data_128": self.random.choice((0, 0, 1, 2**64)),
            "user_data_64": self.random.choice((0, 0, 7)),
            "user_data_32": self.random.choice((0, 0, 8)),
        }

    def _plain(self) -> Record:
        flags = 0
        if self._chance(0.4):
            flags |= F.PENDING
            if self._chance(0.05):
                flags |= self.random.choice(
                    (F.CLOSING_DEBIT, F.CLOSING_CREDIT, F.CLOSING_DEBIT | F.CLOSING_CREDIT)
                )
        if self._chance(0.15):
            flags |= self.random.choice(
                (F.BALANCING_DEBIT, F.BALANCING_CREDIT, F.BALANCING_DEBIT | F.BALANCING_CREDIT)
            )
        timeout = self.random.choice((0, 0, 0, 1, 1, 2, 5, 2**32 - 1)) if flags & F.PENDING else 0
        debit, credit = self._account_ids()
        return {
            "id": self._fresh_id(),
            "debit_account_id": debit,
            "credit_account_id": credit,
            "amount": self._amount(),
            "pending_id": 0,
            "timeout": timeout,
            "ledger": 1 if self._chance(0.97) else 2,
            "code": 1,
            "flags": int(flags),
            "timestamp": 0,
            **self._user_data(),
        }

    def _resolution(self) -> Record:
        held = self.random.choice(self.holds[-8:] if self._chance(0.8) else self.holds)
        posts = self._chance(0.6)
        whole = INT64_MAX if posts else 0
        amount = self.random.choice((whole, whole, held["amount"], held["amount"] // 2, held["amount"] + 1))
        names = ("debit_account_id", "credit_account_id", "ledger", "code")
        return {
            "id": self._fresh_id(),
            **{name: held[name] if self._chance(0.3) else 0 for name in names},
            "amount": min(max(amount, 0), INT64_MAX),
            "pending_id": held["id"],
            "timeout": 0,
            "flags": int(F.POST_PENDING_TRANSFER if posts else F.VOID_PENDING_TRANSFER),
            "timestamp": 0,
            **self._user_data(),
        }
