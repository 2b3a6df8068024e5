"""Experiments as the API knows them: read from the journal once, then what is new of it."""

from __future__ import annotations

import asyncio
from typing import Final

from formicary.factory.experiments import (
    NAME,
    ExperimentStatus,
    MeetExperiment,
    arms_in,
    experiment_id,
)
from formicary.factory.experiments.assignment import NOWHERE
from formicary.factory.experiments.errors import ExperimentNotFound, ExperimentNotRunning
from formicary.factory.experiments.parties import words_of
from formicary.factory.experiments.reading import EXPERIMENT_EVENTS, Experiment, experiments
from formicary.factory.history import History
from formicary.factory.journal.events import Event
from formicary.surfaces.api.ports import Backend
from formicary.surfaces.api.problems import RefusedAs

__all__ = ["Experiments"]

# A segment at a time: what was read of a long journal is not read again where a caller did not wait for it.
_POSITIONS_AT_ONCE: Final = 1 << 20


class Experiments:
    """Knows experiments, and who meets them.

    Parameters
    ----------
    backend
        Where they are.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: dict[str, Experiment] = {}
        self._position = 0
        self._reading = asyncio.Lock()

    async def all(self) -> list[Experiment]:
        """Return every experiment as it stands, in the order in which they were defined."""
        async with self._reading:
            while True:
                events, position = await self._backend.remember(self._new_events)
                if position == self._position:
                    return list(self._known.values())
                self._known = {one.name: one for one in experiments(events, self._known.values())}
                self._position = position

    async def named(self, name: str) -> Experiment:
        """Return the experiment with a name.

        Raises
        ------
        ExperimentNotFound
            None is defined.
        """
        await self.all()
        if name not in self._known:
            raise ExperimentNotFound
        return self._known[name]

    async def exposures(self, name: str) -> int:
        """Return how many exposures to an experiment were told."""
        (entry,) = await self._backend.aggregates(NAME, [experiment_id(name)])
        return 0 if entry is None else int(entry["exposures"])

    async def meet(self, name: str, party: int) -> str | None:
        """Return the arm that a party is in, and have it recorded, once, that it met the experiment.

        None where it is in no arm, or the experiment does not run: then nothing is recorded.

        Raises
        ------
        ExperimentNotFound
            None is defined.
        """
        subject, hexadecimal = experiment_id(name), f"{party:032x}"
        (entry,) = await self._backend.aggregates(NAME, [subject])
        # Of a layer, which has a name of its own kind, there is an entry without arms.
        if entry is None or not entry["arms"]:
            raise ExperimentNotFound
        if entry["status"] != ExperimentStatus.RUNNING:
            return None
        (arm,) = arms_in(entry, words_of([hexadecimal])).tolist()
        if arm == NOWHERE:
            return None
        command = MeetExperiment(subject=subject, party=hexadecimal)
        # The key follows from who meets what: whoever asks, and however often, it is recorded once.
        receipt = await self._backend.command(NAME, command, principal=NAME, key=f"met:{name}:{hexadecimal}")
        if receipt.code == ExperimentNotRunning.code:
            return None
        if receipt.code:
            raise RefusedAs(receipt.code)
        # Once it was started it does not change, so that what is known of it is all.
        known = self._known.get(name)
        if known is None or known.status is ExperimentStatus.DEFINED:
            known = await self.named(name)
        return str(known.arms[arm])

    def _new_events(self, history: History) -> tuple[list[Event], int]:
        return history.events_of(EXPERIMENT_EVENTS, after=self._position, positions=_POSITIONS_AT_ONCE)
