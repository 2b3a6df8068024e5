"""Payments as columns: the same transfers as one by one, but for their ids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.factory.ledger import AMOUNT_MAX, id_column, transfer_array
from formicary.products.payments.batches import Columns, batch_transfers, fees_of, payment_ids
from formicary.products.payments.postings import account_id, payment
from formicary.products.payments.terms import MERCHANT_FEE_POINTS, fee_of

AMOUNTS = st.one_of(st.integers(0, AMOUNT_MAX), st.integers(0, 10**6), st.just(AMOUNT_MAX))
COMMAND = 0xFEED << 64 | (2**64 - 3)


@given(st.lists(AMOUNTS, min_size=1, max_size=50))
def test_fees_are_those_of_single_payments(amounts: list[int]) -> None:
    """Rounded half to even, for every amount the ledger takes, without an overflow."""
    expected = [fee_of(amount, MERCHANT_FEE_POINTS) for amount in amounts]
    assert fees_of(np.array(amounts, np.int64)).tolist() == expected


def columns(payments: list[tuple[int, int, int, bool, int]]) -> Columns:
    """Return (payer, payee, amount, to a merchant, reference) as columns in pounds."""
    debits = [account_id(payer, 826) for payer, *_ in payments]
    credits_ = [account_id(payee, 826) for _, payee, *_ in payments]

    def words(ids: list[int]) -> tuple[Any, Any]:
        return (
            np.array([one >> 64 for one in ids], np.uint64),
            np.array([one & (2**64 - 1) for one in ids], np.uint64),
        )

    return Columns(
        *words(debits),
        *words(credits_),
        amount=np.array([one[2] for one in payments], np.int64),
        ledger=np.full(len(payments), 826, np.int64),
        reference_high=words([one[4] for one in payments])[0],
        reference_low=words([one[4] for one in payments])[1],
        to_merchant=np.array([one[3] for one in payments], bool),
    )


def test_transfers_are_those_of_single_payments() -> None:
    """Accounts, amounts, codes, chains, references: all but ids, and what names them, is the same."""
    payments = [(1, 2, 500, False, 0), (1, 3, 1_000, True, 2**100), (2, 3, 1, True, 5), (3, 1, 7, False, 0)]
    items, begins = batch_transfers(COMMAND, columns(payments), fingerprint=77)
    singles = [
        payment(
            command_id=9,
            payer=payer,
            payee=payee,
            currency=826,
            amount=amount,
            fee=fee_of(amount, MERCHANT_FEE_POINTS) if to_merchant else 0,
            to_merchant=to_merchant,
            reference=reference,
            fingerprint=77,
        )
        for payer, payee, amount, to_merchant, reference in payments
    ]
    expected = transfer_array(transfer for single in singles for transfer in single)
    # A fee of nothing is no transfer.
    assert begins.tolist() == [0, 1, 3, 4]
    same = set(items.dtype.names or ()) - {"id_high", "id_low", "user_data_128_high", "user_data_128_low"}
    for name in same:
        assert items[name].tolist() == expected[name].tolist(), name
    ids = id_column(items)
    assert [ids[at] for at in begins] == [
        high << 64 | low
        for high, low in zip(*(part.tolist() for part in payment_ids(COMMAND, 4)), strict=True)
    ]
    assert len(set(ids)) == len(ids)
    references = id_column(items, "user_data_128")
    assert [references[at] for at in begins] == [0, 2**100, 5, 0]
    # A fee names its payment.
    assert references[2] == ids[1]


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one(count: int) -> None:
    """An empty batch has no transfers."""
    items, begins = batch_transfers(COMMAND, columns([(1, 2, 5, False, 0)] * count), fingerprint=1)
    assert len(items) == len(begins) == count
