"""The demo's factory: everything real but the time, on a folder of its own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.clock import SimulatedClock
from formicary.factory.engine.requests import CommandRequest
from formicary.factory.engine.state import ANSWERED, known_events
from formicary.factory.features.compiler import compiled
from formicary.factory.follower import Verification, verify
from formicary.factory.journal.events import Event
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.rows import DECISION_ROW, TOTALS, TRANSFER_ROW
from formicary.factory.journal.supervisor import Supervisor
from formicary.factory.learning.live import LiveLearner
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.models.model_manifest import TrainedModel, TrainingReport
from formicary.factory.models.spec import ModelSpec
from formicary.products.lending.portfolio.report import Portfolio, portfolio_of
from formicary.products.lending.servicing.reconciliation import differences
from formicary.runtime.engine_process import warm_up
from formicary.runtime.judged import judge
from formicary.runtime.portfolio import book_in
from formicary.runtime.products import PRODUCTS, judgements, point_of
from formicary.runtime.settings import Settings
from formicary.runtime.training import WantedModel, train
from formicary.runtime.wiring import Factory, open_factory

__all__ = ["DemoFactory", "open_demo"]

Records = npt.NDArray[Any]


class DemoFactory:
    """A factory in simulated time, as ``formicary.surfaces.cli.ports.DemoFactory`` describes it."""

    def __init__(
        self, factory: Factory, clock: SimulatedClock, settings: Settings, reader: JournalReader
    ) -> None:
        self._factory = factory
        self._settings = settings
        self._reader = reader
        self.execute = factory.ask
        self.set_time = clock.set

    def sums(self, *, ledger: int, code: int) -> dict[str, int]:
        """Return the sums of the four totals, by name, over the accounts of a ledger and a code."""
        accounts = self._factory.engine.state.machine.accounts
        wanted = accounts[(accounts["ledger"] == ledger) & (accounts["code"] == code)]
        # Python integers: a sum of 64-bit totals may need more bits.
        return {total: sum(np.asarray(wanted[total]).tolist()) for total in TOTALS}

    def trial_balance(self) -> dict[int, tuple[int, int, int, int]]:
        """Return the sums of the four totals by ledger."""
        return self._factory.engine.state.machine.trial_balance()

    def columns(self, product: str) -> Records:
        """Return a product's aggregates as they are now, (n,)."""
        return np.array(self._factory.engine.state.aggregates[product].records)

    def loan_differences(self) -> int:
        """Return how many accounts do not hold what loans say."""
        return len(differences(self._factory.engine.state))

    def portfolio(self) -> Portfolio:
        """Return what became of what was lent, folded from the journal."""
        return portfolio_of(book_in(self._reader))

    def judge(self, name: str) -> TrainedModel:
        """Write the file of a model that a product declares by judgement."""
        return judge(self._settings, name, None, judgements())

    @property
    def state_hash(self) -> int:
        """The hash of all state as the engine holds it."""
        return self._factory.engine.state.state_hash

    @property
    def position(self) -> int:
        """The last position of the journal."""
        return self._factory.engine.state.position

    def events(self) -> Iterator[Event]:
        """Yield every event of the journal, in order."""
        for block in self._factory.journal.read(after=0, until=self.position):
            yield from block.events

    def answered_at(self, request: CommandRequest) -> int:
        """Return the position at which a command was answered, in this run or an earlier one."""
        found = self._factory.journal.caused_by([request.command_id], kind=ANSWERED)
        return found[request.command_id].position

    def decided(self, *, after: int) -> tuple[Records, Records]:
        """Return the decisions (d,) and the transfers (t,) of the journal after a position."""
        blocks = list(self._factory.journal.read(after=after, until=self.position))
        decisions, transfers = (
            [getattr(block, rows) for block in blocks] for rows in ("decisions", "transfers")
        )
        return joined(decisions, DECISION_ROW), joined(transfers, TRANSFER_ROW)

    def train(self, name: str, *, last: int, report: TrainingReport) -> TrainedModel:
        """Train a model from the journal up to a position, beside the engine."""
        return train(self._settings, WantedModel(name=name, last=last), report, products=PRODUCTS)

    def learner(self, spec: ModelSpec, plan: LearningPlan) -> LiveLearner:
        """Return what lets a model learn by a plan of the demo's own, one core at a time."""
        return LiveLearner(
            spec=spec,
            plan=plan,
            point=point_of(PRODUCTS, spec),
            compiled=compiled(tuple(one for product in PRODUCTS for one in product.features)),
            source=self._reader,
            tell=lambda product, command, key: self._factory.command(
                product, command, principal="learner", key=key
            ),
            folder=self._settings.training_folder / "learning",
            clock=time.perf_counter_ns,
        )

    def verify(self, progress: Callable[[int, int], None]) -> Verification:
        """Fold the whole journal again and compare it with the engine, the database's sums and itself."""
        return verify(
            self._factory.access,
            snapshots=self._factory.snapshots,
            products=PRODUCTS,
            upcasters=known_events(PRODUCTS),
            engine=(self.position, self.state_hash),
            progress=progress,
        )


@contextmanager
def open_demo(
    settings: Settings, *, fresh: bool, start_ns: int, folder: str = "demo"
) -> Iterator[DemoFactory]:
    """Yield a factory at a simulated time in a folder of the home; ``fresh`` empties it first."""
    own = replace(settings, home=settings.home / folder, database_url=None)
    # A demo that was killed may have left its server running.
    Supervisor(own.postgres_folder).stop()
    if fresh:
        shutil.rmtree(own.home, ignore_errors=True)
    warm_up()
    clock = SimulatedClock(start_ns)
    with (
        open_factory(own, clock=clock, products=PRODUCTS) as factory,
        closing(JournalReader(factory.access, upcasters=known_events(PRODUCTS))) as reader,
    ):
        yield DemoFactory(factory, clock, own, reader)
