"""Payments as plain transfers, and what the ledger's statuses mean to a payer."""

from __future__ import annotations

from typing import Any

import pytest

from formicary.base.currencies import UnknownCurrency
from formicary.base.errors import Refusal
from formicary.factory.ledger import AccountFlags, CreateTransferStatus, Transfer, TransferFlags
from formicary.products.payments import terms
from formicary.products.payments.postings import (
    AccountCode,
    InvalidAmount,
    Outcome,
    TransferCode,
    account_id,
    code_of,
    house_account,
    house_account_id,
    house_accounts,
    outcome,
    payment,
    wallet_account,
)
from tests.products.payments.house import GBP, House

PAYER, PAYEE = 11, 12


@pytest.fixture
def rich(house: House) -> House:
    """Return a house where the payer has 1,000 pence."""
    house.has(PAYER, amount=1_000)
    house.has(PAYEE, code=AccountCode.MERCHANT_WALLET)
    return house


def pays(house: House, **changed: Any) -> Outcome:
    """Pay; return how it went."""
    fields = {
        "command_id": 5,
        "payer": PAYER,
        "payee": PAYEE,
        "currency": GBP,
        "amount": 100,
        "fingerprint": 9,
    }
    return outcome(house.pays(payment(**(fields | changed)))["status"].tolist())


def test_person_to_person(rich: House) -> None:
    """One transfer, once: a repeated request is answered ``exists``."""
    assert pays(rich) == Outcome("created")
    assert pays(rich) == Outcome("exists")
    assert (rich.wallet(PAYER), rich.wallet(PAYEE)) == (900, 100)


def test_a_merchant_pays_the_fee(rich: House) -> None:
    """A chain of two: all or nothing, once, and the fee names its payment."""
    assert pays(rich, fee=3, to_merchant=True) == Outcome("created")
    assert pays(rich, fee=3, to_merchant=True) == Outcome("exists")
    assert (rich.wallet(PAYER), rich.wallet(PAYEE), rich.own(AccountCode.FEES)) == (900, 97, 3)
    paid, fee = payment(command_id=1, payer=1, payee=2, currency=GBP, amount=9, fee=1, to_merchant=True)
    assert (paid.code, fee.code) == (TransferCode.MERCHANT_PAYMENT, TransferCode.MERCHANT_FEE)
    assert fee.user_data_128 == paid.id
    assert paid.flags == TransferFlags.LINKED


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"amount": 1_001}, "insufficient_funds"),
        ({"amount": 1_001, "fee": 1}, "insufficient_funds"),
        ({"payer": 99}, "account_not_found"),
        ({"payee": 99}, "account_not_found"),
        ({"currency": 978}, "account_not_found"),
        ({"payee": PAYER}, "same_account"),
    ],
)
def test_refused_payments(rich: House, changed: dict[str, int], code: str) -> None:
    """Each has a documented code, and nothing moves."""
    assert pays(rich, **changed) == Outcome("refused", code)
    assert code in Refusal.codes() or code == "account_not_found"
    assert rich.wallet(PAYER) == 1_000


def test_a_failure_is_final(rich: House) -> None:
    """A payment that failed for want of money stays failed under its key, also when money is there."""
    assert pays(rich, amount=2_000).code == "insufficient_funds"
    rich.moves(house_account_id(AccountCode.NOSTRO, GBP), account_id(PAYER, GBP), 2_000)
    assert pays(rich, amount=2_000).code == "payment_already_failed"
    assert pays(rich, amount=2_000, command_id=6) == Outcome("created")


def test_another_body_under_the_same_key(rich: House) -> None:
    """It is never made, whatever differs."""
    pays(rich)
    for changed in ({"amount": 101}, {"fingerprint": 8}, {"payee": 99}, {"reference": 1}, {"tag": 1}):
        assert pays(rich, **changed) == Outcome("refused", "idempotency_key_reused")
    assert rich.wallet(PAYER) == 900


def test_a_closed_account_pays_nothing(rich: House) -> None:
    """Nor is anything paid to it."""
    rich.moves(
        account_id(PAYER, GBP),
        account_id(PAYEE, GBP),
        0,
        flags=TransferFlags.PENDING | TransferFlags.CLOSING_DEBIT,
    )
    assert pays(rich) == Outcome("refused", "account_closed")


@pytest.mark.parametrize(("amount", "fee"), [(0, 0), (-1, 0), (2**63, 0), (5, 6), (5, -1)])
def test_impossible_amounts(amount: int, fee: int) -> None:
    """They never reach the ledger."""
    with pytest.raises(InvalidAmount):
        payment(command_id=1, payer=1, payee=2, currency=GBP, amount=amount, fee=fee)


def test_every_status_has_a_code() -> None:
    """Whatever the ledger says ends in a documented code; other codes are left as they are."""
    for status in CreateTransferStatus:
        found = outcome([int(CreateTransferStatus.LINKED_EVENT_FAILED), int(status)])
        assert found.status in {"created", "exists", "held"} or found.code in {
            *Refusal.codes(),
            "account_not_found",
        }
    assert code_of("overflows_debits") == "invalid_amount"
    assert code_of("escrow_settled") == "escrow_settled"
    assert code_of("") == ""


def test_accounts_of_the_house_and_of_parties() -> None:
    """Money that is owed can never be paid out twice; the house's own accounts have no floor."""
    floored = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
    assert wallet_account(7, GBP).flags == house_account(AccountCode.ESCROW, GBP).flags == floored
    assert house_account(AccountCode.NOSTRO, GBP).flags == AccountFlags.NONE
    opened = [*house_accounts(GBP), *house_accounts(978)]
    assert len({account.id for account in opened}) == len(opened)
    with pytest.raises(UnknownCurrency):
        wallet_account(7, 1_000)
    assert isinstance(payment(command_id=1, payer=1, payee=2, currency=GBP, amount=1)[0], Transfer)


def test_fees_are_rounded_half_to_even() -> None:
    """A fee of 60 points on 12.50 is 7.5 pence, which is 8; on 7.50 it is 4.5, which is 4."""
    assert [terms.fee_of(amount, terms.MERCHANT_FEE_POINTS) for amount in (1_250, 750)] == [8, 4]
