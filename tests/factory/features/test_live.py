"""What a live feature means stays what it meant."""

from __future__ import annotations

import pytest

from formicary.factory.features.aggregates import count
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.errors import MeaningChanged
from formicary.factory.features.expressions import value_of
from formicary.factory.features.live import LiveFeature, newly_live
from tests.factory.features.orders import AMOUNT, ORDER, WEEK, feature, orders


def test_meaning_changed() -> None:
    """Under the same version a feature means the same for ever, or its history would tell of two things."""
    before = newly_live([orders(feature("n", count(ORDER, **WEEK)))], {})
    assert before is not None
    live = before.features
    changed = feature("n", count(ORDER, by="buyer", over="14d"))
    fresh = None
    with pytest.raises(MeaningChanged) as caught:
        fresh = newly_live([orders(feature("new", AMOUNT * 1), changed)], live)
    assert fresh is None
    assert str(caught.value).startswith(f"{changed.place}: n: version 1 of it is live")
    lower = {"orders.n": LiveFeature(version=3, fingerprint=live["orders.n"].fingerprint)}
    with pytest.raises(MeaningChanged):
        newly_live([orders(feature("n", count(ORDER, **WEEK), version=2))], lower)


def test_what_goes_live() -> None:
    """The same again is no news; a new version and a new feature are, and only they."""
    first = newly_live([orders(feature("n", count(ORDER, **WEEK)))], {})
    assert first is not None
    assert newly_live([orders(feature("n", count(ORDER, **WEEK), unit="pieces"))], first.features) is None
    second = feature("n", count(ORDER, by="buyer", over="14d"), version=2)
    fresh = newly_live([orders(second, feature("new", AMOUNT * 1))], first.features)
    assert fresh is not None
    assert {name: one.version for name, one in fresh.features.items()} == {"orders.n": 2, "orders.new": 1}


def test_what_is_computed_from_others_means_what_they_mean() -> None:
    """Another meaning of a feature is another meaning of all that is computed from it, however far away."""

    def chain(over: str, version: int) -> list[FeatureSet]:
        counted = feature("n", count(ORDER, by="buyer", over=over), version=version)
        return [orders(counted, feature("m", value_of("n") + 1), feature("k", value_of("m") * 2))]

    first = newly_live(chain("7d", 1), {})
    assert first is not None
    with pytest.raises(MeaningChanged, match="m: version 1 of it is live"):
        newly_live(chain("14d", 2), first.features)
