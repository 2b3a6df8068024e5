"""Orders of the rail: clearing accounts come back to zero, whatever the bank says and whenever."""

from __future__ import annotations

from typing import Any

import pytest

from formicary.base.currencies import currency
from formicary.base.errors import ProgrammingError
from formicary.factory.engine.conformance import check_product
from formicary.factory.engine.state import Receipt
from formicary.factory.ledger import TransferFlags
from formicary.factory.ledger.ageing import age_buckets, open_items
from formicary.factory.ledger.reconciliation import (
    DifferenceKind,
    lines_of,
    read_camt053,
    read_csv,
    reconcile,
)
from formicary.factory.ledger.statements import statement, write_camt053, write_csv
from formicary.products.payments import terms
from formicary.products.payments.postings import (
    AccountCode,
    account_id,
    code_of,
    house_account_id,
    wallet_account,
)
from formicary.products.payments.product import RAIL
from formicary.products.payments.rail import (
    ConfirmOrder,
    Direction,
    FailOrder,
    FailureReason,
    OrderState,
    RequestCashOut,
    RequestTopUp,
    ReturnOrder,
    SettleOrder,
)
from formicary.products.payments.rail.bank import BankOrder, Behaviour, SimulatedBank
from tests.products.payments.house import GBP, House

PARTY, ORDER, AMOUNT = 11, 77, 500
POUNDS = currency("GBP")


class Rail:
    """A party with 800 pence, and one order of 500."""

    def __init__(self, house: House) -> None:
        self.house = house
        house.has(PARTY, amount=800)
        self.funds = house.own(AccountCode.NOSTRO)

    def asks(self, kind: Any, **changed: int) -> Receipt:
        """Ask for the order."""
        fields = {"subject": ORDER, "party": PARTY, "currency": GBP, "amount": AMOUNT}
        return self.house.does(RAIL, kind(**(fields | changed)))

    def hears(self, kind: Any, **more: Any) -> Receipt:
        """Take the bank's word."""
        return self.house.does(RAIL, kind(subject=ORDER, **more))

    def closes(self, *, again: bool = False) -> None:
        """Close the party's wallet, or open it again."""
        closing = TransferFlags.PENDING | TransferFlags.CLOSING_DEBIT
        flags = TransferFlags.VOID_PENDING_TRANSFER if again else closing
        wallet, other = account_id(PARTY, GBP), house_account_id(AccountCode.ADJUSTMENTS, GBP)
        self.house.moves(wallet, other, 0, id=901 if again else 900, flags=flags, pending_id=900 * again)

    @property
    def state(self) -> int:
        """Where the order is."""
        return int(self.house.record(RAIL, ORDER)["state"])

    @property
    def money(self) -> tuple[int, int, int, int]:
        """Return what is in the wallet, on both clearing accounts, and how much more the bank has."""
        own = self.house.own
        clearing = (own(AccountCode.CLEARING_IN), own(AccountCode.CLEARING_OUT))
        return self.house.wallet(PARTY), *clearing, self.funds - own(AccountCode.NOSTRO)


@pytest.fixture
def rail(house: House) -> Rail:
    """Return a party with money."""
    return Rail(house)


def test_the_product_keeps_its_contract() -> None:
    """The factory's own checks find nothing."""
    assert check_product(RAIL) == []


def test_a_top_up_waits_for_the_banks_word(rail: Rail) -> None:
    """Nothing moves before; then it comes through the clearing account, once."""
    assert rail.asks(RequestTopUp).answer == {"state": "REQUESTED"}
    assert rail.money == (800, 0, 0, 0)
    assert rail.hears(ConfirmOrder).code == ""
    assert rail.hears(ConfirmOrder).code == "rail_order_wrong_state"
    assert rail.money == (1_300, 0, 0, 500)


def test_a_cash_out_is_held_until_the_banks_word(rail: Rail) -> None:
    """Held money cannot be spent, and leaves through the clearing account."""
    rail.asks(RequestCashOut)
    assert code_of(rail.asks(RequestCashOut, subject=1).code) == "insufficient_funds"
    assert rail.money == (800, 0, 0, 0)
    rail.house.recovers()
    assert rail.hears(ConfirmOrder).code == ""
    assert rail.money == (300, 0, 0, -500)


@pytest.mark.parametrize("kind", [RequestTopUp, RequestCashOut])
def test_a_failure_leaves_everything_as_it_was(rail: Rail, kind: Any) -> None:
    """What was held is free again."""
    rail.asks(kind)
    assert rail.hears(FailOrder, reason=FailureReason.NO_FUNDS).answer == {"state": "FAILED"}
    assert rail.money == (800, 0, 0, 0)
    assert rail.house.record(RAIL, ORDER)["reason"] == FailureReason.NO_FUNDS
    assert rail.asks(RequestCashOut, subject=1, amount=800).code == ""
    assert rail.hears(ConfirmOrder).code == "rail_order_wrong_state"


