"""For every status, what makes a good event earn it; and how two of them are combined.

The tables are in the documented order of precedence: of two statuses whose violations can be
combined in one event, the earlier one is the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from formicary.factory.ledger import AccountFlags, CreateAccountStatus, CreateTransferStatus, TransferFlags

S, A, F, G = CreateTransferStatus, CreateAccountStatus, TransferFlags, AccountFlags

ID_MAX: Final = 2**128 - 1
AMOUNT_MAX: Final = 2**63 - 1
FAR_FUTURE: Final = 2**63 - 1
# A total of HALF - 1 has no room for BIG; one of HALF / 2 has, but two of those have not.
HALF: Final = 2**62
BIG: Final = HALF + 1

# Ids of every test world, see worlds.py.
DEBIT, CREDIT, OTHER, ABSENT = 1, 2, 3, 99
FRESH, ORIGINAL, BURNT, HOLD, PLAIN = 1_000, 2_000, 3_000, 4_000, 5_000
_BOTH_FLOORS: Final = G.DEBITS_MUST_NOT_EXCEED_CREDITS | G.CREDITS_MUST_NOT_EXCEED_DEBITS
# A hold ends once; and an account that is opened after the imported time cannot have moved before it.
_ENDED: Final = frozenset({"posted", "voided", "expired"})
LOADED: Final = frozenset({"held", "spent", "crowded"})
# Where two violations set the same field, this choice keeps both.
_STRONGER: Final = {"timeout": max, "credit_limit": min}


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What must be so for one status: changes of the event, and traits of what it meets."""

    fields: dict[str, int] = field(default_factory=dict)
    flags: int = 0
    without: int = 0
    imported: bool | None = None
    import_mode: bool | None = None
    after_failure: bool = False
    same_account: bool = False
    debit: frozenset[str] = frozenset()
    credit: frozenset[str] = frozenset()
    hold: frozenset[str] = frozenset()


def combine(first: Violation, second: Violation) -> Violation | None:
    """Return the violation of both, or None where they cannot meet in one event."""
    fields = dict(second.fields)
    for name, value in first.fields.items():
        if fields.get(name, value) == value:
            fields[name] = value
        elif name in _STRONGER:
            fields[name] = _STRONGER[name](fields[name], value)
        elif name == "amount" and min(fields[name], value) > 0:
            fields[name] = max(fields[name], value)
        else:
            return None
    hold, debit, credit = (
        getattr(first, name) | getattr(second, name) for name in ("hold", "debit", "credit")
    )
    if (first.flags | second.flags) & (first.without | second.without):
        return None
    same_account = first.same_account or second.same_account
    if same_account and "credit_account_id" in fields:
        return None
    if len(hold & _ENDED) > 1 or any("late" in side and side & LOADED for side in (debit, credit)):
        return None
    for name in ("imported", "import_mode"):
        if {getattr(first, name), getattr(second, name)} == {True, False}:
            return None
    return Violation(
        fields=fields,
        flags=first.flags | second.flags,
        without=first.without | second.without,
        imported=second.imported if first.imported is None else first.imported,
        import_mode=second.import_mode if first.import_mode is None else first.import_mode,
        after_failure=first.after_failure or second.after_failure,
        same_account=same_account,
        debit=debit,
        credit=credit,
        hold=hold,
    )


V = Violation


def _traits(*names: str) -> frozenset[str]:
    return frozenset(names)


def _fields(**fields: int) -> Violation:
    return Violation(fields=fields)


ENVELOPE: Final[dict[CreateTransferStatus, Violation]] = {
    S.LINKED_EVENT_CHAIN_OPEN: V(flags=F.LINKED),
    S.LINKED_EVENT_FAILED: V(after_failure=True),
    S.IMPORTED_EVENT_EXPECTED: V(imported=False, import_mode=True),
    S.IMPORTED_EVENT_NOT_EXPECTED: V(imported=True, import_mode=False),
    S.IMPORTED_EVENT_TIMESTAMP_OUT_OF_RANGE: V(imported=True, fields={"timestamp": 0}),
    S.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_ADVANCE: V(imported=True, fields={"timestamp": FAR_FUTURE}),
    S.TIMESTAMP_MUST_BE_ZERO: V(imported=False, fields={"timestamp": 1}),
    S.RESERVED_FLAG: V(flags=1 << 9),
    S.ID_MUST_NOT_BE_ZERO: _fields(id=0),
    S.ID_MUST_NOT_BE_INT_MAX: _fields(id=ID_MAX),
    S.AMOUNT_MUST_NOT_BE_NEGATIVE: _fields(amount=-1),
}

