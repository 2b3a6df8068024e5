"""Rows tell when they last changed."""

from __future__ import annotations

import functools
import math

import numpy as np

from formicary.base.purposes import Purpose
from formicary.factory.features._layout import EMPTY, Events
from formicary.factory.features.aggregates import Aggregate, count, time_since
from formicary.factory.features.compiler import Compiled, compile_sets
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.expressions import Expression, value_of
from formicary.factory.features.quality.freshness import (
    ages,
    feature_ages,
    freshness_of_features,
    freshness_of_lookups,
    lookups_of_features,
)
from formicary.factory.features.store import FeatureStore
from tests.factory.features.brute import Happened
from tests.factory.features.kit import AMOUNT, LABEL, PAYMENT, as_events, random_log


@functools.cache
def compiled() -> Compiled:
    """Return a set that looks up the payer as payer, the payee as payer, the pair, and the payee's labels."""
    values: dict[str, Aggregate | Expression] = {
        "paid": count(PAYMENT, by="payer", over="5d"),
        "payee_paid": count(PAYMENT, by="payer", of="payee", over="5d", exact=True),
        "pair": count(PAYMENT, by=("payer", "payee"), over="5d"),
        "since_label": time_since(LABEL, by="payee"),
        "both": value_of("paid") + value_of("payee_paid"),
        "size": AMOUNT + 0,
    }
    features = [
        Feature(name=name, value=value, unit="units", meaning="Asked.") for name, value in values.items()
    ]
    return compile_sets([FeatureSet(name="asked", on=PAYMENT, features=features, owner="tests")])


def latest_by_hand(log: list[Happened], place: int) -> list[int]:
    """Return when each look-up of the payment at a place last changed before it."""
    asking = log[place].fields
    pairs = {"payer": "payer", "payee": "payer"}
    found = []
    for asked, table in pairs.items():
        times = [one.at for one in log[:place] if one.fields.get(table) == asking[asked]]
        found.append(max(times, default=EMPTY))
    both = [
        one.at
        for one in log[:place]
        if one.kind == "payment"
        and (one.fields["payer"], one.fields["payee"]) == (asking["payer"], asking["payee"])
    ]
    labels = [one.at for one in log[:place] if one.kind == "label" and one.fields["payee"] == asking["payee"]]
    return [*found, max(both, default=EMPTY), max(labels, default=EMPTY)]


def test_rows_tell_the_latest_event_of_each_key() -> None:
    """It is the latest time among the events before, late ones included; asking changes nothing."""
    log = random_log(4, events=200, late=True)
    store = FeatureStore(compiled(), bytes_max=1 << 26)
    events = as_events(compiled(), log)
    for place, happened in enumerate(log):
        one = Events(*(column[place : place + 1] for column in events))
        if happened.kind == "payment":
            before = store.state_hash
            assert store.latest("asked", one)[0].tolist() == latest_by_hand(log, place)
            assert store.state_hash == before
        store.follow(one)


def test_ages_are_seconds_or_missing() -> None:
    """No row has no age, nor has one that knows of a later event than the asking one."""
    at = 10**18
    found = ages([at, at], np.array([[at - 1_500_000_000, at], [EMPTY, at + 1]], np.int64))
    assert found[0].tolist() == [1.5, 0.0]
    assert np.isnan(found[1]).all()


def test_a_derived_feature_is_as_old_as_its_stalest_part() -> None:
    """It looks up what the features do that it is computed from; one of the asking event alone has no age."""
    view = compiled().views["asked"]
    lookups = lookups_of_features(view)
    assert lookups == ((0,), (1,), (2,), (3,), (0, 1), ())
    seconds = np.array([[1.0, 5.0, 0.0, 0.0], [math.nan, 3.0, 0.0, 0.0], [math.nan] * 4])
    assert feature_ages(seconds, lookups[4])[:2].tolist() == [5.0, 3.0]
    assert math.isnan(feature_ages(seconds, lookups[4])[2])
    assert np.isnan(feature_ages(seconds, lookups[5])).all()
    sketches = freshness_of_features(view, seconds)
    assert [sketch.present for sketch in sketches] == [1, 2, 2, 2, 2, 0]
    tables = freshness_of_lookups(view, compiled().tables, seconds)
    assert list(tables) == ["payer", "payee>payer", "payer+payee", "payee"]
    assert tables["payee>payer"].maximum == 5.0


def test_consent_to_nothing_changes_no_age() -> None:
    """Ages are of rows: reading for a purpose without consent leaves them as they are."""
    log = random_log(7, events=50, late=False)
    store = FeatureStore(compiled(), bytes_max=1 << 26)
    events = as_events(compiled(), log)
    store.follow(events)
    asking = Events(*(column[events.kinds == compiled().views["asked"].view.kind] for column in events))
    before = store.latest("asked", asking)
    store.read("asked", asking, purpose=Purpose.MARKETING)
    assert (store.latest("asked", asking) == before).all()
