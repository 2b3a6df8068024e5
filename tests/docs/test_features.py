"""docs/features-catalogue.md is what the products define."""

from __future__ import annotations

from pathlib import Path

from formicary.factory.features.catalogue import catalogue_page
from formicary.runtime.products import feature_sets

PAGE = Path(__file__).parents[2] / "docs" / "features-catalogue.md"


def test_the_catalogue_is_what_the_products_define() -> None:
    """A feature that changes without its page is read for what it was."""
    assert PAGE.read_text() == catalogue_page(feature_sets(None)), (
        "formicary features catalogue --output docs/features-catalogue.md"
    )
