"""The manifest of experiments: what runs, on whose lots, and who met it.

::

    DefineExperiment              a document; it may be said anew until it is started
    StartExperiment               its lots of the layer are taken; from now on it does not change
    RecordExposures               parties that met it, each in the arm that follows from its id
    MeetExperiment                one party, which meets it now
    StopExperiment                for good; its lots are free for another one

A decider cannot look through all experiments, so a layer is an aggregate as well: it knows the lots of those
that run in it. What is computed of an experiment is nowhere in here; it follows from the exposures in the
journal and from outcomes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.limits import FACTS_PER_EVENT_MAX
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.products import (
    Command,
    Consequence,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.engine.requests import MalformedCommand, require_well_formed
from formicary.factory.experiments.assignment import (
    NOWHERE,
    Parties,
    Places,
    arm_ends,
    arms_drawn,
    salts_of,
)
from formicary.factory.experiments.definitions import read_definition
from formicary.factory.experiments.errors import (
    ExperimentMalformed,
    ExperimentNotFound,
    ExperimentNotRunning,
    ExperimentOver,
    ExperimentRunning,
    ExposureMalformed,
    ExposureOutside,
    ExposureUntimely,
    HoldoutDiffers,
    LayerFull,
    LotsOverlap,
)
from formicary.factory.experiments.messages import (
    ENTRY,
    DefineExperiment,
    ExperimentDefined,
    ExperimentStarted,
    ExperimentStatus,
    ExperimentStopped,
    ExposuresRecorded,
    LotsFreed,
    LotsTaken,
    MeetExperiment,
    RecordExposures,
    StartExperiment,
    StopExperiment,
)
from formicary.factory.experiments.parties import words_of

__all__ = ["EXPERIMENTS_PRODUCT", "NAME", "arms_in", "experiment_id", "layer_id"]

Rows = npt.NDArray[Any]

NAME: Final = "experiments"

_HEX_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_WORD: Final = 2**64 - 1


def experiment_id(experiment: str) -> int:
    """Return the id of the experiment with a name."""
    return text_id(experiment)


def layer_id(layer: str) -> int:
    """Return the id of the layer with a name: no experiment's, since no name has a space in it."""
    return text_id(f"layer {layer}")


def arms_in(entry: Rows | Mapping[str, Any], parties: Parties) -> Places:
    """Return the arm (n,) of parties (n, 2), from 0, by an experiment's aggregate or its fields.

    ``NOWHERE`` for who is in none.
    """
    return arms_drawn(
        parties,
        (int(entry["holdout_salt"]), int(entry["layer_salt"]), int(entry["arms_salt"])),
        held_out=int(entry["held_out"]),
        first=int(entry["first"]),
        count=int(entry["count"]),
        ends=arm_ends(entry["weights"][: int(entry["arms"])]),
    )


# -- deciding ------------------------------------------------------------------------------


def decide(asked: Command | TimerFired, entry: Rows | None, context: Context) -> Decision:
    """Do what is asked of an experiment, or refuse it."""
    if isinstance(asked, RecordExposures):
        return _record(asked, entry, context)
    require_well_formed(asked)
    if isinstance(asked, DefineExperiment):
        return _define(asked, entry)
    if isinstance(asked, MeetExperiment):
        return _meet(asked, entry, context)
    if isinstance(asked, StartExperiment):
        return _start(asked, entry, context)
    assert isinstance(asked, StopExperiment)  # noqa: S101, the other one
    return _stop(asked, entry, context)


