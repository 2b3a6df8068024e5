"""Escrows in a whole engine: money, timers, refusals, crashes."""

from __future__ import annotations

from typing import Any

import pytest

from formicary.factory.engine.state import Receipt
from formicary.factory.ledger import TransferFlags
from formicary.products.payments import terms
from formicary.products.payments.escrow import (
    AgreeRefund,
    CancelRefund,
    CloseEscrow,
    ConfirmEscrow,
    ConfirmReturn,
    EscalateRefund,
    EscrowCommand,
    ExtendEscrow,
    OpenEscrow,
    PayEscrow,
    Refund,
    RefuseRefund,
    RequestRefund,
    ReviseRefund,
    Role,
    RuleRefund,
    ShipEscrow,
    ShipReturn,
    Timing,
    Trade,
)
from formicary.products.payments.postings import (
    AccountCode,
    account_id,
    code_of,
    house_account_id,
    wallet_account,
)
from formicary.products.payments.product import ESCROWS
from tests.products.payments.house import GBP, House

BUYER, SELLER, ESCROW, PRICE = 11, 12, 77, 1_000


@pytest.fixture
def trade(house: House) -> Shop:
    """Return an escrow of a thousand pence that is paid."""
    return Shop(house)


class Shop:
    """One escrow, paid, with a fee of one percent."""

    def __init__(self, house: House) -> None:
        self.house = house
        house.has(BUYER, amount=5_000)
        house.has(SELLER, code=AccountCode.MERCHANT_WALLET)
        assert self.does(self.opening()).code == ""
        assert self.does(PayEscrow(subject=ESCROW)).answer["held"] == PRICE

    def opening(self, **changed: int) -> OpenEscrow:
        """Return the command that opened it, or one a little different."""
        fields: dict[str, Any] = {
            "subject": ESCROW,
            "buyer": BUYER,
            "seller": SELLER,
            "currency": GBP,
            "amount": PRICE,
        }
        return OpenEscrow(**(fields | {"fee_points": 100} | changed))

    def does(self, *commands: EscrowCommand) -> Receipt:
        """Carry out commands; return the last receipt."""
        return [self.house.does(ESCROWS, command) for command in commands][-1]

    def does_all(self, *kinds: type[EscrowCommand]) -> None:
        """Carry out commands that need no more than the escrow's id; none may be refused."""
        for kind in kinds:
            assert self.does(kind(subject=ESCROW)).code == ""

    def asks(self, amount: int, **goods: Any) -> Receipt:
        """Ask for a refund."""
        return self.does(RequestRefund(subject=ESCROW, amount=amount, **goods))

    @property
    def state(self) -> tuple[int, int, int]:
        """Where it is."""
        record = self.house.record(ESCROWS, ESCROW)
        return Trade(int(record["trade"])), Refund(int(record["refund"])), Timing(int(record["timer"]))

    @property
    def money(self) -> tuple[int, int, int, int]:
        """What buyer and seller have, the fees, and what is held."""
        house = self.house
        held = house.own(AccountCode.ESCROW)
        assert held == house.record(ESCROWS, ESCROW)["held"]
        return house.wallet(BUYER), house.wallet(SELLER), house.own(AccountCode.FEES), held


def test_pay_ship_confirm(trade: Shop) -> None:
    """The money waits, then the seller has it, less the fee."""
    assert trade.money == (4_000, 0, 0, 1_000)
    trade.does_all(ShipEscrow, ConfirmEscrow)
    assert trade.money == (4_000, 990, 10, 0)
    assert trade.state == (Trade.TRADE_FINISHED, Refund.NONE, Timing.NONE)


def test_confirmed_by_itself_after_ten_days(trade: Shop) -> None:
    """A jump of ten days pays the seller at the time it was due, once, whatever crashed before."""
    due = trade.does(ShipEscrow(subject=ESCROW)).answer["due"]
    trade.house.recovers()
    trade.house.waits(terms.AUTO_CONFIRM - 1)
    assert trade.state[0] == Trade.WAIT_BUYER_CONFIRM_GOODS
    trade.house.waits(1 + terms.AUTO_CONFIRM)
    trade.house.recovers()
    trade.house.waits(terms.AUTO_CONFIRM)
    finished = [at for kind, at in trade.house.events() if kind == "escrow.EscrowFinished"]
    # Each transfer takes a nanosecond, and the event stands after them.
    assert [at - due for at in finished] == [1]
    assert trade.money == (4_000, 990, 10, 0)


