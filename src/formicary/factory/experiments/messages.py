"""What is said of experiments: the commands, the events, the aggregate."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from formicary.base.limits import (
    EXPERIMENT_ARMS_MAX,
    EXPERIMENT_BYTES_MAX,
    FACTS_PER_EVENT_MAX,
    LAYER_EXPERIMENTS_MAX,
)
from formicary.base.lots import LOTS
from formicary.factory.engine.house_documents import HOUSE_DOCUMENT
from formicary.factory.engine.products import AGGREGATE_HEADER, Command, DomainEvent
from formicary.factory.experiments.definitions import NAME_PATTERN, WEIGHT_MAX

__all__ = [
    "ENTRY",
    "Cause",
    "DefineExperiment",
    "ExperimentDefined",
    "ExperimentStarted",
    "ExperimentStatus",
    "ExperimentStopped",
    "ExposuresRecorded",
    "LotsFreed",
    "LotsTaken",
    "MeetExperiment",
    "RecordExposures",
    "StartExperiment",
    "StopExperiment",
]

ENTRY: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        # Of an experiment: where it stands, its lots and arms, what they are drawn by, and its layer.
        ("status", "<u4"),
        ("first", "<u4"),
        ("count", "<u4"),
        ("held_out", "<u4"),
        ("arms", "<u4"),
        ("weights", "<u4", (EXPERIMENT_ARMS_MAX,)),
        ("holdout_salt", "<u8"),
        ("layer_salt", "<u8"),
        ("arms_salt", "<u8"),
        ("layer_high", "<u8"),
        ("layer_low", "<u8"),
        # When it was started and stopped, nanoseconds, and how many exposures were told.
        ("started", "<i8"),
        ("stopped", "<i8"),
        ("exposures", "<u8"),
        # Of a layer: the experiments that run in it with their lots, none where an id is zero, and whom
        # they hold out.
        ("taken_high", "<u8", (LAYER_EXPERIMENTS_MAX,)),
        ("taken_low", "<u8", (LAYER_EXPERIMENTS_MAX,)),
        ("taken_first", "<u4", (LAYER_EXPERIMENTS_MAX,)),
        ("taken_count", "<u4", (LAYER_EXPERIMENTS_MAX,)),
        ("layer_holdout_salt", "<u8"),
        ("layer_held_out", "<u4"),
    ]
)
"""What is known under one 128-bit id: of the experiment with a name, or of a layer. No id is of both."""


class ExperimentStatus(IntEnum):
    """Where an experiment stands."""

    DEFINED = 1
    RUNNING = 2
    STOPPED = 3


class Cause(StrEnum):
    """Why an experiment was stopped."""

    DECIDED = "decided"
    """Somebody decided it."""
    HARM = "harm"
    """A guardrail showed more harm than is tolerated."""


def _like(*examples: Any) -> msgspec.Meta:
    """Return examples of a field, for whoever makes commands up to check the product."""
    return msgspec.Meta(extra_json_schema={"examples": list(examples)})


_SAMPLE: Final = """experiment: short_form
layer: checkout
hypothesis: Fewer fields, more orders.
lots: {first: 0, count: 1_000}
arms: {control: 1, short: 1}
planned_parties: 20_000
metrics: [{name: orders, kind: proportion, column: ordered, good: up}]
"""

Name = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN, max_length=64)]
HexId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
Time = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Lot = Annotated[int, msgspec.Meta(ge=0, lt=LOTS)]
Lots = Annotated[int, msgspec.Meta(ge=1, le=LOTS)]
Weight = Annotated[int, msgspec.Meta(ge=1, le=WEIGHT_MAX)]
Arm = Annotated[int, msgspec.Meta(ge=0, lt=EXPERIMENT_ARMS_MAX)]
Salt = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

Document = Annotated[
    str,
    msgspec.Meta(pattern=r"^[^\x00]+\Z", max_length=EXPERIMENT_BYTES_MAX),
    _like(_SAMPLE, "experiment: short_form"),
    HOUSE_DOCUMENT,
]
"""A document of YAML, as ``read_definition`` reads it."""
Reason = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]+\Z", max_length=200), HOUSE_DOCUMENT]
"""A word or a sentence on why an experiment was started or stopped: about it, never about a party."""


class DefineExperiment(Command, frozen=True):
    """Say what an experiment is, or say it anew until it is started; ``subject`` is the id of its name."""

    experiment: Annotated[str, msgspec.Meta(pattern=NAME_PATTERN, max_length=64), _like("short_form")]
    document: Document


class StartExperiment(Command, frozen=True):
    """Let an experiment run on its lots."""

    reason: Reason


class StopExperiment(Command, frozen=True):
    """End an experiment for good."""

    cause: Cause
    reason: Reason


class RecordExposures(Command, frozen=True):
    """Tell that parties (n,) really met an experiment, each at a time, in nanoseconds since the Unix epoch.

    Their arms follow from their ids. The bounds are not in the types: a decoder cannot name the row.
    """

    at: Annotated[list[int], _like([1], [1, 2], [])]
    parties: Annotated[list[str], _like(["f" * 32], ["f" * 32, "e" * 32], [])]


class MeetExperiment(Command, frozen=True):
    """Tell that a party meets an experiment now; its arm follows from its id."""

    party: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32), _like("f" * 32)]


class ExperimentDefined(DomainEvent, frozen=True):
    """There is an experiment, or it is another one than before; it does not run yet.

    The salts are those that lots are drawn by: of the holdout, the layer and the arms.
    """

    experiment: Name
    layer: Name
    first: Lot
    count: Lots
    held_out: Lot
    arms: Annotated[list[Name], msgspec.Meta(max_length=EXPERIMENT_ARMS_MAX)]
    weights: Annotated[list[Weight], msgspec.Meta(max_length=EXPERIMENT_ARMS_MAX)]
    holdout_salt: Salt
    layer_salt: Salt
    arms_salt: Salt
    layer_id: HexId
    document: Document


class ExperimentStarted(DomainEvent, frozen=True):
    """An experiment runs from now on."""

    at: Time
    reason: Reason


class ExperimentStopped(DomainEvent, frozen=True):
    """An experiment is over."""

    at: Time
    cause: Cause
    reason: Reason


class LotsTaken(DomainEvent, frozen=True):
    """An experiment took lots of a layer."""

    experiment: HexId
    first: Lot
    count: Lots
    holdout_salt: Salt
    held_out: Lot


class LotsFreed(DomainEvent, frozen=True):
    """An experiment's lots of a layer are free again."""

    experiment: HexId


class ExposuresRecorded(DomainEvent, frozen=True):
    """Parties (n,) met an experiment at times (n,) in its arms (n,), from 0."""

    at: Annotated[list[Time], msgspec.Meta(min_length=1, max_length=FACTS_PER_EVENT_MAX)]
    parties: Annotated[list[HexId], msgspec.Meta(min_length=1, max_length=FACTS_PER_EVENT_MAX)]
    arms: Annotated[list[Arm], msgspec.Meta(min_length=1, max_length=FACTS_PER_EVENT_MAX)]
