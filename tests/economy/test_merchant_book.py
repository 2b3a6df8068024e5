"""A merchant's documents as bookings."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.economy.chart import TransferCode
from formicary.economy.invoices import documents
from formicary.economy.merchant_book import Kind, MerchantBook, merchant_book
from formicary.economy.names import named_id
from formicary.factory.ledger import QueryFilter
from tests.economy.kit import START, World, lines
from tests.economy.test_invoices import LINE

WALLET = named_id("shop", "customer 7")
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
        ([("1", 7, 1, 1_000), ("C2", 7, -1, 1_000)], [Kind.PAYMENT, Kind.REFUND]),
        ([("1", 7, 1, 1_000), ("C2", 7, -1, 1_010)], [Kind.PAYMENT, Kind.GOODWILL_REFUND]),
        ([("1", 8, 1, 1_000), ("C2", 7, -1, 1_000)], [Kind.PAYMENT, Kind.GOODWILL_REFUND]),
        ([("1", None, 1, 1_000), ("C2", None, -1, 1_000)], [Kind.GUEST_PAYMENT, Kind.GUEST_GOODWILL_REFUND]),
        (
            [("1", 7, 1, 1_000), ("C2", 7, -1, 600), ("C3", 7, -1, 600)],
            [Kind.PAYMENT, Kind.REFUND, Kind.GOODWILL_REFUND],
        ),
        ([("C1", 7, 1, 1_000)], [Kind.PAYMENT]),
    ],
)
def test_what_becomes_of_documents(
    rows: list[tuple[str, int | None, int, int]], expected: list[Kind]
) -> None:
    """Sign, party and what was paid before decide; a refund is never counted against twice."""
    assert kinds(booked(*rows)) == expected


def test_a_wallet_is_funded_with_exactly_what_is_lacking() -> None:
    """A refund stays in the wallet, and the next purchase is funded with the rest."""
    world = World()
    book = booked(("1", 7, 1, 1_000), ("C2", 7, -1, 300), ("3", 7, 1, 800), ("4", 7, 1, 0))
    world.replay(book.moments)
    deposits = world.ledger.query_transfers(QueryFilter(code=TransferCode.DEPOSIT))
    assert deposits["amount"].tolist() == [100, 50]
    assert world.balance(WALLET) == 0
    assert world.balance(book.merchant_id) == 150


def test_a_purchase_from_refunds_needs_no_deposit() -> None:
    """What a refund left in the wallet pays alone, where it is enough."""
    world = World()
    book = booked(("C1", 7, -1, 1_000), ("2", 7, 1, 800))
    world.replay(book.moments)
    assert len(world.ledger.query_transfers(QueryFilter(code=TransferCode.DEPOSIT))) == 0
    assert world.balance(WALLET) == 20


def test_the_merchant_may_owe_what_refunds_need() -> None:
    """A refund before any sale overdraws the merchant, by exactly the credit limit."""
    world = World()
    book = booked(("C1", None, -1, 1_000), ("2", 7, 1, 3_000))
    world.replay(book.moments)
    assert book.credit_limit == 100
    assert world.balance(book.merchant_id) == 200


def test_bad_debt_is_between_the_merchant_and_its_own_account() -> None:
    """A positive adjustment credits the merchant, a negative one debits it; no party is involved."""
    world = World()
    book = booked(("A1", None, 1, 2_000), ("A2", None, 1, -500))
    world.replay(book.moments)
    assert (world.balance(book.merchant_id), world.balance(BAD_DEBT)) == (150, -150)
    assert (book.customers, book.guests) == (0, 0)


def test_documents_of_one_minute_are_one_moment() -> None:
    """What happened in one minute is decided and committed together, in the order of the file."""
    file = lines(("1", 7, 1, 1_000), ("2", None, 1, 500)).with_columns(pl.lit(START).alias("at"))
    book = merchant_book("shop", documents(file))
    assert [len(moment.requests) for moment in book.moments] == [1, 2]
    assert (book.customers, book.guests) == (1, 1)


def test_nothing_to_book() -> None:
    """A merchant without lines still has its own accounts."""
    tally = World().replay(booked().moments)
    assert (tally.accounts, tally.transfers) == (3, 0)


@settings(max_examples=50)
@given(st.lists(LINE, max_size=30))
def test_the_ledger_agrees_with_the_file(rows: list[tuple[str, int | None, int, int]]) -> None:
    """Whatever the lines: nothing is refused, and the merchant has what the documents say."""
    world = World()
    book = booked(*rows)
    world.replay(book.moments)
    pence = int(book.documents["pence"].sum())
    assert world.balance(book.merchant_id) == pence
    assert all(pending == 0 and debits == credits_ for pending, debits, _, credits_ in _sums(world))


def _sums(world: World) -> list[tuple[int, int, int, int]]:
    return list(world.ledger.trial_balance().values())
