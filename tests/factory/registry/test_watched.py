"""What a journal's decisions say of a model is what their rows say, wherever they are cut."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.engine.state import known_events
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.journal.access import Access
from formicary.factory.journal.reader import JournalReader
from formicary.factory.monitoring.drift import drift_report
from formicary.factory.monitoring.label_delay import label_delay
from formicary.factory.monitoring.rates import missing_rates, outcome_rates
from formicary.factory.registry.watched import PointWatch, Wanted, watch_model
from tests.factory.decisions.desk import POINT, RISK, made_model
from tests.factory.decisions.shop import POINTS
from tests.factory.features.training_kit import source_of
from tests.factory.journal.kit import owned
from tests.factory.registry.watch_kit import DAY, DAYS, FIRST_DAY, LABEL, shop_of_days

WANTED = Wanted(hashes=["1" * 32, made_model(1).hash], points=tuple(POINTS.values()), label=LABEL, days=2)


def watched(wanted: Wanted, *, block_rows: int = 500) -> tuple[PointWatch, ...]:
    """Watch the shop, in blocks of so many rows; the progress ends at the end."""
    source = replace(source_of(shop_of_days().journal), block_rows=block_rows)
    reached = [(0, 0)]
    found = watch_model(source, wanted, lambda position, last: reached.append((position, last)))
    assert reached[-1] == (source.head(), source.head())
    return found


def test_it_is_what_the_rows_say() -> None:
    """All figures are those of the functions of monitoring on the columns themselves."""
    (one,) = watched(WANTED)
    rows = shop_of_days().decisions[1:]
    days = rows["timestamp"] // DAY
    assert (one.point, one.decisions, one.unread) == ("payment", 80 * DAYS, 0)
    assert (one.first_day, one.reference_until) == (FIRST_DAY, FIRST_DAY + 1)
    assert (one.window_since, one.last_day) == (FIRST_DAY + DAYS - 2, FIRST_DAY + DAYS - 1)
    columns = {name: rows[f"value_{place:02}"] for place, name in enumerate(POINT.features)}
    columns["score.risk"] = np.where(rows["model_0"] != 0, rows["score_0"], np.nan)
    assert 0 < np.isnan(columns["score.risk"]).sum() < len(rows)
    old, new = days <= one.reference_until, days >= one.window_since
    assert one.drift == drift_report(
        {name: column[old] for name, column in columns.items()},
        {name: column[new] for name, column in columns.items()},
    )
    outcomes = np.array(POINT.outcomes)[rows["outcome"]]
    expected = outcome_rates(
        days=days, segments=np.full(len(rows), "all"), outcomes=outcomes, reference_until=one.reference_until
    )
    told = {rate.name for rate in expected.rates}
    found = [(rate.name, rate.day, rate.count, rate.rows) for rate in one.rates.rates if rate.name in told]
    assert found == [(rate.name, rate.day, rate.count, rate.rows) for rate in expected.rates]
    assert {rate.count for rate in one.rates.rates if rate.name not in told} == {0}
    assert one.missing == missing_rates(days=days, columns=columns, reference_until=one.reference_until)
    assert one.alarms > 0
    assert "asked" in {column.name for column in one.drift.alarms}
    assert msgspec.json.decode(msgspec.json.encode(one), type=PointWatch) == one


def test_delays_are_those_of_the_facts() -> None:
    """A tenth was told of, a day later, but for the last day's."""
    (one,) = watched(WANTED)
    rows = shop_of_days().decisions[1:]
    transfers = shop_of_days().transfers
    ids = transfers["id_low"][np.searchsorted(transfers["position"], rows["position"] + 1)]
    told = np.full(len(rows), -1)
    latest = 0
    for batch in shop_of_days().journal.batches:
        for event in batch.events:
            latest = max(latest, event.timestamp) if event.kind == "facts.FactsRecorded" else latest
            if event.kind == "facts.FactsRecorded":
                body = msgspec.json.decode(event.body)
                told[ids == int(body["ids"]["payment"][0], 16)] = event.timestamp
    assert (told >= 0).sum() == 8 * (DAYS - 1)
    assert one.delay == label_delay(
        asked_at=rows["timestamp"],
        told_at=told,
        now=max(latest, int(rows["timestamp"].max())),
        horizons_ns=[DAY, 2 * DAY, 7 * DAY, 30 * DAY, 90 * DAY],
    )


@pytest.mark.parametrize("block_rows", [7, 50])
def test_blocks_may_end_anywhere(block_rows: int) -> None:
    """Also between a decision and its transfer."""
    assert watched(WANTED, block_rows=block_rows) == watched(WANTED)


def test_a_real_journal_says_the_same(access: Access) -> None:
    """As whoever reads it gives it out; behind its end there is nothing to watch."""
    with owned(access) as journal:
        for batch in shop_of_days().journal.batches:
            journal.append(batch)
    products = tuple(shop_of_days().new_state().products.values())
    with closing(JournalReader(access, upcasters=known_events(products))) as reader:
        assert watch_model(reader, WANTED, lambda *_: None) == watched(WANTED)
        assert watch_model(reader, replace(WANTED, first=reader.head() + 5), lambda *_: None) == ()


def test_few_days_leave_what_is_left() -> None:
    """The window never goes back into the reference; of one day there is none."""
    (one,) = watched(replace(WANTED, days=6))
    assert (one.reference_until, one.window_since) == (FIRST_DAY + 5, FIRST_DAY + 6)
    assert {column.rows for column in one.drift.columns} == {240}
    (one,) = watched(replace(WANTED, days=30))
    assert {column.verdict for column in one.drift.columns} == {"unknown"}
    assert one.alarms == 0


def test_a_later_beginning() -> None:
    """The reference begins with the first decision from a position on."""
    position = int(shop_of_days().decisions[1 + 3 * 80]["position"])
    (one,) = watched(replace(WANTED, first=position))
    assert (one.first_day, one.decisions) == (FIRST_DAY + 3, 80 * (DAYS - 3))


def test_a_model_that_scored_nothing_is_watched_nowhere() -> None:
    """Neither a version that nobody asked, nor one at a point that is not there."""
    assert watched(replace(WANTED, hashes=["f" * 32])) == ()
    assert watched(replace(WANTED, points=(POINTS["lending"],))) == ()


@pytest.mark.parametrize("label", [None, replace(LABEL, names="account")])
def test_without_a_label_of_the_transfer_there_is_no_delay(label: None) -> None:
    """Where nobody said how rows come out, or outcomes name something else."""
    (one,) = watched(replace(WANTED, label=label))
    assert one.delay is None


def test_values_of_another_release_are_left_out() -> None:
    """Decisions with other features count, and their outcomes; an outcome that is gone has no rate."""
    fewer = FeatureSet(name="risk", on=RISK.on, owner="tests", features=list(RISK.features)[:3])
    point = DecisionPoint(
        name="payment",
        on=POINT.on,
        outcomes=("allow", "hold"),
        effects=(POINT.effects[0], POINT.effects[2]),
        safe_outcome="hold",
        scores=POINT.scores,
        feature_set=fewer,
        purpose=POINT.purpose,
    )
    (one,) = watched(replace(WANTED, points=(point,)))
    assert one.unread == one.decisions == 80 * DAYS
    assert {rate.name for rate in one.rates.rates} == {"allow", "hold"}
    assert {column.verdict for column in one.drift.columns} == {"unknown"}
    assert one.missing.rates == ()