def test_the_buyer_puts_it_off_once(trade: Shop) -> None:
    """Three days more; the first timer does nothing, a second extension is refused."""
    first = trade.does(ShipEscrow(subject=ESCROW)).answer["due"]
    assert trade.does(ExtendEscrow(subject=ESCROW)).answer["due"] == first + terms.EXTENSION
    assert trade.does(ExtendEscrow(subject=ESCROW)).code == "already_extended"
    trade.house.waits(terms.AUTO_CONFIRM)
    assert trade.state[0] == Trade.WAIT_BUYER_CONFIRM_GOODS
    trade.house.waits(terms.EXTENSION)
    assert trade.state[0] == Trade.TRADE_FINISHED


def test_an_unshipped_refund_is_paid_after_a_day_of_silence(trade: Shop) -> None:
    """Everything goes back; nothing is shipped afterwards."""
    trade.asks(PRICE)
    trade.house.waits(terms.UNSHIPPED)
    assert trade.money == (5_000, 0, 0, 0)
    assert trade.state == (Trade.TRADE_CLOSED, Refund.SUCCESS, Timing.NONE)
    assert trade.does(ShipEscrow(subject=ESCROW)).code == "escrow_settled"


def test_a_part_before_shipment_leaves_the_rest(trade: Shop) -> None:
    """The seller still has to ship, and gets the rest; another refund may be asked for."""
    trade.asks(300)
    trade.does_all(AgreeRefund)
    assert trade.money == (4_300, 0, 0, 700)
    assert trade.asks(800).code == "refund_out_of_range"
    trade.asks(200)
    trade.does_all(ShipEscrow, ConfirmEscrow)
    assert trade.money == (4_300, 693, 7, 0)
    assert trade.state[:2] == (Trade.TRADE_FINISHED, Refund.CLOSED)


def test_shipping_answers_a_refund(trade: Shop) -> None:
    """Who ships within the day keeps the trade; the buyer may ask again for what does not come."""
    trade.asks(PRICE)
    trade.does_all(ShipEscrow)
    assert trade.state == (Trade.WAIT_BUYER_CONFIRM_GOODS, Refund.CLOSED, Timing.AUTO_CONFIRM)
    trade.house.waits(terms.DAY)
    trade.asks(PRICE)
    trade.house.waits(terms.NOT_RECEIVED)
    assert trade.money == (5_000, 0, 0, 0)


def test_a_part_after_shipment_splits_the_sum(trade: Shop) -> None:
    """The buyer keeps the goods and gets a part; the seller gets the rest, less the fee of it."""
    trade.does_all(ShipEscrow)
    trade.asks(250, goods_received=True)
    trade.does_all(AgreeRefund)
    assert trade.money == (4_250, 742, 8, 0)
    assert trade.state[:2] == (Trade.TRADE_FINISHED, Refund.SUCCESS)


def test_goods_go_back(trade: Shop) -> None:
    """Agreed, sent back, confirmed."""
    trade.does_all(ShipEscrow)
    trade.asks(PRICE, goods_received=True, goods_returned=True)
    trade.does_all(AgreeRefund, ShipReturn, ConfirmReturn)
    assert trade.money == (5_000, 0, 0, 0)
    assert trade.state[0] == Trade.TRADE_CLOSED


def test_silence_about_goods_that_came_back_pays(trade: Shop) -> None:
    """Silence agrees to the return after five days, and to the refund ten days after the goods were sent."""
    trade.does_all(ShipEscrow)
    trade.asks(PRICE, goods_received=True, goods_returned=True)
    trade.house.waits(terms.COMPLAINT)
    assert trade.state[1] == Refund.WAIT_BUYER_RETURN_GOODS
    trade.does_all(ShipReturn)
    trade.house.waits(terms.RETURN_SILENT)
    assert trade.money == (5_000, 0, 0, 0)


