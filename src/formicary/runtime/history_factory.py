"""The factory that a history is imported into: the deployment's own, in the history's time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy.typing as npt

from formicary.base.clock import SimulatedClock
from formicary.base.errors import Refusal
from formicary.factory.engine.client import EngineClient, EngineUnreachable
from formicary.factory.engine.requests import CommandRequest, LedgerRequest
from formicary.factory.engine.state import ANSWERED
from formicary.runtime.engine_process import warm_up
from formicary.runtime.ledgers import is_up
from formicary.runtime.products import products_of
from formicary.runtime.settings import Settings
from formicary.runtime.wiring import Factory, open_factory

__all__ = ["EngineRuns", "HistoryFactory", "open_history"]

Records = npt.NDArray[Any]


class EngineRuns(Refusal):
    """An engine runs on this home in present time; a history is imported while none does."""

    code = "engine_runs"


class HistoryFactory:
    """A factory in a history's time, as ``formicary.economy.history.engine.HistoryEngine`` describes it."""

    def __init__(self, factory: Factory, clock: SimulatedClock) -> None:
        self._factory = factory
        self.set_time = clock.set

    def execute(self, requests: Sequence[Records | CommandRequest]) -> Sequence[Any]:
        """Decide requests as one group, commit, and return their answers; a refusal is an answer."""
        return self._factory.engine.execute(
            [asked if isinstance(asked, CommandRequest) else LedgerRequest(asked) for asked in requests]
        )

    def answered(self, command_ids: Sequence[int]) -> set[int]:
        """Return which of these commands were answered before."""
        state = self._factory.engine.state
        known = {one for one in command_ids if state.receipt(one) is not None}
        others = [one for one in command_ids if one not in known]
        return known | set(self._factory.journal.caused_by(others, kind=ANSWERED) if others else ())

    @property
    def latest(self) -> int:
        """The time of the ledger's last account or transfer, in nanoseconds; 0 of an empty one."""
        machine = self._factory.engine.state.machine
        return max(machine.scalar("account_timestamp"), machine.scalar("transfer_timestamp"))


@contextmanager
def open_history(settings: Settings, *, start_ns: int) -> Iterator[HistoryFactory]:
    """Yield the factory of a home at a time of the past.

    Raises
    ------
    EngineRuns
        ``formicary up`` runs there.
    OperationalFault
        See ``open_factory``.
    """
    if _engine_runs(settings):
        raise EngineRuns
    warm_up()
    clock = SimulatedClock(start_ns)
    with open_factory(settings, clock=clock, products=products_of(settings)) as factory:
        yield HistoryFactory(factory, clock)


def _engine_runs(settings: Settings) -> bool:
    try:
        with EngineClient(settings.engine_socket):
            return True
    except EngineUnreachable:
        return is_up(settings)
