"""The API's answers, as the client returns them: fields as in the document of ``/v1``; times in RFC 3339."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "Account",
    "Appeal",
    "Approval",
    "Balance",
    "BatchItem",
    "BatchResult",
    "Consent",
    "EntryLine",
    "Escrow",
    "Event",
    "Key",
    "Page",
    "Party",
    "Payment",
    "Profile",
    "RailOrder",
    "Refund",
    "Token",
    "Transfer",
    "Webhook",
]


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes part; limits of 0 are none."""

    id: str
    kind: str
    status: str
    daily_amount_max: int
    daily_count_max: int
    changed_at: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet, in minor units."""

    id: str
    party: str
    currency: str
    kind: str
    status: str
    balance: int
    available: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int
    opened_at: str


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """An account's totals at a time, in minor units."""

    account: str
    currency: str
    as_of: str
    balance: int
    available: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that was made, or is ``held``; the fee is the payee's, in minor units.

    Held money goes back by itself at ``release_by``; ``reasons`` say why it waits.
    """

    id: str
    status: str
    payer: str
    payee: str
    amount: int
    fee: int
    currency: str
    created_at: str
    release_by: str = ""
    reasons: list[str] = []


class BatchItem(msgspec.Struct, frozen=True, kw_only=True):
    """How one payment of a batch went; ``code`` and ``reasons`` say why it was refused."""

    status: str
    id: str = ""
    created_at: str = ""
    code: str = ""
    release_by: str = ""
    check: str = ""
    reasons: list[str] = []


class BatchResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a batch went, item by item, in the order asked."""

    completed: int
    held: int
    refused: int
    items: list[BatchItem]


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund; ``refunded`` is what was given back of the payment in all."""

    id: str
    payment: str
    status: str
    amount: int
    currency: str
    refunded: int


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """Money that moved between two accounts, in minor units."""

    id: str
    kind: str
    state: str
    debit_account: str
    credit_account: str
    amount: int
    currency: str
    tag: int
    at: str


class Escrow(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer's money that waits, in minor units."""

    id: str
    buyer: str
    seller: str
    currency: str
    amount: int
    held: int
    released: int
    refunded: int
    state: str
    refund_state: str
    refund_amount: int
    timer: str | None
    timer_due: str | None
    changed_at: str


class RailOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Money from a bank or to one, in minor units."""

    id: str
    direction: str
    party: str
    currency: str
    amount: int
    state: str
    changed_at: str


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key; ``key`` is its text, in the answer that made it only."""

    id: str
    party: str
    status: str
    scopes: list[str]
    expires_at: str | None
    key: str | None = None

    def __repr__(self) -> str:
        # A key that reaches a log is a key that was given away.
        return f"Key(id={self.id!r}, party={self.party!r}, status={self.status!r})"


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token of an end user."""

    token: str
    party: str
    scopes: list[str]
    expires_at: str

    def __repr__(self) -> str:
        return f"Token(party={self.party!r}, expires_at={self.expires_at!r})"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A party's personal data: short texts by name."""

    party: str
    fields: dict[str, str]

    def __repr__(self) -> str:
        # Nobody's name reaches a log by accident.
        return f"Profile(party={self.party!r})"


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a party agrees to a purpose now; if so, to the words of which hash, and by which act."""

    party: str
    purpose: str
    granted: bool
    wording: str | None
    act: str | None


class EntryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer of a manual entry, in minor units."""

    debit_account: str
    credit_account: str
    amount: int
    currency: str


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal of a manual entry or of limits; ``decided_by`` is the key that ended it."""

    id: str
    kind: str
    status: str
    proposed_by: str
    decided_by: str | None
    expires_at: str
    lines: list[EntryLine]
    party: str | None
    daily_amount_max: int | None
    daily_count_max: int | None


class Appeal(msgspec.Struct, frozen=True, kw_only=True):
    """An appeal of a decision about a payment; ``decided_by`` is the key that said who was right."""

    id: str
    payment: str
    party: str
    status: str
    outcome: str
    reasons: list[str]
    opened_at: str
    decided_by: str | None
    decided_at: str | None


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """An address that gets events; ``secret`` is in the answer that made it only."""

    id: str
    url: str
    kinds: list[str]
    delivered_up_to: int
    pending: int
    dead_letters: list[int]
    secret: str | None = None

    def __repr__(self) -> str:
        return f"Webhook(id={self.id!r}, url={self.url!r}, delivered_up_to={self.delivered_up_to})"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What happened."""

    position: int
    kind: str
    version: int
    subject: str
    at: str
    data: dict[str, Any]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of something, and the cursor of the next."""

    items: list[msgspec.Raw]
    next: str | None = None