def test_a_courier_turns_round(trade: Shop) -> None:
    """Goods on their way are intercepted: within three days the seller says no, or the refund is paid."""
    trade.does_all(ShipEscrow)
    trade.asks(PRICE)
    trade.does_all(AgreeRefund)
    assert trade.state[1:] == (Refund.WAIT_SELLER_CONFIRM_GOODS, Timing.INTERCEPTION)
    trade.house.waits(terms.INTERCEPTION)
    assert trade.money == (5_000, 0, 0, 0)


def test_after_a_refusal_the_trade_goes_on(trade: Shop) -> None:
    """Five days without a word of the buyer end the refund; the confirmation goes on where it stood."""
    trade.does_all(ShipEscrow)
    trade.house.waits(4 * terms.DAY)
    trade.asks(PRICE)
    trade.does_all(RefuseRefund)
    trade.house.waits(terms.REVISE)
    assert trade.state == (Trade.WAIT_BUYER_CONFIRM_GOODS, Refund.CLOSED, Timing.AUTO_CONFIRM)
    trade.house.waits(6 * terms.DAY - 10**9)
    assert trade.state[0] == Trade.WAIT_BUYER_CONFIRM_GOODS
    trade.house.waits(10**9)
    assert trade.money == (4_000, 990, 10, 0)


def test_revised_and_cancelled(trade: Shop) -> None:
    """A refused buyer may claim less, and may take the claim back."""
    trade.does_all(ShipEscrow)
    trade.asks(PRICE, goods_received=True)
    trade.does_all(RefuseRefund)
    assert trade.does(ReviseRefund(subject=ESCROW, amount=100, goods_received=True)).code == ""
    assert trade.state[1:] == (Refund.WAIT_SELLER_AGREE, Timing.COMPLAINT)
    trade.does_all(CancelRefund, ConfirmEscrow)
    assert trade.money == (4_000, 990, 10, 0)


@pytest.mark.parametrize(
    ("amount", "money", "where"),
    [
        (0, (4_000, 0, 0, 1_000), Trade.WAIT_BUYER_CONFIRM_GOODS),
        (400, (4_400, 594, 6, 0), Trade.TRADE_FINISHED),
        (1_000, (5_000, 0, 0, 0), Trade.TRADE_CLOSED),
    ],
)
def test_the_house_rules(trade: Shop, amount: int, money: tuple[int, ...], where: Trade) -> None:
    """A ruling gives the buyer nothing, a part or all; no timer hurries it, and only the house may."""
    trade.does_all(ShipEscrow)
    trade.asks(PRICE, goods_received=True)
    trade.does_all(RefuseRefund, EscalateRefund)
    trade.house.waits(100 * terms.DAY)
    assert trade.does(RuleRefund(subject=ESCROW, amount=amount, by=Role.BUYER)).code == "not_your_move"
    assert trade.does(RuleRefund(subject=ESCROW, amount=1_001)).code == "refund_out_of_range"
    assert trade.does(RuleRefund(subject=ESCROW, amount=amount)).code == ""
    assert trade.money == money
    assert trade.state[0] == where


def test_the_seller_calls_it_off(trade: Shop) -> None:
    """Before shipment all goes back, also while a refund is asked for; the buyer cannot do that alone."""
    trade.asks(100)
    assert trade.does(CloseEscrow(subject=ESCROW, by=Role.BUYER)).code == "not_your_move"
    assert trade.does(CloseEscrow(subject=ESCROW, by=Role.SELLER)).answer["to_buyer"] == PRICE
    assert trade.money == (5_000, 0, 0, 0)
    trade.house.waits(terms.DAY)
    assert trade.state == (Trade.TRADE_CLOSED, Refund.SUCCESS, Timing.NONE)


