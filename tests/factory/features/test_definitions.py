"""What is wrong with a definition is said with file, line and name, and nothing is half-defined."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from formicary.base.purposes import NEEDS_CONSENT, Purpose
from formicary.factory.features import errors
from formicary.factory.features._blocks import PARTS_MAX
from formicary.factory.features._entries import ROOM_MAX
from formicary.factory.features.aggregates import (
    Aggregate,
    age,
    count,
    distinct,
    last,
    maximum,
    mean,
    share,
    time_since,
    total,
)
from formicary.factory.features.columns import MalformedEvents, events_of
from formicary.factory.features.compiler import Compiled, all_findings, compile_sets
from formicary.factory.features.definitions import Feature, FeatureSet, windowed
from formicary.factory.features.errors import (
    BudgetExceeded,
    CyclicFeatures,
    DefinitionsUnusable,
    DuplicateFeature,
    FeatureMalformed,
    FeatureRefused,
    LabelWithoutDelay,
    MeaningChanged,
    PurposeNotDeclared,
    TypeMismatch,
    UnknownFeature,
    UnknownField,
    WindowNotTiled,
)
from formicary.factory.features.expressions import Expression, value_of
from formicary.factory.features.kinds import (
    EventKind,
    Transfers,
    amount,
    party,
)
from tests.factory.features.orders import AMOUNT, ORDER, WEEK, feature, orders

OTHER = EventKind("other", None, buyer=party(), amount=amount())
# What no type checker would let pass; whoever writes a definition may have none.
MISTYPED: Any = 7
MISSPELT: Any = {"wher": AMOUNT > 1}
NOTHING: Any = {}


def refused(kind: type[FeatureRefused], *sets: FeatureSet, name: str = "wrong") -> str:
    """Return what is said of sets that have one thing wrong, and see that nothing of them is defined."""
    made: Compiled | None = None
    with pytest.raises(kind) as caught:
        made = compile_sets(sets)
    assert made is None
    error = caught.value
    assert type(error) is kind
    places = {(part.place, part.name) for part in sets}
    places |= {(one.place, one.name) for part in sets for one in part.features}
    assert (error.place, error.name) in places
    assert error.name == name
    file, _, line = error.place.rpartition(":")
    assert (Path(file), line.isdigit()) == (Path(__file__), True)
    assert str(error) == f"{file}:{line}: {name}: {error.said}"
    return error.said


def test_a_place_is_the_line_of_the_definition() -> None:
    """A feature and a set know where they stand, and so do all that ``windowed`` makes at once."""
    frame = inspect.currentframe()
    assert frame is not None
    texts: Any = {"unit": "orders", "meaning": "In the last {window}."}
    one = Feature(name="one", value=count(ORDER, **WEEK), **texts)
    assert one.place == f"{__file__}:{frame.f_lineno - 1}"
    made = windowed("n_{window}", ("1d", "7d"), lambda over: count(ORDER, by="buyer", over=over), **texts)
    assert [one.place for one in made] == 2 * [f"{__file__}:{frame.f_lineno - 1}"]
    assert [one.meaning for one in made] == ["In the last day.", "In the last 7 days."]
    assert orders(one).place.startswith(f"{__file__}:")


@pytest.mark.parametrize(
    "value",
    [
        total(ORDER["amout"], **WEEK),
        count(ORDER, by="buyr", over="7d"),
        count(ORDER, by="buyer", of="seller", over="7d"),
        count(ORDER, where=ORDER["amout"] > 1, **WEEK),
        ORDER["amout"] * 2,
    ],
)
def test_unknown_field(value: Aggregate | Expression) -> None:
    """A name that the kind does not have is found wherever it stands, with those that there are."""
    assert "has no field" in refused(UnknownField, orders(feature("wrong", value)))


def test_unknown_field_of_a_transfer() -> None:
    """A kind cannot come from what transfers do not have; there is no kind then."""
    kind = None
    with pytest.raises(UnknownField, match=r"test_definitions\.py:\d+: order\.amount: .* no 'sum'"):
        kind = EventKind("order", Transfers(codes=(1,)), amount=amount("sum"))
    assert kind is None


@pytest.mark.parametrize(
    "value",
    [
        total(ORDER["buyer"], **WEEK),
        total(ORDER["score"], **WEEK),
        last(ORDER["device"], by="buyer"),
        distinct(ORDER["score"], **WEEK),
        count(ORDER, by="amount", over="7d"),
        count(ORDER, where=ORDER["buyer"] == 1, **WEEK),
        count(ORDER, where=OTHER["amount"] > 1, **WEEK),
        count(ORDER, where=value_of("other") > 1, **WEEK),
        ORDER["buyer"] * 2,
        OTHER["amount"] * 2,
        maximum(OTHER["amount"], by="buyer", of="amount", over="7d"),
    ],
)
def test_type_mismatch(value: Aggregate | Expression) -> None:
    """An operator, a key, a condition or an expression refuses what it cannot count with."""
    refused(TypeMismatch, orders(feature("wrong", value)))


def test_type_mismatch_while_it_is_written() -> None:
    """Python's own ``and`` would lose half of a condition, and a text is no number."""
    with pytest.raises(TypeMismatch):
        count(ORDER, where=(AMOUNT > 1) and (AMOUNT < 5), **WEEK)
    text: Any = "5"
    with pytest.raises(TypeMismatch):
        _ = AMOUNT + text


