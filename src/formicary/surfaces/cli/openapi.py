"""``formicary openapi``: the document of ``/v1``."""

from __future__ import annotations

import typer

from formicary.surfaces.api.rest import document
from formicary.surfaces.cli.options import AsJson
from formicary.surfaces.cli.output import write_json

__all__ = ["openapi"]


def openapi(_: typer.Context, *, as_json: AsJson = False) -> None:
    """Write the OpenAPI document of the API; JSON is its only form."""
    del as_json
    write_json(document())