@pytest.mark.parametrize("kind", [RequestTopUp, RequestCashOut])
def test_a_return_undoes_it(rail: Rail, kind: Any) -> None:
    """Weeks later the bank takes its word back: all is as before, and only once."""
    rail.asks(kind)
    assert rail.hears(ReturnOrder).code == "rail_order_wrong_state"
    rail.hears(ConfirmOrder)
    rail.house.waits(20 * terms.DAY)
    assert rail.hears(ReturnOrder).answer == {"state": "RETURNED", "open": 0}
    assert rail.hears(ReturnOrder).code == "rail_order_wrong_state"
    assert rail.money == (800, 0, 0, 0)


@pytest.mark.parametrize("kind", [RequestTopUp, RequestCashOut])
def test_a_silent_bank(rail: Rail, kind: Any) -> None:
    """After three days the order is silent, after a crash as well; a late word still counts."""
    rail.asks(kind)
    rail.house.waits(3 * terms.DAY - 1)
    rail.house.recovers()
    assert rail.state == OrderState.REQUESTED
    rail.house.waits(1)
    assert rail.state == OrderState.SILENT
    rail.hears(ConfirmOrder)
    assert rail.state == OrderState.CONFIRMED
    assert rail.money[1:3] == (0, 0)


def test_the_timer_of_an_answered_order_is_stale(rail: Rail) -> None:
    """Silence counts only where nothing was said."""
    rail.asks(RequestTopUp)
    rail.hears(ConfirmOrder)
    rail.house.waits(3 * terms.DAY)
    assert rail.state == OrderState.CONFIRMED


@pytest.mark.parametrize(
    ("kind", "stands", "settled"), [(RequestTopUp, (500, 0), 1_300), (RequestCashOut, (0, -500), 300)]
)
def test_a_closed_wallet_leaves_the_money_on_clearing(
    rail: Rail, kind: Any, stands: Any, settled: int
) -> None:
    """The bank's half is booked, as it is a fact; the wallet's follows when it is open again, by itself."""
    rail.asks(kind)
    rail.closes()
    assert rail.hears(ConfirmOrder).answer["open"] == AMOUNT
    assert rail.money[1:3] == stands
    assert rail.hears(SettleOrder).answer["open"] == AMOUNT
    rail.house.waits(2 * terms.DAY)
    rail.closes(again=True)
    rail.house.waits(terms.DAY)
    assert rail.money[:3] == (settled, 0, 0)
    assert rail.hears(SettleOrder).code == "rail_order_wrong_state"


@pytest.mark.parametrize("kind", [RequestTopUp, RequestCashOut])
def test_a_return_of_what_the_wallet_never_had(rail: Rail, kind: Any) -> None:
    """Only the bank's half is undone; nothing is open any more, and no timer does anything."""
    rail.asks(kind)
    rail.closes()
    rail.hears(ConfirmOrder)
    assert rail.hears(ReturnOrder).answer["open"] == 0
    rail.closes(again=True)
    rail.house.waits(3 * terms.DAY)
    assert rail.money == (800, 0, 0, 0)
    assert rail.asks(RequestCashOut, subject=1, amount=800).code == ""


def test_a_returned_top_up_that_was_spent(rail: Rail) -> None:
    """The bank has its money back; the party's debt stands on the clearing account until it is paid."""
    rail.asks(RequestTopUp)
    rail.hears(ConfirmOrder)
    fees = house_account_id(AccountCode.FEES, GBP)
    rail.house.moves(account_id(PARTY, GBP), fees, 1_000)
    assert rail.hears(ReturnOrder).answer["open"] == AMOUNT
    assert rail.money == (300, -500, 0, 0)
    rail.house.moves(fees, account_id(PARTY, GBP), 1_000)
    rail.house.waits(terms.DAY)
    assert rail.money == (800, 0, 0, 0)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, "rail_order_exists"),
        ({"subject": 1, "amount": 0}, "invalid_amount"),
        ({"subject": 1, "party": 99}, "wallet_not_found"),
        ({"subject": 1, "party": -1}, "wallet_not_found"),
        ({"subject": 1, "currency": 1_000}, "unknown_currency"),
    ],
)
def test_what_cannot_be_asked(rail: Rail, changed: dict[str, int], code: str) -> None:
    """Each has its code."""
    rail.asks(RequestTopUp)
    assert rail.asks(RequestTopUp, **changed).code == code


def test_an_order_that_is_not_there(rail: Rail) -> None:
    """The bank may speak of what nobody asked."""
    assert rail.hears(ConfirmOrder).code == "rail_order_not_found"


def test_accounts_of_a_new_currency(house: House) -> None:
    """The house's accounts are opened with the first order in a currency."""
    from_abroad = Rail(house)
    house.opens(wallet_account(PARTY, 978))
    assert from_abroad.asks(RequestTopUp, currency=978).code == ""
    assert from_abroad.hears(ConfirmOrder).code == ""
    assert house.balance(account_id(PARTY, 978)) == AMOUNT