@pytest.mark.parametrize(
    "value",
    [
        count(ORDER, by="buyer", over="7d", resolution="5h"),
        count(ORDER, by="buyer", over="7d", delay="90m", resolution="1h"),
        count(ORDER, by="buyer", over="7s"),
        count(ORDER, by="buyer", over="366d", resolution="1h"),
        count(ORDER, by="buyer", over="7d", resolution="1h", exact=True),
        time_since(ORDER, by="buyer", delay="1d"),
        time_since(ORDER, by="buyer", resolution="1h"),
        age(ORDER, by="buyer", over="7d"),
    ],
)
def test_window_not_tiled(value: Aggregate) -> None:
    """A window that tiles do not fill would tell of another one than it says."""
    refused(WindowNotTiled, orders(feature("wrong", value)))


@pytest.mark.parametrize(
    "value",
    [
        total(ORDER["bad"], **WEEK),
        share(ORDER, where=ORDER["bad"] == 1, **WEEK),
        share(ORDER, where=ORDER["bad"] == 1, by="buyer", over="6d", delay="6d"),
        last(ORDER["bad"], by="buyer"),
        ORDER["bad"] * 2,
    ],
)
def test_label_without_delay(value: Aggregate | Expression) -> None:
    """A label read before it is known makes every test of a model too good."""
    refused(LabelWithoutDelay, orders(feature("wrong", value)))


def test_a_label_with_its_delay_compiles() -> None:
    """After the time by which it is known a label is a field like any other."""
    late = share(ORDER, where=ORDER["bad"] == 1, by="buyer", over="7d", delay="7d")
    assert "orders" in compile_sets([orders(feature("right", late))]).views


def test_unknown_feature() -> None:
    """A reference to nothing names the set and what was looked for."""
    said = refused(UnknownFeature, orders(feature("wrong", value_of("nothing") * 2)))
    assert said == "orders has no feature 'nothing'"


def test_cyclic_features() -> None:
    """A feature that needs itself cannot be computed; the circle is drawn."""
    circle = [
        feature(name, value_of(other) + 1) for name, other in (("wrong", "b"), ("b", "c"), ("c", "wrong"))
    ]
    assert refused(CyclicFeatures, orders(*circle)) == "wrong -> b -> c -> wrong"
    itself = feature("wrong", value_of("wrong"))
    assert refused(CyclicFeatures, orders(itself)) == "wrong -> wrong"


