"""``check_product`` tells whether a product keeps the contract of ``products``.

Everything is looked at that can be looked at without the product's own examples: the manifest, the
types, and what ``decide`` and ``evolve`` do with samples that are made from the types. A product's
tests hold one line: ``assert check_product(MY_PRODUCT) == []``.
"""

from __future__ import annotations

from collections.abc import Iterator

from formicary.factory.engine._check_behaviour import check_decide, check_evolve
from formicary.factory.engine._check_manifest import (
    check_aggregate,
    check_looks,
    check_messages,
    check_models,
    check_names,
    check_sweeps,
    check_upcasters,
)
from formicary.factory.engine._check_sweep import check_sweep
from formicary.factory.engine._check_types import check_event_fields, check_round_trips
from formicary.factory.engine._findings import Finding
from formicary.factory.engine.products import Product

__all__ = ["Finding", "check_product"]


def check_product(product: Product) -> list[Finding]:
    """Return what is wrong with a product; nothing is as it should be.

    - The names of the product, its commands, events and timers are unique and of the journal's form.
    - Commands and events are frozen ``msgspec`` structs of the given bases; they survive JSON.
    - Events hold no free text and no floats: integers, closed sets, texts of a narrow pattern, and what is
      made of them, only; but for what is marked as a document of the house's own.
    - The aggregate begins with ``AGGREGATE_HEADER`` and has fixed-size numbers only, without padding; a
      columnar one is whole words. Sweeps are of columnar products, and say what they sweep; so are ids that
      aggregates are found by, and sums.
    - Its models contradict nothing, and ask its own features for what they tell.
    - ``evolve`` takes every event in any state, always comes to the same, keeps the header, and does
      with many what it does with one.
    - ``sweep`` does the same with every event, and does with many what it does with one.
    - ``decide`` raises nothing but refusals, comes to the same from the same input, changes nothing,
      and names only events and timers of the manifest, and consequences for its neighbours or itself.
    - There is a way up from every older version of the events.

    Examples
    --------
    >>> from formicary.factory.engine.conformance import check_product
    >>> check_product(product)  # doctest: +SKIP
    []
    """
    # What is looked at later relies on what was looked at before.
    for look in (_manifest, _types, check_evolve, check_sweep, check_decide):
        findings = list(look(product))
        if findings:
            return findings
    return []


def _manifest(product: Product) -> Iterator[Finding]:
    yield from check_names(product)
    yield from check_messages(product)
    yield from check_aggregate(product)
    yield from check_sweeps(product)
    yield from check_looks(product)
    yield from check_models(product)


def _types(product: Product) -> Iterator[Finding]:
    yield from check_event_fields(product)
    yield from check_round_trips(product)
    yield from check_upcasters(product)
