"""The oracle's rules: for each kind of event, its violations in the documented order.

Every rule is one line, ``yield violated, status``; the first that is violated is the answer.
The generators are lazy, so a rule may rely on what the ones before it have ruled out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from formicary.factory.ledger import (
    AccountFlags,
    CreateAccountStatus,
    CreateTransferStatus,
    TransferFlags,
)

Record = dict[str, int]
Violations = Iterator[tuple[object, int]]
S, A, F, G = CreateTransferStatus, CreateAccountStatus, TransferFlags, AccountFlags

INT64_MAX: Final = 2**63 - 1
ID_MAX: Final = 2**128 - 1
SECOND: Final = 10**9
TOTALS: Final = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
SIDES: Final = ("debit_account_id", "credit_account_id")
DETAILS: Final = ("user_data_128", "user_data_64", "user_data_32", "ledger", "code")
POST: Final = F.POST_PENDING_TRANSFER
RESOLVES: Final = F.POST_PENDING_TRANSFER | F.VOID_PENDING_TRANSFER
BALANCING: Final = F.BALANCING_DEBIT | F.BALANCING_CREDIT
CLOSING: Final = F.CLOSING_DEBIT | F.CLOSING_CREDIT


@dataclass(slots=True)
class Books:
    """Everything the oracle knows. Records are replaced, never changed: a shallow copy is a copy."""

    accounts: dict[int, Record] = field(default_factory=dict)
    transfers: dict[int, Record] = field(default_factory=dict)
    holds: dict[int, str] = field(default_factory=dict)
    burnt: set[int] = field(default_factory=set)
    rows: list[Record] = field(default_factory=list)

    def copy(self) -> Books:
        """Copy what can change."""
        return Books(
            dict(self.accounts), dict(self.transfers), dict(self.holds), set(self.burnt), list(self.rows)
        )


def first(violations: Violations) -> int:
    """Return the status of the first violation; without one 0, which is "created"."""
    return next((int(status) for violated, status in violations if violated), 0)


def is_transfer(event: Record) -> bool:
    """Tell transfers from accounts."""
    return "amount" in event


def is_imported(event: Record) -> bool:
    """Whether the event brings its own timestamp."""
    return bool(event["flags"] & (F.IMPORTED if is_transfer(event) else G.IMPORTED))


def due(held: Record) -> int:
    """When a hold ends by itself; never is infinitely late."""
    return held["timestamp"] + held["timeout"] * SECOND if held["timeout"] else 1 << 99


def resolved_amount(transfer: Record, held: int) -> int:
    """Return what a post posts or a void releases, of a hold of ``held``."""
    all_of_it = INT64_MAX if transfer["flags"] & POST else 0
    return held if transfer["amount"] == all_of_it else transfer["amount"]


def balanced_amount(transfer: Record, debit: Record, credit: Record) -> int:
    """Return the amount after balancing."""
    amount = transfer["amount"]
    if transfer["flags"] & F.BALANCING_DEBIT:
        there_is = debit["credits_posted"] - debit["debits_posted"] - debit["debits_pending"]
        amount = min(amount, max(there_is, 0))
    if transfer["flags"] & F.BALANCING_CREDIT:
        there_is = credit["debits_posted"] - credit["credits_posted"] - credit["credits_pending"]
        amount = min(amount, max(there_is, 0))
    return amount


def envelope(event: Record, stamp: int, *, importing: bool) -> Violations:
    """Yield what is wrong with the event whatever the books say."""
    status: Any = S if is_transfer(event) else A
    imported, timestamp = is_imported(event), event["timestamp"]
    yield importing and not imported, status.IMPORTED_EVENT_EXPECTED
    yield imported and not importing, status.IMPORTED_EVENT_NOT_EXPECTED
    yield imported and timestamp < 1, status.IMPORTED_EVENT_TIMESTAMP_OUT_OF_RANGE
    yield imported and timestamp >= stamp, status.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_ADVANCE
    yield not imported and timestamp != 0, status.TIMESTAMP_MUST_BE_ZERO
    yield event.get("reserved", 0) != 0, A.RESERVED_FIELD
    yield event["flags"] >= 2 * (F.IMPORTED if is_transfer(event) else G.CLOSED), status.RESERVED_FLAG
    yield event["id"] == 0, status.ID_MUST_NOT_BE_ZERO
    yield event["id"] == ID_MAX, status.ID_MUST_NOT_BE_INT_MAX
    yield is_transfer(event) and event["amount"] < 0, S.AMOUNT_MUST_NOT_BE_NEGATIVE


def account_retry(account: Record, existing: Record) -> Violations:
    """Yield how an account differs from the one that has its id."""
    for name in ("flags", *DETAILS, "credit_limit"):
        yield account[name] != existing[name], A[f"EXISTS_WITH_DIFFERENT_{name.upper()}"]
    yield True, A.EXISTS


def account_fields(books: Books, account: Record) -> Violations:
    """Yield what is wrong with a new account."""
    floored = account["flags"] & G.DEBITS_MUST_NOT_EXCEED_CREDITS
    yield floored and account["flags"] & G.CREDITS_MUST_NOT_EXCEED_DEBITS, A.FLAGS_ARE_MUTUALLY_EXCLUSIVE
    yield account["credit_limit"] < 0, A.CREDIT_LIMIT_MUST_NOT_BE_NEGATIVE
    yield account["credit_limit"] > 0 and not floored, A.CREDIT_LIMIT_MUST_BE_ZERO
    for name in (*TOTALS,):
        yield account[name] != 0, A[f"{name.upper()}_MUST_BE_ZERO"]
    yield account["ledger"] == 0, A.LEDGER_MUST_NOT_BE_ZERO
    yield account["code"] == 0, A.CODE_MUST_NOT_BE_ZERO
    if is_imported(account):
        taken = [*(existing["timestamp"] for existing in books.accounts.values()), *entry_times(books)]
        yield account["timestamp"] <= max(taken, default=0), A.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS


def transfer_retry(transfer: Record, existing: Record, held: Record) -> Violations:
    """Yield how a transfer differs from the one that has its id; ``held`` is what that resolved."""
    asked, flags = dict(transfer), transfer["flags"]
    if flags & RESOLVES:
        asked |= {name: transfer[name] or held[name] for name in (*SIDES, *DETAILS)}
        asked["amount"] = resolved_amount(transfer, held["amount"])
    elif flags & BALANCING:
        asked["amount"] = min(transfer["amount"], existing["amount"])
    for name in ("flags", "pending_id", "timeout", *SIDES, "amount", *DETAILS):
        yield asked[name] != existing[name], S[f"EXISTS_WITH_DIFFERENT_{name.upper()}"]
    yield True, S.EXISTS


def plain_fields(books: Books, transfer: Record) -> Violations:
    """Yield what is wrong with a plain transfer before its accounts' totals are looked at."""
    (debit_id, credit_id), flags = (transfer[name] for name in SIDES), transfer["flags"]
    yield debit_id == 0, S.DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO
    yield debit_id == ID_MAX, S.DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX
    yield credit_id == 0, S.CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO
    yield credit_id == ID_MAX, S.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX
    yield debit_id == credit_id, S.ACCOUNTS_MUST_BE_DIFFERENT
    yield transfer["pending_id"] != 0, S.PENDING_ID_MUST_BE_ZERO
    yield transfer["timeout"] and not flags & F.PENDING, S.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER
    yield flags & CLOSING and not flags & F.PENDING, S.CLOSING_TRANSFER_MUST_BE_PENDING
    yield transfer["ledger"] == 0, S.LEDGER_MUST_NOT_BE_ZERO
    yield transfer["code"] == 0, S.CODE_MUST_NOT_BE_ZERO
    yield debit_id not in books.accounts, S.DEBIT_ACCOUNT_NOT_FOUND
    yield credit_id not in books.accounts, S.CREDIT_ACCOUNT_NOT_FOUND
    debit, credit = books.accounts[debit_id], books.accounts[credit_id]
    yield debit["ledger"] != credit["ledger"], S.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER
    yield transfer["ledger"] != debit["ledger"], S.TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS
    if is_imported(transfer):
        timestamp = transfer["timestamp"]
        yield _regresses(books, transfer), S.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS
        yield timestamp <= debit["timestamp"], S.IMPORTED_EVENT_TIMESTAMP_MUST_POSTDATE_DEBIT_ACCOUNT
        yield timestamp <= credit["timestamp"], S.IMPORTED_EVENT_TIMESTAMP_MUST_POSTDATE_CREDIT_ACCOUNT
        yield transfer["timeout"] != 0, S.IMPORTED_EVENT_TIMEOUT_MUST_BE_ZERO


