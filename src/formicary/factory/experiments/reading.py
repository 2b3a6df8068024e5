"""What the events of experiments say: which there are, and who met one first when.

All of it are functions over events, in their order, as ``events_of`` of a journal or an archive gives them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.limits import FACTS_PER_EVENT_MAX
from formicary.factory.experiments.assignment import NOWHERE, arms_of
from formicary.factory.experiments.definitions import Definition, read_definition
from formicary.factory.experiments.errors import ExperimentNotFound
from formicary.factory.experiments.messages import (
    Cause,
    ExperimentDefined,
    ExperimentStarted,
    ExperimentStatus,
    ExperimentStopped,
    ExposuresRecorded,
    RecordExposures,
)
from formicary.factory.experiments.parties import numbers_of, words_of
from formicary.factory.experiments.product import NAME, experiment_id
from formicary.factory.features.sources import RowSource
from formicary.factory.journal.events import Event

__all__ = [
    "EXPERIMENT_EVENTS",
    "Experiment",
    "Exposures",
    "experiment_events",
    "experiments",
    "exposure_commands",
    "exposures_of",
    "first_exposures",
    "named_experiment",
]

_DEFINED: Final = f"{NAME}.ExperimentDefined"
_STARTED: Final = f"{NAME}.ExperimentStarted"
_STOPPED: Final = f"{NAME}.ExperimentStopped"
_EXPOSED: Final = f"{NAME}.ExposuresRecorded"

EXPERIMENT_EVENTS: Final = (_DEFINED, _STARTED, _STOPPED)
"""The kinds of events that ``experiments`` reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """An experiment as it stands.

    Attributes
    ----------
    name, layer, first, count, arms, document
        As it was defined last, at ``defined``, nanoseconds since 1970: its lots, the names of its arms, and
        all of it.
    status
        Where it stands.
    started, stopped
        When, in nanoseconds since 1970; 0 where it was not.
    position
        Where the journal says that it was started: whoever met it is told after that. 0 where it was not.
    cause, reason
        Of what was done with it last; no cause unless it was stopped.
    """

    name: str
    layer: str
    first: int
    count: int
    arms: Sequence[str]
    document: str
    defined: int
    status: ExperimentStatus = ExperimentStatus.DEFINED
    started: int = 0
    stopped: int = 0
    position: int = 0
    cause: Cause | None = None
    reason: str = ""

    @property
    def definition(self) -> Definition:
        """What its document says."""
        return read_definition(self.document)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exposures:
    """Who met an experiment.

    Attributes
    ----------
    at
        When, in nanoseconds since 1970, (n,).
    parties
        Their ids as two words, (n, 2).
    arms
        From 0, (n,).
    """

    at: npt.NDArray[np.int64]
    parties: npt.NDArray[np.uint64]
    arms: npt.NDArray[np.int64]


def experiment_events(source: RowSource) -> list[Event]:
    """Return the events of experiments, without exposures."""
    return list(source.events_of(EXPERIMENT_EVENTS, after=0, until=source.head()))


def experiments(events: Iterable[Event], before: Iterable[Experiment] = ()) -> list[Experiment]:
    """Return every experiment as it stands after events, in the order in which they were defined.

    ``before`` are those that there were before the events.
    """
    found = {experiment_id(one.name): one for one in before}
    for event in events:
        if event.kind == _DEFINED:
            told = msgspec.json.decode(event.body, type=ExperimentDefined)
            found[event.subject] = Experiment(
                name=told.experiment,
                layer=told.layer,
                first=told.first,
                count=told.count,
                arms=told.arms,
                document=told.document,
                defined=event.timestamp,
            )
        elif event.kind == _STARTED:
            started = msgspec.json.decode(event.body, type=ExperimentStarted)
            found[event.subject] = replace(
                found[event.subject],
                status=ExperimentStatus.RUNNING,
                started=started.at,
                position=event.position,
                reason=started.reason,
            )
        elif event.kind == _STOPPED:
            stopped = msgspec.json.decode(event.body, type=ExperimentStopped)
            found[event.subject] = replace(
                found[event.subject],
                status=ExperimentStatus.STOPPED,
                stopped=stopped.at,
                cause=stopped.cause,
                reason=stopped.reason,
            )
    return list(found.values())


def named_experiment(known: Iterable[Experiment], name: str) -> Experiment:
    """Return the experiment with a name.

    Raises
    ------
    ExperimentNotFound
        None is defined.
    """
    for one in known:
        if one.name == name:
            return one
    message = f"no experiment {name} is defined"
    raise ExperimentNotFound(message)


def exposures_of(source: RowSource, experiment: Experiment) -> Exposures:
    """Return the first exposure of each party to an experiment, in order of time."""
    subject = experiment_id(experiment.name)
    told = [
        msgspec.json.decode(event.body, type=ExposuresRecorded)
        for event in source.events_of([_EXPOSED], after=experiment.position, until=source.head())
        if event.subject == subject
    ]
    return first_exposures(
        Exposures(
            at=joined([np.array(one.at, np.int64) for one in told], np.dtype(np.int64)),
            parties=words_of([party for one in told for party in one.parties]),
            arms=joined([np.array(one.arms, np.int64) for one in told], np.dtype(np.int64)),
        )
    )


def first_exposures(told: Exposures) -> Exposures:
    """Return the first exposure of each party, in order of time; of two at one time the one told first."""
    order = np.argsort(told.at, kind="stable")
    _, first = np.unique(numbers_of(told.parties[order]), return_index=True)
    rows = order[np.sort(first)]
    return Exposures(at=told.at[rows], parties=told.parties[rows], arms=told.arms[rows])


def exposure_commands(
    definition: Definition, parties: npt.NDArray[np.uint64], at: npt.NDArray[np.int64]
) -> Iterator[tuple[str, RecordExposures]]:
    """Yield the idempotency key and the command for each chunk of exposures.

    Parties that are not in the experiment cannot have met it, and are left out; of each other one the first
    time is told. The key follows from what is told, so that telling it again does nothing twice.

    Parameters
    ----------
    definition
        Of the experiment.
    parties, at
        Ids as two words, (n, 2), and when each met it, in nanoseconds since 1970, (n,).
    """
    arms = arms_of(parties, definition.slice)
    is_in = arms != NOWHERE
    first = first_exposures(Exposures(at=at[is_in], parties=parties[is_in], arms=arms[is_in]))
    ids = [f"{high:016x}{low:016x}" for high, low in first.parties.tolist()]
    times: list[int] = first.at.tolist()
    for begin in range(0, len(ids), FACTS_PER_EVENT_MAX):
        chunk = slice(begin, begin + FACTS_PER_EVENT_MAX)
        command = RecordExposures(
            subject=experiment_id(definition.experiment), at=times[chunk], parties=ids[chunk]
        )
        yield f"{times[begin]}:{ids[begin]}:{len(command.at)}", command
