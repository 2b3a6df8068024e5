"""``check_product``: a good product passes, and every rule finds the product that breaks it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from formicary.factory.engine.conformance import check_product
from formicary.factory.engine.products import (
    Command,
    Consequence,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from tests.factory.engine.broken_products import (
    COUNTER,
    Added,
    bad_behaviours,
    bad_events,
    bad_manifests,
    good_events,
)
from tests.factory.engine.example_product import ESCROW_PRODUCT
from tests.factory.engine.meters_product import METERS, ROUNDS


def with_field(kind: Any) -> Product:
    """Return a product whose event has a field of a type."""
    event: Any = msgspec.defstruct(
        "Happened", [("field", kind)], bases=(DomainEvent,), frozen=True, kw_only=True, module=__name__
    )
    return replace(COUNTER, events=(event,), evolve=lambda *_: None, decide=lambda *_: Decision())


def with_consequence(event: DomainEvent) -> Product:
    """Return a product whose commands have a consequence for another counter, once there is one."""
    beside = replace(COUNTER, name="beside")

    def decide(_: Command | TimerFired, __: Any, context: Context) -> Decision:
        if context.aggregate("beside", 5) is None:
            return Decision()
        return Decision(consequences=[Consequence(product="beside", subject=5, event=event)])

    return replace(COUNTER, neighbours=(beside,), decide=decide)


def test_consequences_for_neighbours_are_allowed() -> None:
    """A decider looks at its neighbours' aggregates, and may say what happens to them."""
    assert check_product(with_consequence(Added(amount=1))) == []


def test_consequences_for_other_aggregates_of_its_own_are_allowed() -> None:
    """A product looks at all of its aggregates, and one command may change two of them."""

    def decide(_: Command | TimerFired, __: Any, context: Context) -> Decision:
        other = context.aggregate("counter", 5)
        amount = 1 if other is None else int(other["count"]) % 7
        return Decision(consequences=[Consequence(product="counter", subject=5, event=Added(amount=amount))])

    assert check_product(replace(COUNTER, decide=decide)) == []


@pytest.mark.parametrize(
    "product", [ESCROW_PRODUCT, COUNTER, METERS, ROUNDS], ids=lambda product: product.name
)
def test_a_good_product_passes(product: Product) -> None:
    """Nothing is found where nothing is wrong."""
    assert check_product(product) == []


@pytest.mark.parametrize(("rule", "place", "product"), [*bad_manifests(), *bad_behaviours()])
def test_what_is_wrong_is_found(rule: str, place: str, product: Product) -> None:
    """Each product breaks one rule, and the finding says which and where."""
    findings = check_product(product)
    assert (rule, place) in {(finding.rule, finding.place) for finding in findings}
    assert all(str(finding).startswith(f"{finding.place}: {finding.rule}: ") for finding in findings)


@pytest.mark.parametrize("kind", good_events(), ids=str)
def test_closed_fields_are_allowed_in_events(kind: Any) -> None:
    """Integers, truth values, closed sets, ids, and what is made of them."""
    assert check_product(with_field(kind)) == []


@pytest.mark.parametrize("kind", bad_events(), ids=str)
def test_open_fields_are_refused_in_events(kind: Any) -> None:
    """Free text could hold a name for ever, and a float is not stored as it was written."""
    findings = check_product(with_field(kind))
    assert ("closed field", "Happened.field") in {(finding.rule, finding.place) for finding in findings}


def test_a_finding_is_made_once_for_each_place() -> None:
    """However many samples show it, a broken rule of one command is one line."""
    (finding,) = check_product(replace(COUNTER, timers=(), decide=lambda *_: Decision(answer={"a": 0.5})))
    assert (finding.rule, finding.place) == ("answer", "Add")
