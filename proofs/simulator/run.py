"""From a seed to a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from formicary.base.errors import FormicaryError
from formicary.factory.engine import aggregates as engine_aggregates
from formicary.factory.engine import state as engine_state
from formicary.factory.ledger import machine as ledger_machine
from formicary.factory.ledger import room
from proofs.simulator.aftermath import come_to_rest, look_back
from proofs.simulator.dice import Fault
from proofs.simulator.parts import Parts
from proofs.simulator.schedule import Schedule
from proofs.simulator.world import World

__all__ = ["Verdict", "run_seed"]

_STEPS_MAX: Final = 2_000
# What a wrong engine may die of, besides the errors of its own.
_DEATHS: Final = (FormicaryError, AssertionError, LookupError, ValueError, TypeError, ArithmeticError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one seed; ``failure`` is empty where all guarantees held."""

    seed: int
    steps: int
    rows: int
    faults: Counter[Fault]
    failure: str
    trace: tuple[str, ...]


def run_seed(seed: int, folder: Path, parts: Parts, *, traced: bool = False) -> Verdict:
    """Simulate one seed; the folder is left empty, and a failure, or whoever asks, gets the trace."""
    with _small_limits():
        world = World(seed, folder, parts)
        schedule = Schedule(world)
        failure = ""
        try:
            while not world.callers.are_done and schedule.steps < _STEPS_MAX:
                schedule.step()
            come_to_rest(world)
            look_back(world)
        except _DEATHS as death:
            failure = f"{type(death).__name__}: {death}"
    for path in folder.iterdir():
        path.unlink()
    return Verdict(
        seed=seed,
        steps=schedule.steps,
        rows=world.store.position,
        faults=world.dice.injected,
        failure=failure,
        trace=tuple(world.trace()) if failure or traced else (),
    )


@contextmanager
def _small_limits() -> Iterator[None]:
    """Make what is rare in a large factory common in a small one: full steps, evicted receipts, chunks."""
    small: tuple[tuple[Any, str, int], ...] = (
        (ledger_machine, "TIMERS_PER_STEP_MAX", 2),
        (ledger_machine, "REQUEST_ITEMS_MAX", 16),
        (engine_state, "RECEIPTS_IN_MEMORY_MAX", 5),
        (engine_aggregates, "_FIRST_ROOM", 2),
        (room, "FIRST_ROOM", 16),
        (room, "REQUEST_ITEMS_MAX", 16),
    )
    before = [getattr(module, name) for module, name, _ in small]
    for module, name, value in small:
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name, _), value in zip(small, before, strict=True):
            setattr(module, name, value)
