"""What the demo's parts ask of the registry: a model that decides, and answers that are no refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from formicary.economy.moments import ReplayRefused
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import CommandRequest, command_request
from formicary.factory.engine.state import Receipt
from formicary.factory.models.model import Model
from formicary.factory.models.model_files import read_model
from formicary.factory.models.model_manifest import TrainedModel
from formicary.factory.registry import NAME, Alias, MoveAlias
from formicary.factory.registry.storing import parts_of, registration_of
from formicary.surfaces.cli.ports import DemoFactory

__all__ = ["answer_of", "done", "promoted", "registered"]


def done(factory: DemoFactory, request: CommandRequest) -> Mapping[str, Any]:
    """Carry out a command; return its answer, which is the first one where it was carried out before.

    Raises
    ------
    ReplayRefused
        It was refused.
    """
    (receipt,) = factory.execute([request])
    return answer_of(receipt)


def answer_of(receipt: Receipt) -> Mapping[str, Any]:
    """Return the answer of a command that was carried out; see ``done``."""
    if receipt.code:
        message = f"a part of the replay was refused: {receipt.code}"
        raise ReplayRefused(message)
    return receipt.answer


def registered(factory: DemoFactory, command: Command, key: str) -> Mapping[str, Any]:
    """Have the registry carry out a command; see ``done``."""
    return done(factory, command_request(NAME, command, principal="demo", key=key))


def promoted(factory: DemoFactory, name: str, trained: TrainedModel, reason: str) -> tuple[Model, int]:
    """Bring a model into the journal and let it decide; return it and its version.

    ``name`` says where what it is for comes from, and is part of every key.
    """
    model, manifest = read_model(trained.file)
    for part in parts_of(model):
        registered(factory, part, f"{name} {model.hash} part {part.part}")
    registration = registration_of(model, manifest={}, note=reason)
    told = registered(factory, registration, f"{name} {model.hash} registered")
    moved = MoveAlias(
        subject=text_id(manifest.model),
        model=manifest.model,
        alias=Alias.CHAMPION,
        hash=model.hash,
        reason=reason,
    )
    registered(factory, moved, f"{name} {model.hash} champion")
    return model, int(told["version"])