def test_wrong_order_double_confirm_and_refund_after_release(trade: Shop) -> None:
    """Each has its code, and nothing moves."""
    assert trade.does(ConfirmEscrow(subject=ESCROW)).code == "escrow_wrong_state"
    assert trade.does(PayEscrow(subject=ESCROW)).code == "escrow_wrong_state"
    assert trade.asks(PRICE, goods_received=True).code == "claim_contradicts"
    trade.does_all(ShipEscrow)
    assert trade.asks(PRICE, goods_returned=True).code == "claim_contradicts"
    assert trade.asks(0).code == trade.asks(-1).code == trade.asks(1_001).code == "refund_out_of_range"
    trade.does_all(ConfirmEscrow)
    assert trade.does(ConfirmEscrow(subject=ESCROW)).code == "escrow_settled"
    assert trade.asks(PRICE).code == "escrow_settled"
    assert trade.money == (4_000, 990, 10, 0)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, "escrow_already_open"),
        ({"subject": 1, "seller": BUYER}, "same_party"),
        ({"subject": 1, "seller": 99}, "wallet_not_found"),
        ({"subject": 1, "buyer": -1}, "wallet_not_found"),
        ({"subject": 1, "buyer": 2**128}, "wallet_not_found"),
        ({"subject": 1, "currency": 840}, "wallet_not_found"),
        ({"subject": 1, "currency": 1_000}, "unknown_currency"),
        ({"subject": 1, "amount": 0}, "invalid_amount"),
        ({"subject": 1, "amount": 2**63}, "invalid_amount"),
        ({"subject": 1, "fee_points": 10_001}, "invalid_amount"),
        ({"subject": 1, "by": Role.CLOCK}, "not_your_move"),
    ],
)
def test_what_cannot_be_opened(trade: Shop, changed: dict[str, int], code: str) -> None:
    """Each has its code."""
    assert trade.does(trade.opening(**changed)).code == code


def test_an_escrow_that_is_not_there(trade: Shop) -> None:
    """Whatever is asked of it."""
    assert trade.does(PayEscrow(subject=1)).code == "escrow_not_found"


def test_a_buyer_without_the_money(trade: Shop) -> None:
    """The ledger's word has a documented code; the escrow still waits to be paid."""
    trade.does(trade.opening(subject=1, amount=4_001))
    assert code_of(trade.does(PayEscrow(subject=1)).code) == "insufficient_funds"
    trade.house.moves(house_account_id(AccountCode.NOSTRO, GBP), account_id(BUYER, GBP), 1)
    assert trade.does(PayEscrow(subject=1)).code == ""


def test_a_currency_of_its_own(house: House) -> None:
    """The house's account is opened with the first escrow in a currency; an unpaid one is called off."""
    shop = Shop(house)
    house.opens(*(wallet_account(party, 978) for party in (BUYER, SELLER)))
    assert shop.does(shop.opening(subject=5, currency=978)).code == ""
    assert house.balance(house_account_id(AccountCode.ESCROW, 978)) == 0
    assert house.balance(house_account_id(AccountCode.FEES, 978)) == 0
    assert shop.does(CloseEscrow(subject=5, by=Role.BUYER)).answer["trade"] == Trade.TRADE_CLOSED.name


def test_the_same_key_gets_the_same_answer(trade: Shop) -> None:
    """A repeated command changes nothing and is answered as before."""
    first = trade.house.does(ESCROWS, ShipEscrow(subject=ESCROW), "the key")
    trade.does_all(ConfirmEscrow)
    assert trade.house.does(ESCROWS, ShipEscrow(subject=ESCROW), "the key") == first


def test_a_closed_account_is_paid_when_it_opens_again(trade: Shop) -> None:
    """A timer that cannot pay runs again each day; a person is told that the account is closed."""
    closing = TransferFlags.PENDING | TransferFlags.CLOSING_CREDIT
    nostro, seller = house_account_id(AccountCode.NOSTRO, GBP), account_id(SELLER, GBP)
    trade.house.moves(nostro, seller, 0, id=500, flags=closing)
    trade.does_all(ShipEscrow)
    assert code_of(trade.does(ConfirmEscrow(subject=ESCROW)).code) == "account_closed"
    trade.house.waits(terms.AUTO_CONFIRM)
    trade.house.waits(3 * terms.DAY)
    kinds = [kind for kind, _ in trade.house.events()]
    assert kinds.count("escrow.EscrowDelayed") == 4
    assert trade.state == (Trade.WAIT_BUYER_CONFIRM_GOODS, Refund.NONE, Timing.AUTO_CONFIRM)
    void = TransferFlags.VOID_PENDING_TRANSFER
    trade.house.moves(nostro, seller, 0, id=501, flags=void, pending_id=500)
    trade.house.waits(terms.DAY)
    assert trade.money == (4_000, 990, 10, 0)
