"""Accounts, codes, and payments as plain transfers of the ledger.

A party has one wallet a currency; its id follows from both. The house has one account a currency for
each of its purposes. A payment needs no command: it is a transfer, or a chain of two with a fee, whose
ids follow from the caller's key, so that a repeated request is answered ``exists``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from formicary.base.currencies import currency_of_ledger
from formicary.base.errors import Refusal
from formicary.base.money import CurrencyMismatch
from formicary.factory.engine.requests import KeyReused, derive_id
from formicary.factory.ledger import (
    AMOUNT_MAX,
    Account,
    AccountFlags,
    CreateTransferStatus,
    Transfer,
    TransferFlags,
)

__all__ = [
    "HOUSE",
    "PAYMENT_CODES",
    "AccountClosed",
    "AccountCode",
    "InsufficientFunds",
    "InvalidAmount",
    "Outcome",
    "PaymentAlreadyFailed",
    "PaymentDeclined",
    "PaymentNotFound",
    "PaymentRefused",
    "SameAccount",
    "StaleTimer",
    "StepUpRequired",
    "TransferCode",
    "WalletNotFound",
    "account_id",
    "code_of",
    "house_account",
    "house_account_id",
    "house_accounts",
    "outcome",
    "payment",
    "wallet_account",
]

HOUSE: Final = 1
"""The party that runs the deployment; its accounts are the house's."""

_LINKED: Final = int(TransferFlags.LINKED)


class AccountCode(IntEnum):
    """What an account is."""

    PERSON_WALLET = 101
    MERCHANT_WALLET = 102
    PARTNER_WALLET = 103
    FEES = 111
    ADJUSTMENTS = 112
    ESCROW = 121
    NOSTRO = 131
    CLEARING_IN = 132
    CLEARING_OUT = 133


class TransferCode(IntEnum):
    """Why money moves."""

    PERSON_PAYMENT = 101
    MERCHANT_PAYMENT = 102
    MERCHANT_FEE = 103
    REFUND = 104
    ESCROW_PAY = 121
    ESCROW_RELEASE = 122
    ESCROW_FEE = 123
    ESCROW_REFUND = 124
    TOP_UP_ARRIVED = 131
    TOP_UP_CREDITED = 132
    CASH_OUT_SENT = 133
    CASH_OUT_PAID = 134
    TOP_UP_RETURNED = 135
    CASH_OUT_RETURNED = 136
    TOP_UP_DEBITED = 137
    CASH_OUT_CREDITED = 138
    ADJUSTMENT = 141


PAYMENT_CODES: Final = (TransferCode.PERSON_PAYMENT, TransferCode.MERCHANT_PAYMENT)
"""What a payment is, and not what comes of one."""


class InsufficientFunds(Refusal):
    """The payer's account holds less than the amount."""

    code = "insufficient_funds"


class AccountClosed(Refusal):
    """The payer's or the payee's account is closed."""

    code = "account_closed"


class SameAccount(Refusal):
    """Payer and payee are the same."""

    code = "same_account"


class InvalidAmount(Refusal):
    """An amount is at least one minor unit and at most 2^63 - 1, and its fee is no more than it."""

    code = "invalid_amount"


class PaymentAlreadyFailed(Refusal):
    """A payment under this key was refused before; that is final, a new attempt needs a new key."""

    code = "payment_already_failed"


class PaymentNotFound(Refusal):
    """There is no payment with this id."""

    code = "payment_not_found"


class PaymentRefused(Refusal):
    """The ledger refused the payment for a reason that has no code of its own."""

    code = "payment_refused"


class PaymentDeclined(Refusal):
    """A decision went against the payment; its reasons are told beside. That is final under its key."""

    code = "payment_declined"


class StepUpRequired(Refusal):
    """The payer is to be checked first, as ``check`` says; the payment is asked for anew, with a new key."""

    code = "step_up_required"


class WalletNotFound(Refusal):
    """A party has no wallet in the currency."""

    code = "wallet_not_found"


class StaleTimer(Refusal):
    """The timer was set for a state that was left before it fell due; nothing happens."""

    code = "stale_timer"


class Outcome(NamedTuple):
    """How a payment was answered: ``created``, ``exists`` (made before), ``held``, or ``refused`` and why."""

    status: str
    code: str = ""


_WALLET_CODES: Final = (AccountCode.PERSON_WALLET, AccountCode.MERCHANT_WALLET, AccountCode.PARTNER_WALLET)
_HOUSE_CODES: Final = tuple(code for code in AccountCode if code not in _WALLET_CODES)
# Money that is somebody else's can never be paid out twice.
_NEVER_OWES: Final = frozenset({*_WALLET_CODES, AccountCode.ESCROW})


def account_id(party: int, currency: int) -> int:
    """Return the id of a party's wallet in a currency, by its ISO 4217 number."""
    return derive_id(party, currency)


def wallet_account(party: int, currency: int, code: AccountCode = AccountCode.PERSON_WALLET) -> Account:
    """Return the wallet to open for a party; ``user_data_128`` names the party.

    Raises
    ------
    UnknownCurrency
        No active currency has this number.
    """
    currency_of_ledger(currency)
    return Account(
        id=account_id(party, currency),
        ledger=currency,
        code=code,
        flags=AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS,
        user_data_128=party,
    )


