"""A stored model becomes commands that the registry takes, or is refused before any is sent."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from formicary.base.limits import MODEL_BYTES_MAX, MODEL_ENTRY_BYTES_MAX
from formicary.factory.engine.house_documents import DocumentMalformed
from formicary.factory.models.errors import ModelCorrupt
from formicary.factory.registry.errors import EntryTooLarge
from formicary.factory.registry.reading import model_bytes, model_events, versions
from formicary.factory.registry.storing import model_of, parts_of, registration_of
from tests.factory.registry.kit import Registry
from tests.surfaces.cli.registry_kit import SPEC, trained_model


def test_a_model_is_read_back(registry: Registry) -> None:
    """Byte by byte, with what it showed; what could not be measured is left out."""
    evidence = replace(trained_model().evidence, scorecard={"brier": math.nan, "area_under_roc": 0.75})
    model = replace(trained_model(), evidence=evidence)
    assert model_of(model.to_bytes()).hash == model.hash
    for part in parts_of(model):
        registry.done(part)
    registry.done(registration_of(model, manifest={"seed": 5}, note="Good."))
    (found,) = versions(model_events(registry.source()))
    assert (found.model, found.hash, found.spec_hash) == ("repayment", model.hash, SPEC.hash)
    assert (found.columns, found.manifest, found.note) == (list(SPEC.names), {"seed": 5}, "Good.")
    assert found.metrics.forest == dict(model.evidence.forest)
    assert found.metrics.scorecard == {"area_under_roc": 0.75}
    assert model_bytes(registry.source(), found) == model.to_bytes()


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (b"no model", "begins with its own name"),
        (bytes(MODEL_BYTES_MAX), "begins with its own name"),
        (bytes(MODEL_BYTES_MAX + 1), "too large for the journal"),
    ],
)
def test_bytes_that_are_no_model(stored: bytes, said: str) -> None:
    """Nobody sends them."""
    with pytest.raises(ModelCorrupt, match=said):
        model_of(stored)


@pytest.mark.parametrize(
    ("manifest", "kind"),
    [
        ({"far": 1e300}, DocumentMalformed),
        ({"long": "x" * MODEL_ENTRY_BYTES_MAX}, EntryTooLarge),
    ],
)
def test_a_manifest_that_is_not_kept(manifest: dict[str, Any], kind: type[Exception]) -> None:
    """Whoever registers is told why, which a receipt could not."""
    with pytest.raises(kind):
        registration_of(trained_model(), manifest=manifest, note="")
