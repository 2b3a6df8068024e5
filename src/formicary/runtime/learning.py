"""Models that learn by themselves, on this machine: beside a running engine, which is told what happened.

What learns loads LightGBM and Parquet, and is imported when it is needed: see ``LiveLearner``.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from formicary.base.errors import Refusal
from formicary.factory.engine.client import EngineClient
from formicary.factory.engine.products import Command, Product
from formicary.factory.engine.state import Receipt, known_events
from formicary.factory.features.compiler import compiled
from formicary.factory.journal.reader import JournalReader
from formicary.factory.learning.errors import LearningRefused
from formicary.factory.learning.journaled import Tell
from formicary.factory.learning.live import LearningDay, LiveLearner
from formicary.factory.learning.live_looks import LiveLooker
from formicary.factory.learning.messages import RolledBack
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.learning.reading import Learnt
from formicary.factory.models.spec import ModelSpec
from formicary.runtime.api_process import clock_of
from formicary.runtime.backfill import open_journal
from formicary.runtime.ledgers import InProcessLedger, RunningLedger, open_ledger
from formicary.runtime.products import learning_plans, point_of, products_of
from formicary.runtime.settings import Settings
from formicary.runtime.training import model_of

if TYPE_CHECKING:
    from formicary.factory.learning.learner import Train

__all__ = ["InstalledLearning", "NoLearningPlan", "SandboxOnly", "open_learner", "open_looker"]

Ledger = InProcessLedger | RunningLedger | EngineClient
OpenLedger = Callable[[Settings], AbstractContextManager[Ledger]]

_PRINCIPAL: Final = "learner"


class NoLearningPlan(LearningRefused):
    """No product declares how this model learns."""

    code = "no_learning_plan"


class SandboxOnly(Refusal):
    """Only a sandbox lives at another time than the clock's."""

    code = "sandbox_only"


class InstalledLearning:
    """Learning in this installation, as ``formicary.surfaces.cli.ports.LearningAccess`` describes it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def run(self, model: str, *, at: int | None, threads: int) -> LearningDay:
        """Live one business day of a model, now or at a time in nanoseconds."""
        if at is not None and not self._settings.is_sandbox:
            raise SandboxOnly
        now = clock_of(self._settings).now() if at is None else at
        with open_learner(self._settings, model, threads=threads) as learner:
            return learner.day(now)

    def known(self, model: str) -> Learnt:
        """Return where a model stands, and all that happened to it."""
        with open_learner(self._settings, model) as learner:
            return learner.known()

    def roll_back(self, model: str, *, reason: str) -> RolledBack:
        """Let the champion before decide again."""
        with open_learner(self._settings, model) as learner:
            return learner.roll_back(clock_of(self._settings).now(), reason)


@contextmanager
def open_learner(
    settings: Settings,
    model: str,
    *,
    plans: Mapping[str, LearningPlan] | None = None,
    ledger: OpenLedger = open_ledger,
    threads: int = 1,
    train: Train | None = None,
) -> Iterator[LiveLearner]:
    """Yield what lets a model learn; the engine is reached when there is something to tell it.

    Parameters
    ----------
    plans
        By the model's name; those of the products unless given.
    ledger
        Opens what commands are sent to: a running engine, else one in this process, unless given.
    threads, train
        See ``LiveLearner``.

    Raises
    ------
    NoLearningPlan
        There is no plan for it.
    UnknownModel
        No product declares it.
    """
    with _opened(settings, model, plans, ledger) as opened:
        products = opened.products
        yield LiveLearner(
            spec=opened.spec,
            plan=opened.plan,
            point=point_of(products, opened.spec),
            # All sets together, as the engine compiles them: what a row tells does not depend on who asks.
            compiled=compiled(tuple(one for product in products for one in product.features)),
            source=opened.source,
            tell=opened.tell,
            folder=settings.training_folder / "learning" / model,
            clock=time.perf_counter_ns,
            threads=threads,
            train=train,
        )


@contextmanager
def open_looker(
    settings: Settings,
    model: str,
    *,
    plans: Mapping[str, LearningPlan] | None = None,
    ledger: OpenLedger = open_ledger,
) -> Iterator[LiveLooker]:
    """Yield what looks at a model within a day; as ``open_learner`` does."""
    with _opened(settings, model, plans, ledger) as opened:
        yield LiveLooker(
            spec=opened.spec,
            plan=opened.plan,
            point=point_of(opened.products, opened.spec),
            source=opened.source,
            tell=opened.tell,
            clock=time.perf_counter_ns,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Opened:
    """What learning takes of this installation."""

    products: Sequence[Product]
    spec: ModelSpec
    plan: LearningPlan
    source: JournalReader
    tell: Tell


@contextmanager
def _opened(
    settings: Settings, model: str, plans: Mapping[str, LearningPlan] | None, ledger: OpenLedger
) -> Iterator[_Opened]:
    plans = learning_plans() if plans is None else plans
    if model not in plans:
        message = f"no product says how {model!r} learns, only {', '.join(plans) or 'of none'}"
        raise NoLearningPlan(message)
    products = products_of(settings)
    spec = model_of(products, model)
    with ExitStack() as stack:
        source = stack.enter_context(open_journal(settings, known_events(products)))

        @functools.cache
        def engine() -> Ledger:
            return stack.enter_context(ledger(settings))

        def tell(product: str, command: Command, key: str) -> Receipt:
            return engine().command(product, command, principal=_PRINCIPAL, key=key)

        yield _Opened(products=products, spec=spec, plan=plans[model], source=source, tell=tell)
