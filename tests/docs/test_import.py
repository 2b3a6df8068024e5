"""docs/import.md explains every field of a mapping and every reason, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from formicary.economy.history import mapping
from formicary.economy.history.rejections import Reason
from formicary.factory.ledger.reconciliation import CAMT_COLUMNS

TEXT = (Path(__file__).parents[2] / "docs" / "import.md").read_text()

TABLES: dict[str, type[msgspec.Struct]] = {
    "field of the mapping": mapping.Mapping,
    "field of a file": mapping.File,
    "field of a party": mapping.Party,
    "field of an event": mapping.Event,
    "field of a condition": mapping.Where,
    "field of `at`": mapping.At,
    "field of a transfer": mapping.Transfer,
    "field of a side": mapping.Side,
    "field of an amount": mapping.Amount,
    "field of a fact": mapping.Fact,
    "field of an id": mapping.Reference,
}


def names(heading: str) -> set[str]:
    """Return the names in the first column of the table under a heading row."""
    table = TEXT.partition(f"| {heading} | meaning |\n")[2].partition("\n\n")[0]
    return {name for row in table.splitlines() for name in re.findall(r"`([a-z_0-9]+)`", row.split("|")[1])}


@pytest.mark.parametrize("heading", TABLES)
def test_every_field_is_explained(heading: str) -> None:
    """A table for each structure, with its fields as they are written."""
    assert names(heading) == {field.encode_name for field in msgspec.structs.fields(TABLES[heading])}


def test_every_structure_has_a_table() -> None:
    """No part of a mapping is left out."""
    structures = {
        kind
        for kind in vars(mapping).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and not kind.__name__.startswith("_")
    }
    assert structures == set(TABLES.values())


def test_every_reason_is_explained() -> None:
    """Whoever reads a report finds what it means."""
    assert names("reason") == set(Reason)


def test_every_column_of_a_statement_is_named() -> None:
    """A mapping of a statement is written from this page."""
    paragraph = TEXT.partition("A camt.053 statement has")[2].partition("\n\n")[0]
    assert set(CAMT_COLUMNS) <= set(re.findall(r"`([a-z_]+)`", paragraph))