def _define(command: DefineExperiment, entry: Rows | None) -> Decision:
    if command.subject != experiment_id(command.experiment):
        message = f"what is said of {command.experiment} has the id of this name as its subject"
        raise MalformedCommand(message)
    if entry is not None and entry["status"] == ExperimentStatus.RUNNING:
        raise ExperimentRunning
    if entry is not None and entry["status"] == ExperimentStatus.STOPPED:
        raise ExperimentOver
    definition = read_definition(command.document)
    if definition.experiment != command.experiment:
        message = f"it is the document of {definition.experiment}"
        raise ExperimentMalformed(message)
    place = definition.slice
    of_holdout, of_layer, of_arms = salts_of(place)
    event = ExperimentDefined(
        experiment=definition.experiment,
        layer=definition.layer,
        first=place.first,
        count=place.count,
        held_out=place.held_out,
        arms=list(definition.arms),
        weights=list(place.weights),
        holdout_salt=of_holdout,
        layer_salt=of_layer,
        arms_salt=of_arms,
        layer_id=f"{layer_id(definition.layer):032x}",
        document=command.document,
    )
    return Decision(events=[event])


def _start(command: StartExperiment, entry: Rows | None, context: Context) -> Decision:
    known = _known(entry)
    if known["status"] == ExperimentStatus.RUNNING:
        raise ExperimentRunning
    if known["status"] == ExperimentStatus.STOPPED:
        raise ExperimentOver
    layer = _id_of(known, "layer")
    _require_room(known, context.aggregate(NAME, layer))
    taken = LotsTaken(
        experiment=f"{command.subject:032x}",
        first=int(known["first"]),
        count=int(known["count"]),
        holdout_salt=int(known["holdout_salt"]),
        held_out=int(known["held_out"]),
    )
    return Decision(
        events=[ExperimentStarted(at=context.now, reason=command.reason)],
        consequences=[Consequence(product=NAME, subject=layer, event=taken)],
    )


def _require_room(experiment: Rows, layer: Rows | None) -> None:
    if layer is None:
        return
    running = _running(layer)
    if not running.any():
        return
    if running.all():
        raise LayerFull
    held_out = layer["layer_holdout_salt"], layer["layer_held_out"]
    if held_out != (experiment["holdout_salt"], experiment["held_out"]):
        raise HoldoutDiffers
    first, end = int(experiment["first"]), int(experiment["first"]) + int(experiment["count"])
    begins = layer["taken_first"][running].astype(np.int64)
    if ((begins < end) & (begins + layer["taken_count"][running] > first)).any():
        raise LotsOverlap


def _stop(command: StopExperiment, entry: Rows | None, context: Context) -> Decision:
    known = _known(entry)
    if known["status"] != ExperimentStatus.RUNNING:
        raise ExperimentNotRunning
    freed = LotsFreed(experiment=f"{command.subject:032x}")
    return Decision(
        events=[ExperimentStopped(at=context.now, cause=command.cause, reason=command.reason)],
        consequences=[Consequence(product=NAME, subject=_id_of(known, "layer"), event=freed)],
    )


def _meet(command: MeetExperiment, entry: Rows | None, context: Context) -> Decision:
    if _known(entry)["status"] != ExperimentStatus.RUNNING:
        raise ExperimentNotRunning
    met = RecordExposures(subject=command.subject, at=[context.now], parties=[command.party])
    return _record(met, entry, context)


def _record(command: RecordExposures, entry: Rows | None, context: Context) -> Decision:
    _require_exposures(command)
    known = _known(entry)
    if known["status"] == ExperimentStatus.DEFINED:
        raise ExperimentNotRunning
    # Whoever tells what was met shortly before the end may do so after it.
    is_over = known["status"] == ExperimentStatus.STOPPED
    last = int(known["stopped"]) if is_over else context.now
    if not all(int(known["started"]) <= at <= last for at in command.at):
        raise ExposureUntimely
    arms = arms_in(known, words_of(command.parties))
    if (arms == NOWHERE).any():
        row = int(np.flatnonzero(arms == NOWHERE)[0])
        message = f"parties[{row}] is in none of its arms"
        raise ExposureOutside(message)
    return Decision(events=[ExposuresRecorded(at=command.at, parties=command.parties, arms=arms.tolist())])


