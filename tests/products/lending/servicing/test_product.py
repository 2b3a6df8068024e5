"""The manifests of lending."""

from __future__ import annotations

import pytest

from formicary.factory.engine.conformance import check_product
from formicary.factory.engine.products import Product
from formicary.products.lending.product import LENDING


@pytest.mark.parametrize("product", LENDING, ids=lambda product: str(product.name))
def test_keeps_the_contract(product: Product) -> None:
    """Each product is what the factory expects."""
    assert check_product(product) == []


def test_neighbours_come_first() -> None:
    """A deployment that renews a product renews those beside it after it."""
    names = [product.name for product in LENDING]
    for place, product in enumerate(LENDING):
        beside = {one.name for one in product.neighbours}
        assert beside.isdisjoint(names[place:]), product.name
