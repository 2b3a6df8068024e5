"""Orders: a kind of event, and features of them that know on which line of a test they are defined."""

from __future__ import annotations

import inspect
from typing import Any

from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.kinds import EventKind, amount, identifier, number, party, real

ORDER = EventKind(
    "order",
    None,
    buyer=party(),
    device=identifier(),
    amount=amount(),
    score=real(),
    bad=number(known_after="7d"),
)
AMOUNT = ORDER["amount"]
WEEK: Any = {"by": "buyer", "over": "7d"}


def feature(name: str, value: Any, **more: Any) -> Feature:
    """Return a feature that has all it must have, defined where the test calls this."""
    fields = {"unit": "orders", "meaning": "What the tests ask.", "place": _place()} | more
    return Feature(name=name, value=value, **fields)


def orders(*features: Feature, **more: Any) -> FeatureSet:
    """Return a set on orders, defined where the test calls this."""
    return FeatureSet(name="orders", on=ORDER, features=features, owner="tests", place=_place(), **more)


def _place() -> str:
    caller = inspect.stack(context=0)[2]
    return f"{caller.filename}:{caller.lineno}"