def test_duplicate_feature() -> None:
    """The second of a name is told where the first stands; so is the second set of a name."""
    twice = [feature("wrong", count(ORDER, **WEEK)), feature("wrong", AMOUNT * 1)]
    assert twice[0].place in refused(DuplicateFeature, orders(*twice))
    sets = [orders(twice[0]), orders(feature("other", AMOUNT * 1))]
    assert sets[0].place in refused(DuplicateFeature, *sets, name="orders")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"unit": ""}, "no unit"),
        ({"meaning": ""}, "no meaning"),
        ({"meaning": "no full stop"}, "no sentence"),
        ({"meaning": "x" * 200 + "."}, "no sentence"),
        ({"purposes": frozenset()}, "for no purpose"),
        ({"version": 0}, "versions begin at 1"),
        ({"value": count(ORDER, by="buyer")}, "needs a window"),
        ({"value": distinct(ORDER["device"], by="buyer")}, "needs a window"),
        ({"value": count(ORDER, by="buyer", over="7x")}, "no span of time"),
        ({"value": count(ORDER, by="buyer", over="367d")}, "no span of time"),
        ({"value": count(ORDER, by="buyer", over=MISTYPED)}, "7 is no span of time"),
        ({"value": count(ORDER, by="buyer", over="7d", **MISSPELT)}, "wher: there is no such option"),
        ({"value": count(ORDER, over="7d", **NOTHING)}, "a key is made of"),
        ({"value": share(ORDER, **WEEK)}, "where="),
        ({"value": count(ORDER, by=(), over="7d")}, "a key is made of"),
        ({"value": count(ORDER, by=("buyer", "device"), of="buyer", over="7d")}, "a key is made of"),
    ],
)
def test_feature_malformed(changed: dict[str, Any], said: str) -> None:
    """A feature that does not say what it is, of what and for whom, is none."""
    value = changed.pop("value", count(ORDER, **WEEK))
    assert said in refused(FeatureMalformed, orders(feature("wrong", value, **changed)))


def test_names_are_in_snake_case() -> None:
    """A feature, a set and a kind have names that fit a column, a file and a command."""
    refused(FeatureMalformed, orders(feature("Wrong", count(ORDER, **WEEK))), name="Wrong")
    for name, fields in (("Order", {}), ("order", {"buyerId": party()})):
        with pytest.raises(FeatureMalformed, match=r"test_definitions\.py:\d+: .* snake case"):
            EventKind(name, None, **fields)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Orders"},
        {"owner": ""},
        {"ring_events": 3},
        {"ring_events": 0},
        {"on": "order"},
        {"features": [count(ORDER, **WEEK)]},
    ],
)
def test_a_malformed_set(changed: dict[str, Any]) -> None:
    """A set is refused as it is made, with the line on which that is tried."""
    fields: dict[str, Any] = {"name": "orders", "on": ORDER, "features": [], "owner": "tests"}
    made = None
    with pytest.raises(FeatureMalformed, match=r"test_definitions\.py:\d+: [Oo]rders: "):
        made = FeatureSet(**fields | changed)
    assert made is None


def test_a_value_of_another_type() -> None:
    """A number is no feature: it would never change."""
    with pytest.raises(FeatureMalformed, match=r"test_definitions\.py:\d+: wrong: .* no int"):
        feature("wrong", 5)


def test_two_kinds_of_one_name() -> None:
    """Events are told apart by the name of their kind, the factory's own included."""
    twin = EventKind("order", None, buyer=party())
    again = FeatureSet(name="again", on=twin, features=[feature("n", count(twin, **WEEK))], owner="tests")
    assert "called order" in refused(FeatureMalformed, orders(), again, name="again")
    consent = EventKind("consent", None, buyer=party())
    taken = FeatureSet(name="taken", on=consent, features=[], owner="tests")
    assert "called consent" in refused(FeatureMalformed, taken, name="taken")


