"""The pipeline against data that nobody here made: the *Fraud Detection Handbook*'s payments and features."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from examples.features.card_risk import CARD_RISK
from examples.features.fraud_handbook import CARD_PAYMENT, HANDBOOK, WINDOWS
from formicary.base.purposes import Purpose
from formicary.economy.fraud_handbook import DATA_SET
from formicary.factory.features._layout import Events
from formicary.factory.features.columns import events_of, key_words
from formicary.factory.features.compiler import compile_sets
from formicary.factory.features.store import FeatureStore, Values
from tests.economy.kit import real_data

COMPILED = compile_sets([HANDBOOK])
ROWS = 1_303_778
PUBLISHED_ROWS = 201_295
FLOAT32 = 2.0**-23


@pytest.fixture(scope="module")
def raw() -> pl.DataFrame:
    """Return all payments in the order of their time."""
    columns = {
        "id": pl.col("TRANSACTION_ID").cast(pl.Int64),
        "at": pl.col("TX_DATETIME").dt.epoch("ns"),
        "customer": pl.col("CUSTOMER_ID").cast(pl.Int64),
        "terminal": pl.col("TERMINAL_ID").cast(pl.Int64),
        "cents": (pl.col("TX_AMOUNT") * 100).round().cast(pl.Int64),
        "fraud": pl.col("TX_FRAUD").cast(pl.Int64),
    }
    return pl.read_parquet(real_data(DATA_SET)).select(**columns).sort("at", "id")


@pytest.fixture(scope="module")
def events(raw: pl.DataFrame) -> Events:
    """Return them as events."""
    columns = {
        "customer": key_words(raw["customer"].to_numpy()),
        "terminal": key_words(raw["terminal"].to_numpy()),
        "amount": raw["cents"].to_numpy(),
        "fraud": raw["fraud"].to_numpy(),
    }
    return events_of(COMPILED, CARD_PAYMENT, at=raw["at"].to_numpy(), columns=columns)


@pytest.fixture(scope="module")
def replayed(events: Events) -> Values:
    """Return the features of every payment."""
    return FeatureStore(COMPILED).replay("handbook", events, purpose=Purpose.FRAUD)


def part(events: Events, first: int, end: int) -> Events:
    """Return the events from one place to before another."""
    return Events(*(column[first:end] for column in events))


def test_every_payment_is_told_the_published_features(raw: pl.DataFrame, replayed: Values) -> None:
    """All 201,295 published rows agree within the noise of 32-bit floats.

    Two payments of one customer bear the same second; the book took them in the other order, so that each has
    the values of the other.
    """
    published = pl.read_parquet(
        real_data(Path("fraud_handbook", "transformed_2018-07-25_2018-08-14.parquet"))
    )
    mine = pl.DataFrame(
        {"TRANSACTION_ID": raw["id"]} | dict(zip(replayed.names, replayed.values.T, strict=True))
    )
    both = published.with_columns(pl.col("TRANSACTION_ID").cast(pl.Int64)).join(mine, on="TRANSACTION_ID")
    assert len(both) == len(published) == PUBLISHED_ROWS
    swapped: set[int] = set()
    for window in WINDOWS:
        days = window.removesuffix("d")
        for theirs, ours in (
            (f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW", f"customer_payments_{window}"),
            (f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW", f"customer_mean_{window}"),
            (f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW", f"terminal_payments_{window}"),
            (f"TERMINAL_ID_RISK_{days}DAY_WINDOW", f"terminal_risk_{window}"),
        ):
            expected = both[theirs].cast(pl.Float64).to_numpy()
            # The book has 0 where nothing is known.
            found = np.nan_to_num(both[ours].to_numpy(), nan=0.0)
            off = np.flatnonzero(np.abs(expected - found) > FLOAT32 * np.maximum(np.abs(expected), 1.0))
            swapped |= set(off.tolist())
            np.testing.assert_allclose(np.sort(expected[off]).sum(), np.sort(found[off]).sum(), rtol=0.02)
    tied = both[sorted(swapped)].select("CUSTOMER_ID", "TX_DATETIME").unique()
    assert len(swapped) == 2
    assert len(tied) == 1, "only two payments of one customer in one second"


def test_a_team_s_own_features_agree_with_the_book_s(events: Events, replayed: Values) -> None:
    """What both sets tell is the same; what is compared with the customer's own past is that quotient."""
    rows = 100_000
    compiled = compile_sets([CARD_RISK])
    told = FeatureStore(compiled).replay("card_risk", part(events, 0, rows), purpose=Purpose.FRAUD)
    ours = dict(zip(told.names, told.values.T, strict=True))
    book = dict(zip(replayed.names, replayed.values[:rows].T, strict=True))
    for window in WINDOWS:
        np.testing.assert_array_equal(ours[f"customer_payments_{window}"], book[f"customer_before_{window}"])
        np.testing.assert_array_equal(ours[f"terminal_risk_{window}"], book[f"terminal_risk_{window}"])
        times = ours["amount"] / ours[f"customer_mean_{window}"]
        np.testing.assert_array_equal(ours[f"times_customer_mean_{window}"], times)


