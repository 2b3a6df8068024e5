"""A merchant's documents as bookings."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.economy.chart import TransferCode
from formicary.economy.escrow_counts import count_escrows
from formicary.economy.invoices import LINES, documents
from formicary.economy.merchant_book import Kind, MerchantBook, merchant_book
from formicary.economy.names import named_id
from formicary.products.payments import terms
from formicary.products.payments.escrow import Refund, Timing, Trade
from formicary.products.payments.postings import AccountCode, account_id, house_account_id
from tests.economy.kit import MINUTE, START, EngineWorld, lines
from tests.economy.test_invoices import LINE

WALLET = account_id(named_id("shop", "customer 7"), 826)
BAD_DEBT = named_id("shop", "bad debt")


def booked(*rows: tuple[str, int | None, int, int]) -> MerchantBook:
    """Return the book of invoice lines, a minute apart."""
    return merchant_book("shop", documents(lines(*rows)))


def kinds(book: MerchantBook) -> list[str]:
    """Return what became of each document."""
    return book.documents["kind"].to_list()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("1", 7, 1, 1_000)], [Kind.PAYMENT]),
        ([("1", None, 1, 1_000)], [Kind.GUEST_PAYMENT]),
        ([("1", 7, 1, 0)], [Kind.NOTHING_TO_PAY]),
        ([("1", 7, 1, 4)], [Kind.NOTHING_TO_PAY]),
        ([("1", 7, -1, 1_000)], [Kind.STOCK_CORRECTION]),
        ([("A1", None, 1, 1_000)], [Kind.ADJUSTMENT]),
        ([("A1", None, 1, -1_000)], [Kind.ADJUSTMENT]),
        ([("A1", None, 1, 0)], [Kind.NOTHING_TO_PAY]),
        ([("C1", 7, -1, 1_000)], [Kind.GOODWILL_REFUND]),
        ([("C1", None, -1, 1_000)], [Kind.GUEST_GOODWILL_REFUND]),
        ([("1", 7, 1, 1_000), ("C2", 7, -1, 1_000)], [Kind.PAYMENT, Kind.ESCROW_REFUND]),
        ([("1", 7, 1, 1_000), ("C2", 7, -1, 1_010)], [Kind.PAYMENT, Kind.GOODWILL_REFUND]),
        ([("1", 8, 1, 1_000), ("C2", 7, -1, 1_000)], [Kind.PAYMENT, Kind.GOODWILL_REFUND]),
        ([("1", None, 1, 1_000), ("C2", None, -1, 1_000)], [Kind.GUEST_PAYMENT, Kind.GUEST_GOODWILL_REFUND]),
        (
            [("1", 7, 1, 1_000), ("C2", 7, -1, 600), ("C3", 7, -1, 600)],
            [Kind.PAYMENT, Kind.ESCROW_REFUND, Kind.GOODWILL_REFUND],
        ),
        ([("C1", 7, 1, 1_000)], [Kind.PAYMENT]),
    ],
)
def test_what_becomes_of_documents(
    rows: list[tuple[str, int | None, int, int]], expected: list[Kind]
) -> None:
    """Sign, party and what was paid before decide; a refund is never counted against twice."""
    assert kinds(booked(*rows)) == expected


def test_a_wallet_is_funded_with_exactly_what_is_lacking(tmp_path: Path) -> None:
    """A refund stays in the wallet, and the next purchase is funded with the rest."""
    world = EngineWorld(tmp_path)
    rows = lines(("1", 7, 1, 1_000), ("C2", 7, -1, 300), ("3", 7, 1, 800), ("4", 7, 1, 0))
    # A refund in escrow may take a day.
    later = pl.when(pl.col("invoice").is_in(["3", "4"])).then(2 * terms.DAY).otherwise(0)
    book = merchant_book("shop", documents(rows.with_columns(pl.col("at") + later)))
    world.replay(book.moments)
    deposits = world.transfers(TransferCode.DEPOSIT)
    assert deposits["amount"].tolist() == [100, 50]
    assert world.balance(WALLET) == 0
    assert world.balance(book.merchant_id) == 150


def test_a_purchase_from_refunds_needs_no_deposit(tmp_path: Path) -> None:
    """What a refund left in the wallet pays alone, where it is enough."""
    world = EngineWorld(tmp_path)
    book = booked(("C1", 7, -1, 1_000), ("2", 7, 1, 800))
    world.replay(book.moments)
    assert len(world.transfers(TransferCode.DEPOSIT)) == 0
    assert world.balance(WALLET) == 20


def test_the_merchant_may_owe_what_refunds_need(tmp_path: Path) -> None:
    """A refund before any sale overdraws the merchant, by exactly the credit limit."""
    world = EngineWorld(tmp_path)
    book = booked(("C1", None, -1, 1_000), ("2", 7, 1, 3_000))
    world.replay(book.moments)
    assert book.credit_limit == 100
    assert world.balance(book.merchant_id) == 200


def test_bad_debt_is_between_the_merchant_and_its_own_account(tmp_path: Path) -> None:
    """A positive adjustment credits the merchant, a negative one debits it; no party is involved."""
    world = EngineWorld(tmp_path)
    book = booked(("A1", None, 1, 2_000), ("A2", None, 1, -500))
    world.replay(book.moments)
    assert (world.balance(book.merchant_id), world.balance(BAD_DEBT)) == (150, -150)
    assert (book.customers, book.guests) == (0, 0)


def test_documents_of_one_minute_are_one_moment() -> None:
    """What happened in one minute is decided and committed together, in the order of the file."""
    file = lines(("1", 7, 1, 1_000), ("2", None, 1, 500)).with_columns(pl.lit(START).alias("at"))
    book = merchant_book("shop", documents(file))
    # The house's accounts; wallets, and for each sale a deposit and two commands; the evening's shipments.
    assert [len(moment.requests) for moment in book.moments][:3] == [1, 7, 2]
    assert (book.customers, book.guests) == (1, 1)


def test_nothing_to_book(tmp_path: Path) -> None:
    """A merchant without lines still has its own accounts."""
    tally = EngineWorld(tmp_path).replay(booked().moments)
    assert (tally.accounts, tally.transfers, tally.commands) == (8, 0, 0)


def test_a_refund_after_the_sale_is_the_merchants(tmp_path: Path) -> None:
    """Once escrow has paid, the merchant gives back, as far as its party paid and was not refunded."""
    world = EngineWorld(tmp_path)
    rows = lines(("1", 7, 1, 1_000), ("C2", 7, -1, 600), ("C3", 7, -1, 600))
    far = pl.when(pl.col("invoice") == "1").then(0).otherwise(40 * terms.DAY)
    book = merchant_book("shop", documents(rows.with_columns(pl.col("at") + far)))
    world.replay(book.moments)
    assert kinds(book) == [Kind.PAYMENT, Kind.REFUND, Kind.GOODWILL_REFUND]
    assert (world.balance(WALLET), world.balance(book.merchant_id)) == (120, -20)


def test_a_long_year_reaches_every_state_and_timer(tmp_path: Path) -> None:
    """Months of sales and cancellations: everything that escrow can do happens, and the books balance."""
    rows = []
    for number in range(400):
        at = START + 6 * number * terms.HOUR
        rows.append((str(number), at, number, 10, 1_000))
        if number % 2:
            minutes, returned = 37 * number % (11 * 24 * 60), 10 if number % 4 == 1 else 5
            rows.append((f"C{number}", at + minutes * MINUTE, number, -returned, 1_000))
    book = merchant_book("shop", documents(pl.DataFrame(rows, LINES, orient="row").sort("at")))
    world = EngineWorld(tmp_path)
    tally = world.replay(book.moments)
    counts = count_escrows(world.events)
    sales = sum(kind in (Kind.PAYMENT, Kind.GUEST_PAYMENT) for kind in kinds(book))
    assert counts.trades[Trade.WAIT_BUYER_PAY] == counts.trades[Trade.WAIT_SELLER_SEND_GOODS] == sales
    assert counts.trades[Trade.TRADE_FINISHED] + counts.trades[Trade.TRADE_CLOSED] == sales
    assert set(counts.trades) == set(Trade)
    assert set(counts.refunds) == set(Refund)
    assert set(counts.timers) == set(Timing) - {Timing.NONE}
    assert tally.commands > 3 * sales
    assert world.balance(house_account_id(AccountCode.ESCROW, 826)) == 0
    assert world.balance(book.merchant_id) == int(book.documents["pence"].sum())


@settings(max_examples=25, deadline=None)
@given(st.lists(LINE, max_size=30))
def test_the_ledger_agrees_with_the_file(rows: list[tuple[str, int | None, int, int]]) -> None:
    """Whatever the lines: nothing is refused, and the merchant has what the documents say."""
    with tempfile.TemporaryDirectory() as folder:
        world = EngineWorld(Path(folder))
        book = booked(*rows)
        world.replay(book.moments)
    pence = int(book.documents["pence"].sum())
    assert world.balance(book.merchant_id) == pence
    assert all(pending == 0 and debits == credits_ for pending, debits, _, credits_ in _sums(world))


def _sums(world: EngineWorld) -> list[tuple[int, int, int, int]]:
    return list(world.engine.state.machine.trial_balance().values())
