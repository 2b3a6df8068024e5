"""docs/openapi.json is what the code serves, and docs/api.md names every route."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from formicary.surfaces.api.rest import build_rest, document

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = document()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


def test_the_document_is_what_the_code_serves() -> None:
    """A route, field or answer that changes without its document surprises whoever generated a client."""
    assert json.loads((DOCS / "openapi.json").read_text()) == json.loads(json.dumps(DOCUMENT)), (
        "formicary openapi > docs/openapi.json"
    )


def test_every_route_is_on_the_page() -> None:
    """A reader finds every route with what it does, and none that is not there."""
    assert set(re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", (DOCS / "api.md").read_text(), re.MULTILINE)) == set(
        OPERATIONS
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_route_says_what_callers_must_know(name: str) -> None:
    """Each has a unique name, says who may ask and what a problem looks like; what changes takes a key."""
    operation = OPERATIONS[name]
    names = [other["operationId"] for other in OPERATIONS.values()]
    assert names.count(operation["operationId"]) == 1
    assert "default" in operation["responses"]
    assert "422" not in operation["responses"]
    assert bool(operation.get("security")) == (" /v1/" in name)
    parameters = {parameter["name"] for parameter in operation.get("parameters", [])}
    is_change = name.startswith("POST") and not name.endswith(("/search", "/advance", "/tokens"))
    assert ("Idempotency-Key" in parameters) == is_change


def test_references_lead_somewhere() -> None:
    """Every schema that is named is there."""
    wanted = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert wanted <= set(DOCUMENT["components"]["schemas"])


def test_nothing_is_served_beside_the_document() -> None:
    """FastAPI's own pages, which load scripts from elsewhere, are not served."""
    paths = {getattr(route, "path", "") for route in build_rest().routes}
    assert not paths & {"/docs", "/redoc", "/openapi.json"}
