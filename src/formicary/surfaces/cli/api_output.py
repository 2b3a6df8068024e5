"""What the API's documents look like in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import typer

from formicary.surfaces.cli.output import write_json, write_table

__all__ = ["new_group", "write_document", "write_documents"]


def new_group(help_text: str) -> typer.Typer:
    """Return an empty group of commands."""
    return typer.Typer(no_args_is_help=True, help=help_text)


def write_document(document: Any, *, as_json: bool) -> None:
    """Write one of the client's documents, as JSON or as a table of fields."""
    fields = msgspec.to_builtins(document)
    if as_json:
        write_json(fields)
    else:
        write_table(("field", "value"), [(name, _text(value)) for name, value in fields.items()])


def write_documents(documents: Iterable[Any], columns: Mapping[str, str], *, as_json: bool) -> None:
    """Write the client's documents, as a JSON array or as a table, a row each; headings go with fields."""
    found = msgspec.to_builtins(list(documents))
    if as_json:
        write_json(found)
    else:
        rows = [[_text(one[field]) for field in columns.values()] for one in found]
        write_table(tuple(columns), rows)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
