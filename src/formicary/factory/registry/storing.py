"""A stored model as the commands that bring it into the journal, and what is said of it there."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from formicary.base.limits import MODEL_BYTES_MAX, MODEL_ENTRY_BYTES_MAX, MODEL_PART_BYTES_MAX
from formicary.factory.engine.house_documents import storable
from formicary.factory.models.errors import ModelCorrupt
from formicary.factory.models.model import Model, identity_of
from formicary.factory.registry.errors import EntryTooLarge
from formicary.factory.registry.messages import Metrics, RegisterModel, StoreModelPart

__all__ = ["model_of", "parts_of", "registration_of"]


def model_of(stored: bytes) -> Model:
    """Return the model that bytes are.

    Raises
    ------
    ModelCorrupt
        They are none, or too many for the journal.
    """
    if len(stored) > MODEL_BYTES_MAX:
        message = (
            f"a model of {len(stored):,} bytes is too large for the journal, which takes {MODEL_BYTES_MAX:,}"
        )
        raise ModelCorrupt(message)
    return Model.from_bytes(stored, expected_hash=identity_of(stored))


def parts_of(model: Model) -> list[StoreModelPart]:
    """Return the commands that keep a model's bytes, in their order."""
    stored, subject = model.to_bytes(), int(model.hash, 16)
    firsts = range(0, len(stored), MODEL_PART_BYTES_MAX)
    return [
        StoreModelPart(
            subject=subject,
            part=part,
            parts=len(firsts),
            content=base64.b64encode(stored[first : first + MODEL_PART_BYTES_MAX]).decode(),
        )
        for part, first in enumerate(firsts)
    ]


def registration_of(model: Model, *, manifest: Mapping[str, Any], note: str) -> RegisterModel:
    """Return the command that makes a model's bytes a version of it, with what the model itself shows.

    Raises
    ------
    DocumentMalformed, EntryTooLarge
        The journal would not keep the manifest; an engine would say so by a code alone.
    """
    command = RegisterModel(
        subject=int(model.hash, 16),
        model=model.name,
        spec_hash=model.spec_hash,
        columns=list(model.forest.feature_names),
        manifest=storable(manifest),
        metrics=Metrics(forest=_finite(model.evidence.forest), scorecard=_finite(model.evidence.scorecard)),
        note=note,
    )
    if len(msgspec.json.encode(command)) > MODEL_ENTRY_BYTES_MAX:
        raise EntryTooLarge
    return command


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    # What cannot be measured of so few rows is no number, and the journal keeps none such.
    return {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
