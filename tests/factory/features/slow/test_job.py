"""The daily job: all that is declared, and nothing of what came later."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.factory.features.slow.declarations import SLOW_FEATURES
from formicary.factory.features.slow.job import daily
from formicary.factory.features.slow.spans import DAY, day_start
from tests.factory.features.slow.kit import DEVICES, LABELS, TRANSFERS, UNTIL, Transfers, frame, worlds

_NAMES = [feature.name for feature in SLOW_FEATURES]
_DAYS = 95
_at = st.integers(UNTIL, UNTIL + 30 * DAY)
_party = st.integers(-1, 4)


def _world(rows: int = 600, parties: int = 40) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return transfers, devices and labels of so many days."""
    random = np.random.default_rng(5)

    def times(size: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return random.integers(0, _DAYS * DAY, size)

    # The last day but one has a burst of one pair, so that the most of a day is not that of long ago.
    burst = [(0, 1, 77, (_DAYS - 2) * DAY)] * 9
    transfers = pl.DataFrame(
        {
            "payer": random.integers(0, parties, rows),
            "payee": random.integers(0, parties, rows),
            "amount": random.integers(1, 10_000, rows),
            "at": times(rows),
        },
        TRANSFERS,
    ).extend(frame(burst))
    uses = {"party": random.integers(0, parties, 60), "device": random.integers(0, 30, 60), "at": times(60)}
    labels = {"party": random.integers(0, parties, 12), "at": times(12), "is_fraud": random.random(12) < 0.7}
    return transfers, pl.DataFrame(uses, DEVICES), pl.DataFrame(labels, LABELS)


def test_every_declared_feature_is_a_column() -> None:
    """The frame has a row for each party and the declared columns in their order, without NaN."""
    found = daily(*_world(), day_start(_DAYS))
    assert found.columns == ["node", *_NAMES]
    assert found["node"].to_list() == list(range(40))
    assert not found.select(pl.col(pl.Float64).is_nan().any()).row(0).count(True)
    assert set(found.dtypes) == {pl.Int64, pl.Float64}


def test_no_feature_looks_ahead() -> None:
    """Whatever is known later only, added or changed, every feature of an earlier day stays as it was."""
    world, until = _world(), day_start(60)
    is_known = pl.col("at") < until
    transfers, devices, labels = (rows.filter(is_known) for rows in world)
    as_known = daily(transfers, devices, labels, until)
    assert daily(*world, until).equals(as_known)
    is_later, amount = pl.col("at") >= until, pl.col("amount")
    others = [
        world[0].with_columns(pl.when(is_later).then(amount * 7 + 1).otherwise(amount).alias("amount")),
        world[1].with_columns(pl.when(is_later).then(0).otherwise("device").alias("device")),
        world[2].with_columns((is_later | pl.col("is_fraud")).alias("is_fraud")),
    ]
    assert daily(others[0], others[1], others[2], until).equals(as_known)


def test_every_feature_would_notice() -> None:
    """Were later rows seen, the test above would see it in each column: weeks later each is another."""
    world = _world()
    early, late = (daily(*world, day_start(day)).sort("node") for day in (60, 95))
    assert [name for name in _NAMES if early[name].equals(late[name])] == []


@settings(max_examples=25)
@given(
    worlds(),
    worlds(since=UNTIL, before=UNTIL + 30 * DAY),
    st.lists(st.tuples(_party, st.integers(0, 3), _at), max_size=5),
    st.lists(st.tuples(_party, _at, st.booleans()), max_size=5),
)
def test_later_rows_change_nothing(
    transfers: Transfers,
    later: Transfers,
    uses: list[tuple[int, int, int]],
    labels: list[tuple[int, int, bool]],
) -> None:
    """Random later transfers, devices and labels change no feature of small worlds, and add no party."""
    devices, known = pl.DataFrame(schema=DEVICES), pl.DataFrame(schema=LABELS)
    found = daily(
        frame([*later, *transfers]),
        pl.DataFrame(uses, DEVICES, orient="row"),
        pl.DataFrame(labels, LABELS, orient="row"),
        UNTIL,
    )
    assert found.equals(daily(frame(transfers), devices, known, UNTIL))


def test_the_order_of_rows_does_not_matter() -> None:
    """Rows in another order give the same features, bit for bit."""
    world = _world()
    turned = [rows.sample(fraction=1, shuffle=True, seed=3) for rows in world]
    until = day_start(_DAYS)
    assert daily(turned[0], turned[1], turned[2], until).equals(daily(*world, until))


def test_a_party_with_a_device_alone() -> None:
    """A party that never paid is a row: its counts are zero, its means are missing."""
    devices = pl.DataFrame([(7, 1, 0), (8, 1, 0)], DEVICES, orient="row")
    found = daily(frame([]), devices, pl.DataFrame(schema=LABELS), UNTIL)
    row = found.row(0, named=True)
    assert (row["node"], row["in_count_ever"], row["in_mean_ever"]) == (7, 0, None)
    assert row["device_parties_max"] == row["device_component_parties"] == 2


@pytest.mark.parametrize("feature", SLOW_FEATURES, ids=lambda feature: feature.name)
def test_a_feature_is_declared_in_full(feature: object) -> None:
    """Each has a unit, an owner and one sentence."""
    fields = {name: getattr(feature, name) for name in ("name", "unit", "meaning", "owner")}
    assert all(fields.values())
    assert fields["meaning"].endswith(".")
    assert fields["meaning"][0].isupper()


def test_names_are_distinct() -> None:
    """No two features share a column."""
    assert len(set(_NAMES)) == len(_NAMES)
