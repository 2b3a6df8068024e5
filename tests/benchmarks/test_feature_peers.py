"""The peers of the features do the same task, rightly, or their rates mean nothing."""

from __future__ import annotations

import polars as pl
import pytest

from benchmarks.feature_peers import polars_peer
from benchmarks.feature_peers.duckdb_peer import DuckDB
from benchmarks.feature_peers.events import EVENTS, NANOSECONDS_PER_DAY, made_events, read_events
from benchmarks.feature_peers.task import (
    DAYS,
    OPERATORS,
    expected_join,
    expected_windows,
    features_of,
    wrong_rows,
)
from formicary.economy.fraud_handbook import DATA_SET
from tests.economy.kit import real_data

COUNT = 2_000
FEATURES = [name for key in OPERATORS for name in features_of(key)]


@pytest.fixture(scope="module")
def events() -> pl.DataFrame:
    """Make events whose windows fill and empty."""
    return made_events(COUNT, seed=3, days=90)


@pytest.fixture(scope="module")
def database(events: pl.DataFrame) -> DuckDB:
    """Load the events into DuckDB."""
    return DuckDB(events, polars_peer.updates_of(events))


def _features(amounts: list[int], operators: tuple[str, ...]) -> list[float | None]:
    count = len(amounts)
    found = {
        "count": count,
        "sum": sum(amounts),
        "mean": sum(amounts) / count if count else None,
        "max": max(amounts, default=None),
    }
    return [found[operator] for operator in operators]


def _brute_force(events: pl.DataFrame) -> pl.DataFrame:
    """Look at every earlier event again for every event."""
    rows = events.rows(named=True)
    table: list[list[float | None]] = []
    for row in rows:
        line: list[float | None] = [row["position"]]
        for key, operators in OPERATORS.items():
            before = [one for one in rows[: row["position"]] if one[key] == row[key]]
            for days in DAYS:
                begins = row["at"] - days * NANOSECONDS_PER_DAY
                line += _features([one["amount"] for one in before if one["at"] > begins], operators)
        table.append(line)
    kinds = {name: pl.Float64 if "mean" in name else pl.Int64 for name in ("position", *FEATURES)}
    return pl.DataFrame(table, schema=kinds, orient="row")


def test_windows_agree_with_brute_force(events: pl.DataFrame, database: DuckDB) -> None:
    """The loop, polars and DuckDB find for every event what a search of all earlier ones finds."""
    expected = _brute_force(events)
    for found in (expected_windows(events), polars_peer.windows(events), database.windows()):
        assert found.columns == ["position", *FEATURES]
        assert found.height == COUNT
        assert wrong_rows(found, expected) == 0


def test_joins_agree_with_a_search(events: pl.DataFrame, database: DuckDB) -> None:
    """Every event gets the payer's last update before it; a payer's first gets nulls and is not lost."""
    updates = polars_peer.updates_of(events)
    expected = expected_join(events, updates)
    assert expected.drop_nulls().height == COUNT - events["payer"].n_unique()
    for found in (polars_peer.join(events, updates), database.join()):
        assert found.height == COUNT
        assert wrong_rows(found, expected) == 0


def test_window_forgets_what_is_a_whole_window_old() -> None:
    """An event exactly one day old has left the window of a day; one a nanosecond younger has not."""
    ats = [0, 1, NANOSECONDS_PER_DAY]
    frame = pl.DataFrame(
        {"position": range(3), "at": ats, "payer": 1, "payee": 2, "amount": [5, 7, 9], "label": 0},
        schema=EVENTS,
    )
    updates = polars_peer.updates_of(frame)
    for found in (expected_windows(frame), polars_peer.windows(frame), DuckDB(frame, updates).windows()):
        last = found.sort("position").row(2, named=True)
        assert (last["payer_count_1d"], last["payer_sum_1d"], last["payer_count_7d"]) == (1, 7, 2)


@pytest.mark.parametrize("name", ["payer_count_1d", "payee_mean_30d", "payer_max_7d"])
def test_wrong_row_is_counted(events: pl.DataFrame, name: str) -> None:
    """A value that is off by one or missing is seen."""
    expected = expected_windows(events)
    off = pl.when(pl.col("position") == COUNT - 1).then(pl.col(name) + 1).otherwise(pl.col(name))
    filled = expected.with_columns(pl.col(name).fill_null(4))
    assert wrong_rows(filled.with_columns(off.alias(name)), filled) == 1
    gone = pl.when(pl.col("position") > 0).then(pl.col(name)).alias(name)
    assert wrong_rows(filled.with_columns(gone), filled) == 1


def test_events_come_from_the_seed() -> None:
    """One seed gives one stream: in order of time, no payer more often than asked for."""
    made = made_events(COUNT, seed=5, payer_events_max=20)
    assert made.schema == EVENTS
    assert made.equals(made_events(COUNT, seed=5, payer_events_max=20))
    assert made["at"].is_sorted()
    assert made["at"].is_unique().all()
    assert made["payer"].value_counts()["count"].max() == 20


def test_handbook_is_read_as_events() -> None:
    """All payments are there with their labels, and no two have one time."""
    read = read_events(real_data(DATA_SET))
    assert read.schema == EVENTS
    assert (read.height, read["label"].sum()) == (1_303_778, 10_659)
    assert read["at"].is_sorted()
    assert read["at"].is_unique().all()
    assert read["position"].equals(pl.Series("position", range(read.height)))
