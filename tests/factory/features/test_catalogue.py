"""The catalogue says of every feature what it means, who may read it and where it lies."""

from __future__ import annotations

import re

import pytest

from formicary.base.purposes import Purpose
from formicary.factory.features.aggregates import age, distinct, mean, share
from formicary.factory.features.catalogue import catalogue, catalogue_page, catalogued, window_text
from formicary.factory.features.compiler import compile_sets
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.errors import TypeMismatch, UnknownFeature
from formicary.factory.features.expressions import value_of
from formicary.factory.features.kinds import EventKind, amount, number, party

ORDER = EventKind("order", None, buyer=party(), seller=party(), amount=amount(), bad=number(known_after="7d"))
BAD = ORDER["bad"] == 1
BOTH = frozenset({Purpose.FRAUD, Purpose.CREDIT})
FEATURES = (
    Feature(
        name="bad_share",
        value=share(ORDER, where=BAD, by="seller", over="30d", delay="7d"),
        unit="share",
        meaning="The share of bad orders | of the seller.",
    ),
    Feature(
        name="mean_1h",
        value=mean(ORDER["amount"], by=("buyer", "seller"), over="1h", exact=True),
        unit="minor units",
        meaning="The mean.",
        purposes=BOTH,
        version=3,
        owner="somebody",
    ),
    Feature(name="known_for", value=age(ORDER, by="buyer"), unit="seconds", meaning="The age."),
    Feature(
        name="sellers",
        value=distinct(ORDER["seller"], by="buyer", over="5d"),
        unit="parties",
        meaning="How many.",
    ),
    Feature(
        name="ratio",
        value=ORDER["amount"] / value_of("mean_1h") + value_of("mean_1h"),
        unit="ratio",
        meaning="A ratio.",
    ),
)
ORDERS = FeatureSet(name="orders", on=ORDER, features=FEATURES, owner="tests")
OTHERS = FeatureSet(
    name="others",
    on=ORDER,
    features=[
        Feature(name="ratio", value=ORDER["amount"] * 2, unit="minor units", meaning="Twice the amount.")
    ],
    owner="tests",
)


def test_every_feature_is_there_in_its_order() -> None:
    """Owner, version, purposes and what of them needs consent are those of the definition."""
    found = catalogue([ORDERS, OTHERS])
    names = [f"{one.set}.{one.name}" for one in found]
    assert names == [*(f"orders.{feature.name}" for feature in FEATURES), "others.ratio"]
    by_name = {one.name: one for one in found[:-1]}
    told = by_name["mean_1h"]
    assert (told.owner, told.version, told.purposes) == ("somebody", 3, ("fraud", "credit"))
    assert told.needs_consent == ("credit",)
    assert by_name["ratio"].owner == "tests"
    assert by_name["ratio"].place == FEATURES[4].place
    assert by_name["ratio"].fingerprint == ORDERS.features[4].fingerprint


@pytest.mark.parametrize(
    ("name", "window", "resolution", "told_from", "key"),
    [
        ("bad_share", "30d, 7d ago", "1d", "tiles", "seller"),
        ("mean_1h", "1h", "", "events", "buyer+seller"),
        ("known_for", "all time", "", "memory", "buyer"),
        ("sellers", "5d", "", "memory", "buyer"),
        ("orders.ratio", "", "", "others", ""),
    ],
)
def test_where_a_feature_lies(name: str, window: str, resolution: str, told_from: str, key: str) -> None:
    """Window, resolution and key are told as definitions write them; the bytes are those of the key's row."""
    one = catalogued([ORDERS, OTHERS], name)
    assert (window_text(one), one.resolution, one.told_from, one.key) == (window, resolution, told_from, key)
    made = compile_sets([ORDERS, OTHERS])
    assert one.key_bytes == (made.row_bytes(made.tables.index(key)) if key else 0)
    assert bool(one.key_bytes) == bool(key)


def test_what_a_derived_feature_reads() -> None:
    """Each feature it is computed from is named once."""
    assert catalogued([ORDERS], "ratio").reads == ("mean_1h",)


@pytest.mark.parametrize("name", ["nothing", "orders.nothing", "ratio"])
def test_a_name_means_one_feature(name: str) -> None:
    """A name of none is refused, and so is one of several, with the names that tell them apart."""
    with pytest.raises(UnknownFeature) as caught:
        catalogued([ORDERS, OTHERS], name)
    assert ("orders.ratio, others.ratio" in str(caught.value)) == (name == "ratio")


def test_the_page_has_a_row_for_every_feature() -> None:
    """Cells do not break the table, what needs consent is in italics, and no path of a machine is in it."""
    page = catalogue_page([ORDERS, OTHERS])
    rows = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert rows == [*(feature.name for feature in FEATURES), "ratio"]
    assert {len(re.split(r"(?<!\\)\|", line)) for line in page.splitlines() if line.startswith("|")} == {10}
    assert "| 3 | fraud, *credit* |" in page
    assert re.findall("^## (.*)$", page, re.MULTILINE) == ["`orders`", "`others`"]
    assert "/" not in page
    assert page.endswith("|\n")


def test_nothing_to_tell() -> None:
    """A house without features has an empty catalogue."""
    assert catalogue([]) == []
    assert "##" not in catalogue_page([])


def test_what_does_not_compile_is_not_catalogued() -> None:
    """A catalogue of what cannot be read would promise what nobody keeps."""
    wrong = Feature(name="wrong", value=ORDER["buyer"] * 2, unit="ids", meaning="Wrong.")
    with pytest.raises(TypeMismatch):
        catalogue([FeatureSet(name="wrong", on=ORDER, features=[wrong], owner="tests")])
