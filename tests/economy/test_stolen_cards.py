"""The invented payments by card, some by thieves."""

from __future__ import annotations

import polars as pl

from formicary.economy.stolen_cards import CHECKED_DAYS, STOLEN_CARDS, drifting_cards, stolen_cards

DAY = 86_400 * 10**9


def test_they_are_repeated() -> None:
    """The same seed gives the same payments, in order of time, no two at once, on as many days as asked."""
    payments = stolen_cards(seed=1, days=20, customers=30)
    assert payments.schema == STOLEN_CARDS
    assert payments.equals(stolen_cards(seed=1, days=20, customers=30))
    assert not payments.equals(stolen_cards(seed=2, days=20, customers=30))
    assert payments["at"].is_sorted()
    assert payments["at"].n_unique() == len(payments)
    days = payments["at"] // DAY - payments["at"][0] // DAY
    assert days.max() == 19
    last = payments.with_columns(day=days).filter("is_checked")["day"]
    assert last.unique().sort().to_list() == list(range(20 - CHECKED_DAYS, 20))
    assert payments["is_checked"].is_sorted()


def test_thieves_pay_shops_within_the_hour() -> None:
    """A theft is 2 to 5 payments of one card, one a day, two where it is checked; nobody pays oneself."""
    payments = stolen_cards(seed=3, days=20, customers=300)
    thefts = payments.filter("is_theft")
    assert thefts["is_shop"].all()
    by_card = thefts.with_columns(day=thefts["at"] // DAY).group_by("day", "customer").agg("at")
    assert len(by_card) == 20 + CHECKED_DAYS
    for times in by_card["at"]:
        assert 2 <= len(times) <= 5
        assert times.max() - times.min() < 3_600 * 10**9
    friends = payments.filter(~payments["is_shop"])
    assert (friends["payee"] != friends["customer"]).all()
    assert 0.05 < len(friends) / len(payments) < 0.15


def test_thieves_change_what_they_do() -> None:
    """From one day on nobody pays shops with a stolen card, and strangers are paid that nobody else knows."""
    payments = drifting_cards(seed=3, days=20, customers=40, turn=12)
    assert payments.equals(drifting_cards(seed=3, days=20, customers=40, turn=12))
    assert payments.schema == STOLEN_CARDS
    assert payments["at"].is_sorted()
    assert payments["at"].n_unique() == len(payments)
    assert not payments["is_checked"].any()
    thefts = payments.filter("is_theft").with_columns(day=pl.col("at") // DAY - payments["at"][0] // DAY)
    assert thefts.filter(pl.col("day") < 12)["is_shop"].all()
    after = thefts.filter(pl.col("day") >= 12)
    assert not after["is_shop"].any()
    assert after.group_by("day").agg(pl.col("customer").n_unique())["customer"].to_list() == [3] * 8
    strangers = after.group_by("payee").agg(pl.len(), pl.col("customer").n_unique())
    assert strangers["len"].max() == 2
    assert (strangers["customer"] == 1).all()
    honest = payments.filter(~pl.col("is_theft"), ~pl.col("is_shop"))
    assert not set(honest["payee"]) & set(after["payee"])
