"""What is said of models and policies: the commands and the events."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

from formicary.base.limits import MODEL_BYTES_MAX, MODEL_PART_BYTES_MAX, POLICY_BYTES_MAX
from formicary.base.lots import LOTS
from formicary.factory.engine.house_documents import HOUSE_DOCUMENT
from formicary.factory.engine.products import Command, DomainEvent

__all__ = [
    "NOTHING",
    "PARTS_MAX",
    "TRIAL_ALIASES",
    "Alias",
    "AliasMoved",
    "ArmPolicy",
    "DisarmPolicy",
    "Metrics",
    "ModelPartStored",
    "ModelRegistered",
    "MoveAlias",
    "PolicyArmed",
    "PolicyDisarmed",
    "RegisterModel",
    "SetTrial",
    "StoreModelPart",
    "TrialSet",
    "VersionCounted",
]

PARTS_MAX: Final = -(-MODEL_BYTES_MAX // MODEL_PART_BYTES_MAX)
"""Parts of a model at most."""

NOTHING: Final = ""
"""In place of a hash, where no version has the alias."""

_CONTENT_CHARACTERS_MAX: Final = MODEL_PART_BYTES_MAX * 4 // 3
_REASON_CHARACTERS_MAX: Final = 200
_NOTE_CHARACTERS_MAX: Final = 1_000
_COLUMN_CHARACTERS_MAX: Final = 128


def _like(*examples: Any) -> msgspec.Meta:
    """Return examples of a field, for whoever makes commands up to check the product."""
    return msgspec.Meta(extra_json_schema={"examples": list(examples)})


class Alias(StrEnum):
    """What a version of a model does; of one model, one version each."""

    CHAMPION = "champion"
    """It decides."""
    CHALLENGER = "challenger"
    """It decides where it is tried out."""
    SHADOW = "shadow"
    """It is scored and decides nothing."""


TRIAL_ALIASES: Final = (Alias.CHAMPION, Alias.CHALLENGER)
"""Whose versions a trial compares: where one of them is moved, the trial is over."""

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*\Z", max_length=64)]
"""Of a model or a decision point, in snake case."""

Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z", max_length=32)]
HashOrNothing = Annotated[
    str, msgspec.Meta(pattern=r"^([0-9a-f]{32})?\Z", max_length=32), _like("f" * 32, "")
]
Part = Annotated[int, msgspec.Meta(ge=0, lt=PARTS_MAX)]
Parts = Annotated[int, msgspec.Meta(ge=1, le=PARTS_MAX)]
Version = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Share = Annotated[int, msgspec.Meta(ge=0, le=LOTS)]
"""In millionths."""

Content = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9+/]*={0,2}\Z",
        max_length=_CONTENT_CHARACTERS_MAX,
    ),
    _like("Zm9ybWljYXJ5", "Zg==", ""),
    HOUSE_DOCUMENT,
]
"""Bytes in base64, whose length is for the decider to check: a pattern that counts takes a millisecond."""

Reason = Annotated[
    str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]+\Z", max_length=_REASON_CHARACTERS_MAX), HOUSE_DOCUMENT
]
"""A word or a sentence on why a model or a policy was changed: about it, never about a party."""

Note = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*\Z", max_length=_NOTE_CHARACTERS_MAX), HOUSE_DOCUMENT]
"""What else is to be known of a version; may be empty."""

Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]+\Z", max_length=POLICY_BYTES_MAX), HOUSE_DOCUMENT]
"""A document of YAML."""

Manifest = Annotated[dict[str, Any], _like({}, {"seed": 5}, {"log": [1, 0.5]}), HOUSE_DOCUMENT]
"""What a training says of itself: the range of the log, features, labels, seed, code."""

Columns = Annotated[
    list[Annotated[str, msgspec.Meta(pattern=r"^[^\x00]+\Z", max_length=_COLUMN_CHARACTERS_MAX)]],
    _like(["debt", "income"]),
    HOUSE_DOCUMENT,
]
"""The names of what a model reads, in order."""

Figures = Annotated[
    dict[Name, Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]],
    _like({}, {"area_under_roc": 0.75}),
    HOUSE_DOCUMENT,
]
"""Metrics by name."""


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """What a model and the scorecard beside it showed on rows that they did not learn from."""

    forest: Figures = {}
    scorecard: Figures = {}


class StoreModelPart(Command, frozen=True):
    """Keep a part of a model, counted from 0; ``subject`` is the model's hash. Part 0 begins anew."""

    part: Part
    parts: Parts
    content: Content


class RegisterModel(Command, frozen=True):
    """Make a version of a model of the bytes that were kept; ``subject`` is their hash."""

    model: Name
    spec_hash: Hash
    columns: Columns
    manifest: Manifest = msgspec.field(default_factory=dict)
    metrics: Metrics = Metrics()
    note: Note = ""


class MoveAlias(Command, frozen=True):
    """Give an alias of a model to a version, or to none; ``subject`` is the id of the model's name."""

    model: Name
    alias: Alias
    hash: HashOrNothing
    reason: Reason


class SetTrial(Command, frozen=True):
    """Let the challenger decide for a share of parties, 0 for none; ``subject`` is that of ``MoveAlias``.

    Parties are drawn by lot: whoever is in a share is in every larger one of the same challenger.
    """

    model: Name
    share: Share
    reason: Reason


class ArmPolicy(Command, frozen=True):
    """Let a policy and its rules decide at a point; ``subject`` is the id of the point's name."""

    point: Name
    version: Version
    policy: Text
    rules: Text
    reason: Reason


class DisarmPolicy(Command, frozen=True):
    """Let no policy decide at a point any more; ``subject`` is the id of the point's name."""

    point: Name
    reason: Reason


class ModelPartStored(DomainEvent, frozen=True):
    """A part of a model is in the journal."""

    part: Part
    parts: Parts
    content: Content


class ModelRegistered(DomainEvent, frozen=True):
    """There is a new version of a model; it decides nothing before it has an alias."""

    model: Name
    version: Version
    spec_hash: Hash
    manifest: Manifest
    metrics: Metrics
    columns: Columns
    note: Note


class VersionCounted(DomainEvent, frozen=True):
    """A model, by its name, has one version more."""

    hash: Hash
    version: Version


class AliasMoved(DomainEvent, frozen=True):
    """An alias of a model went from one version to another; nothing stands for none."""

    model: Name
    alias: Alias
    hash: HashOrNothing
    previous: HashOrNothing
    reason: Reason


class TrialSet(DomainEvent, frozen=True):
    """The challenger with this hash decides for a share of parties from now on.

    It ends by itself where the challenger or the champion becomes another.
    """

    model: Name
    hash: Hash
    share: Share
    previous: Share
    reason: Reason


class PolicyArmed(DomainEvent, frozen=True):
    """A policy decides at a point from now on."""

    point: Name
    version: Version
    policy: Text
    rules: Text
    reason: Reason


class PolicyDisarmed(DomainEvent, frozen=True):
    """No policy decides at a point any more."""

    point: Name
    reason: Reason
