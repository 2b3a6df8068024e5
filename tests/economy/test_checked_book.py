"""Stolen cards as requests."""

from __future__ import annotations

import itertools
from typing import Any

import polars as pl

from formicary.economy.checked_book import (
    asked_payment,
    asked_payments,
    found_out,
    found_out_between,
    opening,
    past_payments,
    payment_id,
)
from formicary.economy.stolen_cards import stolen_cards
from formicary.factory.facts import RecordFacts
from formicary.factory.ledger import TransferFlags
from formicary.products.payments.risk import PAYMENT_POINT

DAY = 86_400 * 10**9
CARDS = stolen_cards(seed=1, days=30, customers=20)


def test_deposits_are_what_is_asked_for() -> None:
    """Every party has a wallet before all payments, and customers as much as they will ask for."""
    moment = opening("cards", CARDS)
    requests: Any = moment.requests
    accounts, deposits = requests
    assert moment.at < CARDS["at"][0]
    shops = CARDS.filter("is_shop")["payee"].n_unique()
    assert len(accounts) == 1 + 20 + shops
    assert int(deposits["amount"].sum()) == CARDS["cents"].sum()
    opened = set(zip(accounts["id_high"].tolist(), accounts["id_low"].tolist(), strict=True))
    for row in CARDS.iter_rows(named=True):
        asked = asked_payment("cards", row)[0]
        for side in ("debit", "credit"):
            account = (int(asked[f"{side}_account_id_high"]), int(asked[f"{side}_account_id_low"]))
            assert account in opened


def test_the_past_has_its_own_times() -> None:
    """It is imported; what is asked for now is not; both are payments that a decision point sees."""
    (moment,) = past_payments("cards", CARDS)
    imported: Any = moment.requests[0]
    assert imported["timestamp"].tolist() == CARDS["at"].to_list()
    assert moment.at > CARDS["at"][-1]
    assert (imported["flags"] == TransferFlags.IMPORTED).all()
    assert set(imported["code"].tolist()) == set(PAYMENT_POINT.codes)
    asked = asked_payment("cards", CARDS.row(0, named=True))[0]
    assert (asked["flags"], asked["timestamp"]) == (0, 0)


def test_most_thefts_are_found_out_in_time() -> None:
    """A fact names the payment of a theft, some days later; what is not known yet is not told."""
    now = CARDS["at"][-1]
    (request,) = found_out("cards", CARDS, now)
    told = request.command
    assert isinstance(told, RecordFacts)
    stolen = {
        f"{payment_id('cards', row['number']):032x}": row["at"]
        for row in CARDS.filter("is_theft").iter_rows(named=True)
    }
    for payment, at in zip(told.ids["payment"], told.at, strict=True):
        assert stolen[payment] + DAY <= at <= now
    assert 0 < len(told.at) < len(stolen)
    all_told = found_out("cards", CARDS, now + 30 * DAY)
    never = CARDS.filter("is_theft", pl.col("number") % 10 == 0)
    commands: list[Any] = [one.command for one in all_told]
    assert sum(len(one.at) for one in commands) == len(stolen) - len(never)


def test_day_by_day_the_same_is_found_out() -> None:
    """What is told between two times, one span after the other, is what is told at once; keys differ."""
    first, last = int(CARDS["at"][0]), int(CARDS["at"][-1])
    whole = found_out("cards", CARDS, last)
    times = [first - 1, first + 12 * DAY, last]
    parts = [found_out_between("cards", CARDS, span, days=20) for span in itertools.pairwise(times)]

    def named(requests: Any) -> list[str]:
        return [one for request in requests for one in request.command.ids["payment"]]

    assert all(named(part) for part in parts)
    assert sorted(named(whole)) == sorted(named([*parts[0], *parts[1]]))
    assert len({request.command_id for request in (*whole, *parts[0], *parts[1])}) == 3


def test_several_are_asked_for_together() -> None:
    """Each as it would be asked for alone."""
    together = asked_payments("cards", CARDS.head(3))
    alone = [asked_payment("cards", row)[0] for row in CARDS.head(3).iter_rows(named=True)]
    assert [one.tobytes() for one in together] == [one.tobytes() for one in alone]