def plain_funds(row: Record, debit: Record, credit: Record) -> Violations:
    """Yield what its accounts have against a plain transfer, clamped and stamped."""
    amount, pends = row["amount"], row["flags"] & F.PENDING
    debits = debit["debits_pending"] + debit["debits_posted"] + amount
    credits_ = credit["credits_pending"] + credit["credits_posted"] + amount
    yield debit["flags"] & G.CLOSED, S.DEBIT_ACCOUNT_ALREADY_CLOSED
    yield credit["flags"] & G.CLOSED, S.CREDIT_ACCOUNT_ALREADY_CLOSED
    yield pends and debit["debits_pending"] + amount > INT64_MAX, S.OVERFLOWS_DEBITS_PENDING
    yield pends and credit["credits_pending"] + amount > INT64_MAX, S.OVERFLOWS_CREDITS_PENDING
    yield debit["debits_posted"] + amount > INT64_MAX, S.OVERFLOWS_DEBITS_POSTED
    yield credit["credits_posted"] + amount > INT64_MAX, S.OVERFLOWS_CREDITS_POSTED
    yield debits > INT64_MAX, S.OVERFLOWS_DEBITS
    yield credits_ > INT64_MAX, S.OVERFLOWS_CREDITS
    yield row["timestamp"] + row["timeout"] * SECOND > INT64_MAX, S.OVERFLOWS_TIMEOUT
    floored = debit["flags"] & G.DEBITS_MUST_NOT_EXCEED_CREDITS
    yield floored and debits > debit["credits_posted"] + debit["credit_limit"], S.EXCEEDS_CREDITS
    floored = credit["flags"] & G.CREDITS_MUST_NOT_EXCEED_DEBITS
    yield floored and credits_ > credit["debits_posted"], S.EXCEEDS_DEBITS