def _require_exposures(command: RecordExposures) -> None:
    # A caller in the same process may have put anything into the struct.
    require_well_formed(command)
    if not 1 <= len(command.at) <= FACTS_PER_EVENT_MAX or len(command.parties) != len(command.at):
        raise ExposureMalformed
    for row, party in enumerate(command.parties):
        if not _HEX_ID.fullmatch(party):
            message = f"parties[{row}] is no id of 32 hexadecimal digits"
            raise ExposureMalformed(message)


def _known(entry: Rows | None) -> Rows:
    """Return an experiment's entry; that of a layer has no arms."""
    if entry is None or not entry["arms"]:
        raise ExperimentNotFound
    return entry


def _running(layer: Rows) -> npt.NDArray[np.bool_]:
    return np.asarray((layer["taken_high"] | layer["taken_low"]) != 0)


def _id_of(entry: Rows, field: str) -> int:
    return (int(entry[f"{field}_high"]) << 64) | int(entry[f"{field}_low"])


# -- evolving ------------------------------------------------------------------------------


def evolve(kind: str, entries: Rows, events: Sequence[DomainEvent]) -> None:
    """Change entries (n,) as events (n,) of one kind say."""
    change = _CHANGES[kind]
    for place, event in enumerate(events):
        change(entries[place], event)


def _defined(entry: Any, event: ExperimentDefined) -> None:
    entry["status"] = ExperimentStatus.DEFINED
    entry["first"], entry["count"], entry["held_out"] = event.first, event.count, event.held_out
    entry["arms"] = len(event.weights)
    entry["weights"] = 0
    entry["weights"][: len(event.weights)] = event.weights
    entry["holdout_salt"], entry["layer_salt"] = event.holdout_salt, event.layer_salt
    entry["arms_salt"] = event.arms_salt
    layer = int(event.layer_id, 16)
    entry["layer_high"], entry["layer_low"] = layer >> 64, layer & _WORD


def _started(entry: Any, event: ExperimentStarted) -> None:
    entry["status"], entry["started"] = ExperimentStatus.RUNNING, event.at


def _stopped(entry: Any, event: ExperimentStopped) -> None:
    entry["status"], entry["stopped"] = ExperimentStatus.STOPPED, event.at


def _taken(entry: Any, event: LotsTaken) -> None:
    free = np.flatnonzero(~_running(entry))
    # The decider has seen that there is room.
    for place in free[:1]:
        experiment = int(event.experiment, 16)
        entry["taken_high"][place], entry["taken_low"][place] = experiment >> 64, experiment & _WORD
        entry["taken_first"][place], entry["taken_count"][place] = event.first, event.count
        entry["layer_holdout_salt"], entry["layer_held_out"] = event.holdout_salt, event.held_out


def _freed(entry: Any, event: LotsFreed) -> None:
    experiment = int(event.experiment, 16)
    is_it = (entry["taken_high"] == experiment >> 64) & (entry["taken_low"] == experiment & _WORD)
    for field in ("taken_high", "taken_low", "taken_first", "taken_count"):
        entry[field][is_it] = 0


def _exposed(entry: Any, event: ExposuresRecorded) -> None:
    entry["exposures"] += np.uint64(len(event.at))


_CHANGES: Final[Mapping[str, Callable[[Any, Any], None]]] = {
    "ExperimentDefined": _defined,
    "ExperimentStarted": _started,
    "ExperimentStopped": _stopped,
    "LotsTaken": _taken,
    "LotsFreed": _freed,
    "ExposuresRecorded": _exposed,
}

EXPERIMENTS_PRODUCT: Final = Product(
    name=NAME,
    aggregate=ENTRY,
    commands=(DefineExperiment, StartExperiment, StopExperiment, RecordExposures, MeetExperiment),
    events=(
        ExperimentDefined,
        ExperimentStarted,
        ExperimentStopped,
        LotsTaken,
        LotsFreed,
        ExposuresRecorded,
    ),
    decide=decide,
    evolve=evolve,
)