def test_online_and_replayed_are_the_same_bits(events: Events, replayed: Values) -> None:
    """All 1.3 million payments in groups of random sizes, the first of each read before its group."""
    chance = np.random.default_rng(3)
    store = FeatureStore(COMPILED)
    online = np.empty_like(replayed.values)
    first = groups = 0
    while first < ROWS:
        end = min(first + int(chance.choice([1, 2, 17, 100, 1_000, 8_189])), ROWS)
        single = store.read("handbook", part(events, first, first + 1), purpose=Purpose.FRAUD).values[0]
        told = store.replay("handbook", part(events, first, end), purpose=Purpose.FRAUD)
        online[first:end] = told.values
        np.testing.assert_array_equal(single.view(np.int64), told.values[0].view(np.int64))
        first, groups = end, groups + 1
    assert groups > 500
    assert len(online) == ROWS == len(replayed.values)
    assert (online.view(np.int64) == replayed.values.view(np.int64)).all()


def test_duckdb_computes_the_same(raw: pl.DataFrame, replayed: Values) -> None:
    """Counts, sums and shares of the first 60,000 payments, by joins of each with those before it."""
    first = raw.head(60_000).with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    first = first.rename({"at": "moment"})
    day = 86_400 * 10**9
    found = dict(zip(replayed.names, replayed.values[:60_000].T, strict=True))
    for window in WINDOWS:
        length = int(window.removesuffix("d")) * day
        told = duckdb.sql(
            f"""
            WITH asking AS (SELECT place, moment, customer, terminal FROM first),
            customers AS (
                SELECT a.place, count(b.place) AS before, coalesce(sum(b.cents), 0) AS spent
                FROM asking a LEFT JOIN first b ON b.customer = a.customer AND b.place < a.place
                    AND b.moment > a.moment - {length} AND b.moment <= a.moment
                GROUP BY a.place),
            terminals AS (
                SELECT a.place, count(b.place) AS payments, avg(b.fraud) AS risk
                FROM asking a LEFT JOIN first b ON b.terminal = a.terminal AND b.place < a.place
                    AND b.moment > a.moment - {length + 7 * day} AND b.moment <= a.moment - {7 * day}
                GROUP BY a.place)
            SELECT * FROM customers JOIN terminals USING (place) ORDER BY place
            """  # noqa: S608, numbers of this test
        ).pl()
        np.testing.assert_array_equal(told["before"], found[f"customer_before_{window}"])
        np.testing.assert_array_equal(told["spent"].cast(pl.Int64), found[f"customer_spent_{window}"])
        np.testing.assert_array_equal(told["payments"], found[f"terminal_payments_{window}"])
        np.testing.assert_array_equal(told["risk"].to_numpy(), found[f"terminal_risk_{window}"])