def test_purpose_not_declared() -> None:
    """What may not be read for a purpose is refused by name; what needs consent has a bit to ask for."""
    allowed = feature("right", count(ORDER, **WEEK), purposes=frozenset({Purpose.FRAUD, Purpose.CREDIT}))
    wrong = feature("wrong", AMOUNT * 1, purposes=frozenset({Purpose.FRAUD}))
    view = compile_sets([orders(allowed, wrong)]).views["orders"]
    with pytest.raises(PurposeNotDeclared) as caught:
        view.consent_bit(Purpose.CREDIT)
    assert str(caught.value) == f"{wrong.place}: wrong: it may not be read for credit"
    assert view.consent_bit(Purpose.FRAUD) == -1
    alone = compile_sets([orders(allowed)]).views["orders"]
    assert (alone.consent_bit(Purpose.CREDIT), Purpose.CREDIT in NEEDS_CONSENT) == (1, True)


def test_byte_budget_exceeded() -> None:
    """A set that takes more of every key than it declares is refused, with both numbers."""
    long = feature("long", count(ORDER, by="buyer", over="366d", resolution="1d"))
    said = refused(BudgetExceeded, orders(long, key_bytes_max=1_024), name="orders")
    assert said.endswith("over 1024")


def test_too_many_sums() -> None:
    """What one event may change of a key has a limit of its own; the feature that crosses it is named."""
    many = [
        feature(f"above_{limit}", count(ORDER, where=ORDER["amount"] > limit, **WEEK))
        for limit in range(PARTS_MAX)
    ]
    one = orders(*many, feature("wrong", count(ORDER, **WEEK)), key_bytes_max=1 << 20)
    said = refused(BudgetExceeded, one)
    assert [(found.name, found.said) for found in all_findings([one])] == [("wrong", said)]


def test_too_many_entries() -> None:
    """A ring that could not say where its entries are is refused, whatever budget is declared."""
    exact = feature("wrong", count(ORDER, by="buyer", over="30d", exact=True))
    one = FeatureSet(
        name="orders",
        on=ORDER,
        features=[exact],
        owner="tests",
        ring_events=2 * (ROOM_MAX + 1),
        key_bytes_max=1 << 40,
    )
    said = refused(BudgetExceeded, one)
    assert f"over {ROOM_MAX}" in said


def test_malformed_events() -> None:
    """Columns are held against the kind before any of them is used."""
    made = compile_sets([orders(feature("n", count(ORDER, **WEEK)))])
    for at, columns in (
        ([-1], {}),
        ([1.5], {}),
        ([1], {"amount": [1, 2]}),
        ([1], {"buyer": [1]}),
        ([1], {"amount": [1.5]}),
        ([1], {"score": ["x"]}),
    ):
        with pytest.raises(MalformedEvents):
            events_of(made, ORDER, at=at, columns=columns)


def test_everything_wrong_is_found_at_once() -> None:
    """Whoever checks a file sees all of it, in the order of its lines."""
    found = all_findings(
        [
            orders(
                feature("a", count(ORDER, by="buyr", over="7d"), unit=""),
                feature("b", value_of("nothing") * 2),
                feature("c", mean(AMOUNT, by="buyer", over="7s")),
            )
        ]
    )
    kinds = sorted((one.name, type(one).__name__) for one in found)
    assert kinds == [
        ("a", "FeatureMalformed"),
        ("a", "UnknownField"),
        ("b", "UnknownFeature"),
        ("c", "WindowNotTiled"),
    ]
    assert all_findings([]) == []


def test_two_budgets_are_found_at_once() -> None:
    """Sets that are right but too large are all named."""
    long = count(ORDER, by="buyer", over="366d", resolution="1d")
    sets = [
        FeatureSet(name=name, on=ORDER, features=[feature("n", long)], owner="tests", key_bytes_max=64)
        for name in ("one", "two")
    ]
    assert [(type(found), found.name) for found in all_findings(sets)] == [
        (BudgetExceeded, "one"),
        (BudgetExceeded, "two"),
    ]


def test_every_kind_of_error_is_tried_here() -> None:
    """A new kind of error has its test in this file."""
    tried = {name for name, value in globals().items() if isinstance(value, type)}
    elsewhere = {
        DefinitionsUnusable.__name__: "tests/runtime/test_feature_definitions.py",
        MeaningChanged.__name__: "tests/factory/features/test_live.py",
    }
    assert set(errors.__all__) <= tried | elsewhere.keys()