def resolution(books: Books, transfer: Record, stamp: int) -> Violations:
    """Yield what is wrong with a post or void."""
    flags, pending_id = transfer["flags"], transfer["pending_id"]
    both, posts = flags & RESOLVES == RESOLVES, flags & POST
    yield both or flags & (F.PENDING | BALANCING | CLOSING), S.FLAGS_ARE_MUTUALLY_EXCLUSIVE
    yield pending_id == 0, S.PENDING_ID_MUST_NOT_BE_ZERO
    yield pending_id == ID_MAX, S.PENDING_ID_MUST_NOT_BE_INT_MAX
    yield pending_id == transfer["id"], S.PENDING_ID_MUST_BE_DIFFERENT
    yield transfer["timeout"] != 0, S.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER
    yield pending_id not in books.transfers, S.PENDING_TRANSFER_NOT_FOUND
    yield pending_id not in books.holds, S.PENDING_TRANSFER_NOT_PENDING
    held, state = books.transfers[pending_id], books.holds[pending_id]
    for name in (*SIDES, "ledger", "code"):
        yield transfer[name] not in (0, held[name]), S[f"PENDING_TRANSFER_HAS_DIFFERENT_{name.upper()}"]
    amount = resolved_amount(transfer, held["amount"])
    yield amount > held["amount"], S.EXCEEDS_PENDING_TRANSFER_AMOUNT
    yield not posts and amount != held["amount"], S.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT
    yield state == "posted", S.PENDING_TRANSFER_ALREADY_POSTED
    yield state == "voided", S.PENDING_TRANSFER_ALREADY_VOIDED
    yield state == "expired" or stamp >= due(held), S.PENDING_TRANSFER_EXPIRED
    if is_imported(transfer):
        yield _regresses(books, transfer), S.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS
    debit, credit = (books.accounts[held[name]] for name in SIDES)
    yield posts and debit["flags"] & G.CLOSED, S.DEBIT_ACCOUNT_ALREADY_CLOSED
    yield posts and credit["flags"] & G.CLOSED, S.CREDIT_ACCOUNT_ALREADY_CLOSED


def _regresses(books: Books, transfer: Record) -> bool:
    """Whether a timestamp is not after every transfer's and every expiry's, or is an account's."""
    timestamp = transfer["timestamp"]
    return timestamp <= max(entry_times(books), default=0) or any(
        timestamp == account["timestamp"] for account in books.accounts.values()
    )


def entry_times(books: Books) -> list[int]:
    """Return when totals changed: by transfers, and by holds that expired."""
    entries = (row for row in books.rows if row.get("status") in (S.CREATED, S.EXPIRED))
    return [row["timestamp"] for row in entries]
