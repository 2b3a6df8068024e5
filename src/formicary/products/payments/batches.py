"""Many payments at once, as columns: the same transfers as one by one, but for their ids.

A batch has one idempotency key, so its payments' ids are consecutive: that of payment ``i`` is the hash of
who asks and the key, plus ``2 i``, and that of its fee is the next. Nothing is hashed per payment.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.factory.ledger import TRANSFER, TransferFlags
from formicary.products.payments.postings import AccountCode, TransferCode, house_account_id
from formicary.products.payments.terms import FEE_POINTS_MAX, MERCHANT_FEE_POINTS

__all__ = ["Columns", "batch_transfers", "fees_of", "payment_id", "payment_ids"]

Rows = npt.NDArray[Any]

_WORD: Final = 2**64 - 1


class Columns(NamedTuple):
    """Payments (n,): accounts as two words each, minor units, ISO 4217 numbers, who is a merchant."""

    debit_high: Rows
    debit_low: Rows
    credit_high: Rows
    credit_low: Rows
    amount: Rows
    ledger: Rows
    reference_high: Rows
    reference_low: Rows
    to_merchant: Rows


def fees_of(amounts: Rows) -> Rows:
    """Return the fee of a merchant on each amount (n,), in minor units, rounded half to even.

    The same as ``fee_of``, without a product that could overflow.
    """
    whole, rest = np.divmod(amounts, FEE_POINTS_MAX)
    part, left = np.divmod(rest * MERCHANT_FEE_POINTS, FEE_POINTS_MAX)
    fee = whole * MERCHANT_FEE_POINTS + part
    half = FEE_POINTS_MAX // 2
    return np.asarray(fee + ((left > half) | ((left == half) & (fee % 2 == 1))))


def payment_id(command_id: int, number: int) -> int:
    """Return the id of one payment of a batch, as ``payment_ids`` does for all."""
    return (command_id & ~_WORD) | ((command_id + 2 * number) & _WORD)


def payment_ids(command_id: int, count: int) -> tuple[Rows, Rows]:
    """Return the words of the ids of a batch's payments, (count,) each."""
    low = np.uint64(command_id & _WORD) + np.arange(count, dtype=np.uint64) * np.uint64(2)
    return np.full(count, command_id >> 64, np.uint64), low


def batch_transfers(command_id: int, columns: Columns, *, fingerprint: int) -> tuple[Rows, Rows]:
    """Return the transfers of payments (n,), and where each payment's begin, (n,).

    ``fingerprint`` is a hash of the whole body: another one under the same key is found by it.
    """
    count = len(columns.amount)
    fees = np.where(columns.to_merchant, fees_of(columns.amount), 0)
    charged = fees > 0
    begins = np.arange(count) + np.concatenate(([0], np.cumsum(charged)[:-1])) if count else np.arange(0)
    items = np.zeros(count + int(charged.sum()), TRANSFER)
    items["id_high"] = command_id >> 64
    items["user_data_64"] = fingerprint
    _, low = payment_ids(command_id, count)
    paid = np.zeros(count, TRANSFER)
    paid["id_high"], paid["id_low"] = command_id >> 64, low
    paid["debit_account_id_high"], paid["debit_account_id_low"] = columns.debit_high, columns.debit_low
    paid["credit_account_id_high"], paid["credit_account_id_low"] = columns.credit_high, columns.credit_low
    paid["amount"], paid["ledger"], paid["user_data_64"] = columns.amount, columns.ledger, fingerprint
    paid["user_data_128_high"], paid["user_data_128_low"] = columns.reference_high, columns.reference_low
    paid["code"] = np.where(columns.to_merchant, TransferCode.MERCHANT_PAYMENT, TransferCode.PERSON_PAYMENT)
    paid["flags"] = np.where(charged, int(TransferFlags.LINKED), 0)
    items[begins] = paid
    if len(items) > count:
        at = begins[charged] + 1
        items[at] = _charges(paid[charged], fees[charged])
    return items, begins


def _charges(paid: Rows, fees: Rows) -> Rows:
    charges = np.zeros(len(paid), TRANSFER)
    charges["id_high"], charges["id_low"] = paid["id_high"], paid["id_low"] + np.uint64(1)
    charges["debit_account_id_high"] = paid["credit_account_id_high"]
    charges["debit_account_id_low"] = paid["credit_account_id_low"]
    charges["amount"], charges["ledger"] = fees, paid["ledger"]
    charges["user_data_64"] = paid["user_data_64"]
    charges["user_data_128_high"], charges["user_data_128_low"] = paid["id_high"], paid["id_low"]
    charges["code"] = int(TransferCode.MERCHANT_FEE)
    for ledger in np.unique(paid["ledger"]).tolist():
        fees_account = house_account_id(AccountCode.FEES, ledger)
        of_ledger = paid["ledger"] == ledger
        charges["credit_account_id_high"][of_ledger] = fees_account >> 64
        charges["credit_account_id_low"][of_ledger] = fees_account & _WORD
    return charges
