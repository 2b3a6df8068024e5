"""Every product that a deployment runs: the factory's own first."""

from __future__ import annotations

from typing import Final

from formicary.factory.engine.products import Product
from formicary.factory.facts import FACTS_PRODUCT
from formicary.factory.identity import IDENTITY
from formicary.products.payments import PAYMENTS

__all__ = ["PRODUCTS"]

PRODUCTS: Final[tuple[Product, ...]] = (*IDENTITY, FACTS_PRODUCT, *PAYMENTS)
"""What ``formicary up`` runs."""
