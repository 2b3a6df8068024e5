"""Held payments: released with the fee, given back, or neither in time; each once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.conformance import check_product
from formicary.factory.ledger import TransferFlags
from formicary.factory.registry import ArmPolicy, registry_product
from formicary.products.payments.held import HeldNote, HeldStatus, ReleaseHeldPayment, ReturnHeldPayment
from formicary.products.payments.postings import (
    AccountCode,
    TransferCode,
    account_id,
    code_of,
    outcome,
    payment,
)
from formicary.products.payments.product import HELD, REFUNDS
from formicary.products.payments.refund import RefundPayment
from tests.products.payments.house import GBP, House

BUYER, SHOP, FRIEND = 11, 12, 13
SOMEBODY = f"{77:032x}"
SECOND = 10**9
HOLD_SECONDS = 3_600
REGISTRY = registry_product(lambda *_: ())


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Give a house that holds payments above 500 pence for an hour, and a buyer with money."""
    made = House(tmp_path, REGISTRY)
    rule = {"name": "large", "when": "amount > 500", "outcome": "hold", "reason": "It is large."}
    command = ArmPolicy(
        subject=text_id("payment"),
        point="payment",
        version=1,
        policy=json.dumps({"name": "tests", "version": 1, "hold_seconds": HOLD_SECONDS}),
        rules=json.dumps({"name": "tests", "version": 1, "point": "payment", "rules": [rule]}),
        reason="A test wants it.",
    )
    assert made.does(REGISTRY, command).code == ""
    made.has(BUYER, amount=5_000)
    made.has(FRIEND)
    made.has(SHOP, code=AccountCode.MERCHANT_WALLET)
    return made


def pays(house: House, amount: int = 1_000, *, fee: int = 6, payee: int = SHOP, command_id: int = 5) -> int:
    """Ask for a payment of the buyer; return its id."""
    transfers = payment(
        command_id=command_id,
        payer=BUYER,
        payee=payee,
        currency=GBP,
        amount=amount,
        fee=fee,
        to_merchant=payee == SHOP,
    )
    said = outcome(house.pays(transfers)["status"].tolist())
    assert said.status == ("held" if amount > 500 else "created")
    return transfers[0].id


def release(subject: int, **more: Any) -> ReleaseHeldPayment:
    """Return the command that releases a payment."""
    return ReleaseHeldPayment(subject=subject, by=SOMEBODY, **more)


def give_back(subject: int, **more: Any) -> ReturnHeldPayment:
    """Return the command that gives a payment back."""
    return ReturnHeldPayment(subject=subject, by=SOMEBODY, **more)


def test_the_product_keeps_its_contract() -> None:
    """The factory's own checks find nothing."""
    assert check_product(HELD) == []


def test_a_release_pays_and_charges_the_fee(house: House) -> None:
    """The payee has the money less the fee, the house the fee, and the journal who said so and why."""
    held = pays(house)
    assert (house.wallet(SHOP), house.own(AccountCode.FEES)) == (0, 0)
    receipt = house.does(HELD, release(held, note=HeldNote.CHECKED))
    assert (receipt.code, receipt.answer) == ("", {"fee": 6})
    assert (house.wallet(BUYER), house.wallet(SHOP), house.own(AccountCode.FEES)) == (4_000, 994, 6)
    house.recovers()
    record = house.record(HELD, held)
    assert (int(record["status"]), int(record["note"]), int(record["fee"]), int(record["by_low"])) == (
        HeldStatus.RELEASED,
        HeldNote.CHECKED,
        6,
        77,
    )
    charged = house.transfers(account_id(SHOP, GBP))[-1]
    assert (int(charged["code"]), int(charged["user_data_128_low"])) == (
        TransferCode.MERCHANT_FEE,
        held & (2**64 - 1),
    )
    assert house.events()[-2][0] == "held_payment.HeldPaymentReleased"


def test_between_friends_there_is_no_fee(house: House) -> None:
    """Only merchants pay for being paid."""
    held = pays(house, fee=0, payee=FRIEND)
    assert house.does(HELD, release(held)).answer == {"fee": 0}
    assert (house.wallet(FRIEND), house.own(AccountCode.FEES)) == (1_000, 0)