def test_a_year_with_a_bank(house: House) -> None:
    """Hundreds of orders, every behaviour: clearing comes back to zero, and the nostro has what was said."""
    bank = SimulatedBank(seed=3)
    house.has(PARTY, amount=1_000_000)
    seen, last = set(), house.clock.now()
    for number in range(1, 301):
        kind, direction = ((RequestTopUp, Direction.TOP_UP), (RequestCashOut, Direction.CASH_OUT))[number % 2]
        fields = {"subject": number, "party": PARTY, "currency": GBP, "amount": number}
        assert house.does(RAIL, kind(**fields)).code == ""
        at = house.clock.now()
        bank.send([BankOrder(order=number, direction=direction, currency=GBP, amount=number, at=at)])
        seen.add(bank.behaviour(number))
        house.waits(terms.HOUR)
        last = hear(house, bank, last)
    house.waits(30 * terms.DAY)
    hear(house, bank, last)
    assert seen == set(Behaviour)
    assert (house.own(AccountCode.CLEARING_IN), house.own(AccountCode.CLEARING_OUT)) == (0, 0)
    unsaid = sum(
        line.amount
        for line in bank.statement(0, house.clock.now(), currency=GBP)
        if bank.behaviour(line.order) == Behaviour.SILENT_PAID
    )
    moved = sum(line.amount for line in bank.statement(0, house.clock.now(), currency=GBP))
    # The money that the house began with came from the same account.
    assert -house.own(AccountCode.NOSTRO) == 1_000_000 + moved - unsaid
    states = [int(record["state"]) for record in house.engine.state.aggregates[RAIL.name].records]
    silent = [number for number in range(1, 301) if "silent" in bank.behaviour(number)]
    assert states.count(OrderState.SILENT) == len(silent)


@pytest.mark.parametrize("form", ["csv", "camt.053"])
def test_the_banks_own_file(house: House, form: str) -> None:
    """What the bank did and never said is listed, and nothing else; ageing shows what waits."""
    shares = {Behaviour.CONFIRMS: 60, Behaviour.RETURNS: 20, Behaviour.SILENT: 10, Behaviour.SILENT_PAID: 10}
    bank, start = SimulatedBank(5, shares), house.clock.now()
    house.has(PARTY)
    for number in range(1, 41):
        order = RequestTopUp(subject=number, party=PARTY, currency=GBP, amount=100 + number)
        assert house.does(RAIL, order).code == ""
        at = house.clock.now()
        sent = BankOrder(order=number, direction=Direction.TOP_UP, currency=GBP, amount=order.amount, at=at)
        bank.send([sent])
    house.waits(40 * terms.DAY)
    now = hear(house, bank, start)
    theirs = bank.statement_of(start, now, currency=POUNDS)
    if form == "csv":
        file = read_csv(write_csv(theirs), POUNDS)
    else:
        file = read_camt053(write_camt053(theirs, message="bank 1", created=now), POUNDS)
    nostro = house_account_id(AccountCode.NOSTRO, GBP)
    ours = statement(nostro, house.transfers(nostro), currency=POUNDS, start=0, end=2**62, mirrored=True)
    found = reconcile(file, lines_of(ours))
    unsaid = {number for number in range(1, 41) if bank.behaviour(number) == Behaviour.SILENT_PAID}
    assert unsaid
    assert {difference.kind for difference in found.differences} == {DifferenceKind.NOT_IN_LEDGER}
    assert {difference.file.reference for difference in found.differences if difference.file} == unsaid
    for number in unsaid:
        assert house.does(RAIL, ConfirmOrder(subject=number)).code == ""
    ours = statement(nostro, house.transfers(nostro), currency=POUNDS, start=0, end=2**62, mirrored=True)
    assert reconcile(file, lines_of(ours)).reconciles
    assert ours.closing == theirs.closing


def test_ageing_shows_what_waits_for_the_bank(rail: Rail) -> None:
    """A cash-out that nobody answered ages on the clearing account, until it is answered."""
    rail.asks(RequestCashOut)
    rail.house.waits(4 * terms.DAY)
    clearing = house_account_id(AccountCode.CLEARING_OUT, GBP)
    items = open_items(clearing, rail.house.transfers(clearing))
    assert [(item.reference, item.booked, item.held) for item in items] == [(ORDER, 0, AMOUNT)]
    buckets = age_buckets(items, now=rail.house.clock.now())
    assert [bucket.held for bucket in buckets] == [0, 0, AMOUNT, 0, 0]
    rail.hears(ConfirmOrder)
    assert open_items(clearing, rail.house.transfers(clearing)) == []


def hear(house: House, bank: SimulatedBank, last: int) -> int:
    """Carry out what the bank said since; return the time."""
    now = house.clock.now()
    for word in bank.say(last, now):
        assert house.does(RAIL, word.command).code == ""
    return now


def test_a_bank_is_the_same_in_every_run() -> None:
    """What it does follows from its seed and the order."""
    first, again, other = SimulatedBank(1), SimulatedBank(1), SimulatedBank(2)
    kinds = [[bank.behaviour(order) for order in range(50)] for bank in (first, again, other)]
    assert kinds[0] == kinds[1] != kinds[2]
    assert SimulatedBank(1, {Behaviour.SILENT: 100}).behaviour(5) == Behaviour.SILENT
    with pytest.raises(ProgrammingError):
        SimulatedBank(1, {Behaviour.SILENT: 99})
