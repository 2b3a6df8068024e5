"""Card payments as bookings."""

from __future__ import annotations

from typing import Any

import polars as pl

from formicary.base.limits import REQUEST_ITEMS_MAX
from formicary.economy.card_book import PAYMENTS, card_accounts, card_moments, card_transfers
from formicary.economy.chart import TransferCode
from formicary.economy.small_cards import small_cards
from formicary.factory.ledger import AccountFlags, QueryFilter, id_column
from tests.economy.kit import World

MONTH = 31 * 86_400_000_000_000
START = 1_522_540_800_000_000_000


def test_wallets_are_funded_to_the_cent() -> None:
    """No payment is refused for funds, and at the end every wallet is empty."""
    world = World()
    payments = small_cards(seed=3, payments=2_000)
    tally = world.replay([card_accounts("cards", payments), *card_moments("cards", payments)])
    accounts = world.ledger.query_accounts(QueryFilter())
    wallets = accounts[accounts["flags"] == AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS]
    assert tally.transfers == card_transfers(payments)
    assert len(wallets) == payments["customer"].n_unique()
    assert (wallets["credits_posted"] == wallets["debits_posted"]).all()
    assert accounts["credits_posted"].sum() == accounts["debits_posted"].sum() == 2 * payments["cents"].sum()


def test_each_month_is_funded_at_its_start() -> None:
    """A customer who pays in two months gets a deposit in each, before the month's first payment."""
    rows = [(0, START, 7, 1, 500), (1, START + 5, 7, 2, 0), (2, START + MONTH, 7, 1, 300)]
    payments = pl.DataFrame(rows, PAYMENTS, orient="row")
    moments = list(card_moments("cards", payments))
    asked: list[Any] = [moment.requests[0] for moment in moments]
    codes = [request["code"].tolist() for request in asked]
    amounts = [request["amount"].tolist() for request in asked]
    deposit, payment = TransferCode.DEPOSIT, TransferCode.PAYMENT
    assert codes == [[deposit], [payment, payment], [deposit], [payment]]
    assert amounts == [[500], [500, 0], [300], [300]]
    assert [moment.at for moment in moments] == [START, START + 5, START + MONTH, START + MONTH]
    assert len(set(id_column(asked[0]) + id_column(asked[2]))) == 2


def test_requests_are_as_large_as_allowed() -> None:
    """Payments are cut at the size that the ledger takes, wherever that is."""
    count = REQUEST_ITEMS_MAX + 5
    rows = [(number, START + number, number % 3, 1, 1) for number in range(count)]
    payments = pl.DataFrame(rows, PAYMENTS, orient="row")
    sizes = [len(moment) for moment in card_moments("cards", payments)]
    assert sizes == [3, REQUEST_ITEMS_MAX, 5]


def test_moments_follow_in_time() -> None:
    """Time never goes back, and a request is sent when the last of its payments was made."""
    payments = small_cards(seed=1, payments=12_000)
    times = [moment.at for moment in card_moments("cards", payments)]
    assert times == sorted(times)
    assert times[-1] == payments["at"][-1]