def test_giving_back(house: House) -> None:
    """The payer has it all, and nothing was charged."""
    held = pays(house)
    assert house.does(HELD, give_back(held, note=HeldNote.SUSPICIOUS)).code == ""
    assert (house.wallet(BUYER), house.wallet(SHOP), house.own(AccountCode.FEES)) == (5_000, 0, 0)
    assert int(house.record(HELD, held)["status"]) == HeldStatus.RETURNED
    assert pays(house) == held


@pytest.mark.parametrize("second", [release, give_back])
def test_each_is_decided_once(house: House, second: Any) -> None:
    """The first verdict counts; the same key is answered as before."""
    held, other = pays(house), pays(house, command_id=6)
    first, again = (house.does(HELD, release(held), "key") for _ in range(2))
    assert first == again
    assert house.does(HELD, give_back(other)).code == ""
    assert house.does(HELD, second(held)).code == "hold_already_released"
    assert house.does(HELD, second(other)).code == "hold_already_returned"
    assert (house.wallet(BUYER), house.wallet(SHOP)) == (4_000, 994)


def test_what_nobody_decides_about_goes_back(house: House) -> None:
    """At its time, whether its row was written by then or not; not a moment before."""
    first, second = pays(house), pays(house, command_id=6)
    house.waits(HOLD_SECONDS * SECOND - 10**6)
    assert house.does(HELD, release(second)).code == ""
    house.waits(10**7)
    assert house.wallet(BUYER) == 4_000
    for verdict in (release, give_back):
        assert house.does(HELD, verdict(first)).code == "hold_expired"
    assert pays(house, 5, fee=0, command_id=7)
    assert house.wallet(BUYER) == 3_995


def test_what_is_not_held(house: House) -> None:
    """A payment that was made, another hold, any other transfer, and nothing at all."""
    made = pays(house, 500, fee=3)
    assert house.does(HELD, release(made)).code == "payment_not_held"
    pending = {"code": TransferCode.PERSON_PAYMENT, "flags": TransferFlags.PENDING, "id": 900}
    house.moves(account_id(BUYER, GBP), account_id(FRIEND, GBP), 5, **pending)
    assert house.does(HELD, give_back(900)).code == "payment_not_held"
    for subject in (1, 999):
        assert house.does(HELD, release(subject)).code == "payment_not_found"
    wrong = ReleaseHeldPayment(subject=made, by="me")
    assert house.does(HELD, wrong).code == "malformed_command"


def test_past_the_product(house: House) -> None:
    """Whoever ends a hold on the ledger leaves nothing to decide, and the code says so."""
    held = pays(house)
    voided = {"flags": TransferFlags.VOID_PENDING_TRANSFER, "pending_id": held, "ledger": 0, "code": 0}
    house.moves(0, 0, 0, **voided)
    assert code_of(house.does(HELD, release(held)).code) == "hold_already_returned"
    assert code_of("pending_transfer_already_posted") == "hold_already_released"
    assert code_of("pending_transfer_expired") == "hold_expired"


def test_a_closed_account_is_paid_nothing(house: House) -> None:
    """The money stays held, and may still be given back."""
    held = pays(house, fee=0, payee=FRIEND)
    closing = TransferFlags.PENDING | TransferFlags.CLOSING_DEBIT
    house.moves(account_id(FRIEND, GBP), account_id(BUYER, GBP), 0, flags=closing)
    assert code_of(house.does(HELD, release(held)).code) == "account_closed"
    assert house.does(HELD, give_back(held)).code == ""


def test_only_what_was_released_is_refunded(house: House) -> None:
    """Held money was not paid, so it cannot be paid back; nor can what went back already."""
    held, returned = pays(house), pays(house, command_id=6)
    house.has(14, amount=5_000)
    house.moves(account_id(14, GBP), account_id(SHOP, GBP), 3_000)
    assert house.does(REFUNDS, RefundPayment(subject=held, amount=10)).code == "payment_not_completed"
    house.does(HELD, give_back(returned))
    assert house.does(REFUNDS, RefundPayment(subject=returned, amount=10)).code == "payment_not_completed"
    house.does(HELD, release(held))
    assert house.does(REFUNDS, RefundPayment(subject=held, amount=10)).answer["refunded"] == 10
