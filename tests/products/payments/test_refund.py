"""Refunds of payments."""

from __future__ import annotations

import pytest

from formicary.factory.engine.conformance import check_product
from formicary.products.payments.postings import AccountCode, TransferCode, code_of, payment
from formicary.products.payments.product import REFUNDS
from formicary.products.payments.refund import RefundPayment, decide
from tests.products.payments.house import GBP, House

BUYER, SHOP = 11, 12


@pytest.fixture
def paid(house: House) -> int:
    """Pay a shop 1,000 pence with a fee of 6; return the payment's id."""
    house.has(BUYER, amount=1_000)
    house.has(SHOP, code=AccountCode.MERCHANT_WALLET)
    transfers = payment(
        command_id=5, payer=BUYER, payee=SHOP, currency=GBP, amount=1_000, fee=6, to_merchant=True
    )
    assert house.pays(transfers)["status"].tolist() == [0, 0]
    return transfers[0].id


def test_the_product_keeps_its_contract() -> None:
    """The factory's own checks find nothing."""
    assert check_product(REFUNDS) == []


def test_refunds_never_exceed_the_payment(house: House, paid: int) -> None:
    """Parts add up to the payment at most, also after a crash; the payer has them, the fee stays."""
    assert house.does(REFUNDS, RefundPayment(subject=paid, amount=600)).answer["refunded"] == 600
    house.recovers()
    assert house.does(REFUNDS, RefundPayment(subject=paid, amount=401)).code == "refund_exceeds_payment"
    assert house.does(REFUNDS, RefundPayment(subject=paid, amount=394)).answer["refunded"] == 994
    assert (house.wallet(BUYER), house.wallet(SHOP), house.own(AccountCode.FEES)) == (994, 0, 6)
    record = house.record(REFUNDS, paid)
    assert (int(record["refunded"]), int(record["refunds"])) == (994, 2)


def test_a_shop_without_the_money(house: House, paid: int) -> None:
    """What the shop does not have it cannot give back; nothing is counted."""
    assert code_of(house.does(REFUNDS, RefundPayment(subject=paid, amount=995)).code) == "insufficient_funds"
    assert house.does(REFUNDS, RefundPayment(subject=paid, amount=994)).code == ""


def test_the_same_key_refunds_once(house: House, paid: int) -> None:
    """A repeated command is answered as before."""
    first, again = (house.does(REFUNDS, RefundPayment(subject=paid, amount=10), "key") for _ in range(2))
    assert first == again
    assert house.wallet(BUYER) == 10


@pytest.mark.parametrize("amount", [0, -1, 2**63])
def test_impossible_amounts(house: House, paid: int, amount: int) -> None:
    """A refund is at least one penny."""
    assert house.does(REFUNDS, RefundPayment(subject=paid, amount=amount)).code == "invalid_amount"


def test_what_is_no_payment(house: House, paid: int) -> None:
    """A refund, any other transfer and an unknown id are no payments."""
    refund = int(house.does(REFUNDS, RefundPayment(subject=paid, amount=10)).answer["refund"], 16)
    house.moves(1, 1, 1)
    for subject in (refund, 1, 99):
        assert house.does(REFUNDS, RefundPayment(subject=subject, amount=1)).code == "payment_not_found"
    assert TransferCode.REFUND not in (TransferCode.PERSON_PAYMENT, TransferCode.MERCHANT_PAYMENT)
    assert decide is REFUNDS.decide