def house_account_id(code: AccountCode, currency: int) -> int:
    """Return the id of the house's account for a purpose in a currency."""
    return derive_id(HOUSE, code << 16 | currency)


def house_account(code: AccountCode, currency: int) -> Account:
    """Return the house's account to open for a purpose in a currency."""
    flags = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS if code in _NEVER_OWES else AccountFlags.NONE
    return Account(
        id=house_account_id(code, currency), ledger=currency, code=code, flags=flags, user_data_128=HOUSE
    )


def house_accounts(currency: int) -> list[Account]:
    """Return all accounts that the house needs in a currency; opening them again changes nothing."""
    currency_of_ledger(currency)
    return [house_account(code, currency) for code in _HOUSE_CODES]


def payment(
    *,
    command_id: int,
    payer: int,
    payee: int,
    currency: int,
    amount: int,
    fee: int = 0,
    to_merchant: bool = False,
    reference: int = 0,
    fingerprint: int = 0,
    tag: int = 0,
) -> list[Transfer]:
    """Return the transfers of a payment between two parties: one, or a chain with the payee's fee.

    Parameters
    ----------
    command_id
        The hash of who asks and their idempotency key; the transfers' ids follow from it, and the
        payment's id is that of the first.
    payer, payee
        Ids of parties.
    currency
        The ISO 4217 number.
    amount, fee
        Minor units; the fee goes from the payee to the house.
    to_merchant
        The payee is a merchant: the payment has a code of its own.
    reference, fingerprint, tag
        ``user_data_128`` (the caller's reference), ``user_data_64`` (a hash of the body: another body under
        the same key is found by it) and ``user_data_32``.

    Raises
    ------
    InvalidAmount
        The amount is not between 1 and 2^63 - 1, or the fee not between 0 and the amount.
    """
    if not (1 <= amount <= AMOUNT_MAX and 0 <= fee <= amount):
        raise InvalidAmount
    shared = {"ledger": currency, "user_data_64": fingerprint, "user_data_32": tag}
    paid = Transfer(
        id=derive_id(command_id, 0),
        debit_account_id=account_id(payer, currency),
        credit_account_id=account_id(payee, currency),
        amount=amount,
        code=TransferCode.MERCHANT_PAYMENT if to_merchant else TransferCode.PERSON_PAYMENT,
        flags=_LINKED if fee else 0,
        user_data_128=reference,
        **shared,
    )
    if not fee:
        return [paid]
    charged = Transfer(
        id=derive_id(command_id, 1),
        debit_account_id=paid.credit_account_id,
        credit_account_id=house_account_id(AccountCode.FEES, currency),
        amount=fee,
        code=TransferCode.MERCHANT_FEE,
        user_data_128=paid.id,
        **shared,
    )
    return [paid, charged]


def outcome(statuses: Sequence[int]) -> Outcome:
    """Return how a payment went, from the ledger's statuses (n,) of its transfers.

    A chain that is repeated answers ``exists`` on its first transfer and breaks there.
    """
    failed = CreateTransferStatus.LINKED_EVENT_FAILED
    decisive = CreateTransferStatus(next((status for status in statuses if status != failed), failed))
    if decisive == CreateTransferStatus.CREATED:
        return Outcome("created")
    if decisive == CreateTransferStatus.EXISTS:
        return Outcome("exists")
    if decisive == CreateTransferStatus.HELD:
        return Outcome("held")
    return Outcome("refused", code_of(decisive.name.lower()))


def code_of(status: str) -> str:
    """Return the documented code behind a ledger's status, or any other code as it is.

    Receipts of commands hold the ledger's own word where it refused a product's transfer.
    """
    if status in _CODES:
        return _CODES[status]
    if status.startswith("exists_with_different"):
        return KeyReused.code
    if status.startswith("overflows"):
        return InvalidAmount.code
    return PaymentRefused.code if status.upper() in CreateTransferStatus.__members__ else status


_CODES: Final = {
    "exceeds_credits": InsufficientFunds.code,
    "debit_account_already_closed": AccountClosed.code,
    "credit_account_already_closed": AccountClosed.code,
    # Unknown and forbidden are the same to a caller, and so are payer and payee.
    "debit_account_not_found": "account_not_found",
    "credit_account_not_found": "account_not_found",
    "accounts_must_be_different": SameAccount.code,
    "accounts_must_have_the_same_ledger": CurrencyMismatch.code,
    "transfer_must_have_the_same_ledger_as_accounts": CurrencyMismatch.code,
    "amount_must_not_be_negative": InvalidAmount.code,
    "id_already_failed": PaymentAlreadyFailed.code,
    # Of a hold that ended in the same instant, or past its product.
    "pending_transfer_already_posted": "hold_already_released",
    "pending_transfer_already_voided": "hold_already_returned",
    "pending_transfer_expired": "hold_expired",
    "declined": PaymentDeclined.code,
    "step_up_required": StepUpRequired.code,
}
