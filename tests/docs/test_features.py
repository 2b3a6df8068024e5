"""docs/features.md explains what definitions are made of, and its examples run; the catalogue is whole."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from formicary.factory.features import aggregates, errors, expressions, kinds
from formicary.factory.features.aggregates import Operator, Options
from formicary.factory.features.catalogue import catalogue_page
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.runtime.products import feature_sets

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "features.md").read_text()


def names(heading: str, column: int = 1) -> list[str]:
    """Return the names in a column of the table under a heading row, without their arguments."""
    table = re.search(rf"^\| {re.escape(heading)} \|.*\n((?:\|.*\n)*)", TEXT, re.MULTILINE)
    assert table, heading
    cells = [row.replace(r"\|", "").split("|")[column] for row in table[1].splitlines()[1:]]
    return [name for cell in cells for name in re.findall(r"`(\w+)[^`]*`", cell)]


def functions(module: ModuleType) -> set[str]:
    """Return the names of the functions that a module is imported for."""
    return {name for name in module.__all__ if inspect.isfunction(getattr(module, name))}


def test_examples_run() -> None:
    """What the page shows is what happens."""
    failures, examples = doctest.testfile(
        str(DOCS / "features.md"), module_relative=False, optionflags=doctest.ELLIPSIS
    )
    assert examples > 0
    assert failures == 0


def test_every_operator_is_explained() -> None:
    """Each has a row, with the function that makes it."""
    assert set(names("function")) == functions(aggregates)
    assert set(names("function", column=2)) == {operator.name for operator in Operator}


def test_every_option_is_explained() -> None:
    """All that an operator can be told stands in one table."""
    assert set(names("option")) == set(Options.__annotations__)


def test_every_expression_is_explained() -> None:
    """Every function that makes an expression has a place in the table."""
    assert set(re.findall(r"\w+", " ".join(names("written")))) >= functions(expressions)


@pytest.mark.parametrize(("heading", "made"), [("a feature says", Feature), ("a set says", FeatureSet)])
def test_everything_that_is_declared_is_explained(heading: str, made: type) -> None:
    """The place of a definition, and what it is made of, are found, not said."""
    declared = set(inspect.signature(made).parameters) - {"place", "made_of"}
    assert set(names(heading)) - {"payments", "share", "seconds", "minor"} == declared


def test_every_type_and_source_of_a_field_is_explained() -> None:
    """Whoever writes a kind of event finds what its fields can be."""
    assert set(names("field")) >= functions(kinds)
    sources = " ".join(names("source", column=2))
    assert set(names("source")) == {"Transfers", "Facts"}
    assert all(name in sources for name in (*kinds.TRANSFER_IDS, *kinds.TRANSFER_NUMBERS))


def test_every_error_is_named() -> None:
    """Each with its code."""
    found = dict(zip(names("error"), names("error", column=2), strict=True))
    assert found == {name: getattr(errors, name).code for name in errors.__all__}


def test_the_catalogue_is_what_the_products_define() -> None:
    """A feature that changes without its page is read for what it was."""
    assert (DOCS / "features-catalogue.md").read_text() == catalogue_page(feature_sets(None)), (
        "formicary features catalogue --output docs/features-catalogue.md"
    )