RETRY: Final[dict[CreateTransferStatus, Violation]] = {
    S.EXISTS_WITH_DIFFERENT_FLAGS: V(flags=F.PENDING),
    S.EXISTS_WITH_DIFFERENT_PENDING_ID: _fields(pending_id=77),
    S.EXISTS_WITH_DIFFERENT_TIMEOUT: _fields(timeout=1),
    S.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID: _fields(debit_account_id=OTHER),
    S.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID: _fields(credit_account_id=OTHER),
    S.EXISTS_WITH_DIFFERENT_AMOUNT: _fields(amount=11),
    S.EXISTS_WITH_DIFFERENT_USER_DATA_128: _fields(user_data_128=1 << 64),
    S.EXISTS_WITH_DIFFERENT_USER_DATA_64: _fields(user_data_64=1),
    S.EXISTS_WITH_DIFFERENT_USER_DATA_32: _fields(user_data_32=1),
    S.EXISTS_WITH_DIFFERENT_LEDGER: _fields(ledger=2),
    S.EXISTS_WITH_DIFFERENT_CODE: _fields(code=2),
    S.EXISTS: V(),
}

BURNT_ID: Final[dict[CreateTransferStatus, Violation]] = {S.ID_ALREADY_FAILED: _fields(id=BURNT)}

PLAIN_TRANSFER: Final[dict[CreateTransferStatus, Violation]] = {
    S.DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO: _fields(debit_account_id=0),
    S.DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX: _fields(debit_account_id=ID_MAX),
    S.CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO: _fields(credit_account_id=0),
    S.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX: _fields(credit_account_id=ID_MAX),
    S.ACCOUNTS_MUST_BE_DIFFERENT: V(same_account=True),
    S.PENDING_ID_MUST_BE_ZERO: _fields(pending_id=1),
    S.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER: V(fields={"timeout": 1}, without=F.PENDING),
    S.CLOSING_TRANSFER_MUST_BE_PENDING: V(flags=F.CLOSING_CREDIT, without=F.PENDING),
    S.LEDGER_MUST_NOT_BE_ZERO: _fields(ledger=0),
    S.CODE_MUST_NOT_BE_ZERO: _fields(code=0),
    S.DEBIT_ACCOUNT_NOT_FOUND: _fields(debit_account_id=ABSENT),
    S.CREDIT_ACCOUNT_NOT_FOUND: _fields(credit_account_id=ABSENT + 1),
    S.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER: V(credit=_traits("other_ledger")),
    S.TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS: _fields(ledger=3),
    S.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS: V(imported=True, fields={"timestamp": 1}),
    S.IMPORTED_EVENT_TIMESTAMP_MUST_POSTDATE_DEBIT_ACCOUNT: V(imported=True, debit=_traits("late")),
    S.IMPORTED_EVENT_TIMESTAMP_MUST_POSTDATE_CREDIT_ACCOUNT: V(imported=True, credit=_traits("late")),
    S.IMPORTED_EVENT_TIMEOUT_MUST_BE_ZERO: V(imported=True, flags=F.PENDING, fields={"timeout": 1}),
    S.DEBIT_ACCOUNT_ALREADY_CLOSED: V(debit=_traits("closed")),
    S.CREDIT_ACCOUNT_ALREADY_CLOSED: V(credit=_traits("closed")),
    S.OVERFLOWS_DEBITS_PENDING: V(debit=_traits("held"), flags=F.PENDING, fields={"amount": BIG}),
    S.OVERFLOWS_CREDITS_PENDING: V(credit=_traits("held"), flags=F.PENDING, fields={"amount": BIG}),
    S.OVERFLOWS_DEBITS_POSTED: V(debit=_traits("spent"), fields={"amount": BIG}),
    S.OVERFLOWS_CREDITS_POSTED: V(credit=_traits("spent"), fields={"amount": BIG}),
    S.OVERFLOWS_DEBITS: V(debit=_traits("crowded"), fields={"amount": BIG}),
    S.OVERFLOWS_CREDITS: V(credit=_traits("crowded"), fields={"amount": BIG}),
    S.OVERFLOWS_TIMEOUT: V(flags=F.PENDING, fields={"timeout": 2**32 - 1}),
    S.EXCEEDS_CREDITS: V(debit=_traits("floored")),
    S.EXCEEDS_DEBITS: V(credit=_traits("floored")),
}

RESOLUTION: Final[dict[CreateTransferStatus, Violation]] = {
    S.FLAGS_ARE_MUTUALLY_EXCLUSIVE: V(flags=F.PENDING),
    S.PENDING_ID_MUST_NOT_BE_ZERO: _fields(pending_id=0),
    S.PENDING_ID_MUST_NOT_BE_INT_MAX: _fields(pending_id=ID_MAX),
    S.PENDING_ID_MUST_BE_DIFFERENT: _fields(pending_id=FRESH),
    S.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER: _fields(timeout=1),
    S.PENDING_TRANSFER_NOT_FOUND: _fields(pending_id=ABSENT),
    S.PENDING_TRANSFER_NOT_PENDING: _fields(pending_id=PLAIN),
    S.PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID: _fields(debit_account_id=OTHER),
    S.PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID: _fields(credit_account_id=OTHER),
    S.PENDING_TRANSFER_HAS_DIFFERENT_LEDGER: _fields(ledger=2),
    S.PENDING_TRANSFER_HAS_DIFFERENT_CODE: _fields(code=2),
    S.EXCEEDS_PENDING_TRANSFER_AMOUNT: _fields(amount=11),
    S.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT: V(flags=F.VOID_PENDING_TRANSFER, fields={"amount": 9}),
    S.PENDING_TRANSFER_ALREADY_POSTED: V(hold=_traits("posted")),
    S.PENDING_TRANSFER_ALREADY_VOIDED: V(hold=_traits("voided")),
    S.PENDING_TRANSFER_EXPIRED: V(hold=_traits("expired")),
    S.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS: V(imported=True, fields={"timestamp": 1}),
    S.DEBIT_ACCOUNT_ALREADY_CLOSED: V(hold=_traits("debit_closed")),
    S.CREDIT_ACCOUNT_ALREADY_CLOSED: V(hold=_traits("credit_closed")),
}

ACCOUNT_ENVELOPE: Final[dict[CreateAccountStatus, Violation]] = {
    A.LINKED_EVENT_CHAIN_OPEN: V(flags=G.LINKED),
    A.LINKED_EVENT_FAILED: V(after_failure=True),
    A.IMPORTED_EVENT_EXPECTED: V(imported=False, import_mode=True),
    A.IMPORTED_EVENT_NOT_EXPECTED: V(imported=True, import_mode=False),
    A.IMPORTED_EVENT_TIMESTAMP_OUT_OF_RANGE: V(imported=True, fields={"timestamp": 0}),
    A.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_ADVANCE: V(imported=True, fields={"timestamp": FAR_FUTURE}),
    A.TIMESTAMP_MUST_BE_ZERO: V(imported=False, fields={"timestamp": 1}),
    A.RESERVED_FIELD: _fields(reserved=1),
    A.RESERVED_FLAG: V(flags=1 << 6),
    A.ID_MUST_NOT_BE_ZERO: _fields(id=0),
    A.ID_MUST_NOT_BE_INT_MAX: _fields(id=ID_MAX),
}

ACCOUNT_RETRY: Final[dict[CreateAccountStatus, Violation]] = {
    A.EXISTS_WITH_DIFFERENT_FLAGS: V(flags=G.HISTORY),
    A.EXISTS_WITH_DIFFERENT_USER_DATA_128: _fields(user_data_128=1 << 64),
    A.EXISTS_WITH_DIFFERENT_USER_DATA_64: _fields(user_data_64=1),
    A.EXISTS_WITH_DIFFERENT_USER_DATA_32: _fields(user_data_32=1),
    A.EXISTS_WITH_DIFFERENT_LEDGER: _fields(ledger=2),
    A.EXISTS_WITH_DIFFERENT_CODE: _fields(code=2),
    A.EXISTS_WITH_DIFFERENT_CREDIT_LIMIT: _fields(credit_limit=1),
    A.EXISTS: V(),
}

NEW_ACCOUNT: Final[dict[CreateAccountStatus, Violation]] = {
    A.FLAGS_ARE_MUTUALLY_EXCLUSIVE: V(flags=_BOTH_FLOORS),
    A.CREDIT_LIMIT_MUST_NOT_BE_NEGATIVE: _fields(credit_limit=-1),
    A.CREDIT_LIMIT_MUST_BE_ZERO: V(fields={"credit_limit": 5}, without=G.DEBITS_MUST_NOT_EXCEED_CREDITS),
    A.DEBITS_PENDING_MUST_BE_ZERO: _fields(debits_pending=1),
    A.DEBITS_POSTED_MUST_BE_ZERO: _fields(debits_posted=-1),
    A.CREDITS_PENDING_MUST_BE_ZERO: _fields(credits_pending=1),
    A.CREDITS_POSTED_MUST_BE_ZERO: _fields(credits_posted=1),
    A.LEDGER_MUST_NOT_BE_ZERO: _fields(ledger=0),
    A.CODE_MUST_NOT_BE_ZERO: _fields(code=0),
    A.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS: V(imported=True, fields={"timestamp": 1}),
}
