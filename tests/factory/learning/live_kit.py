"""A factory in memory that a model learns in: payments, outcomes, and a trainer that has its models ready."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

import lightgbm
import numpy as np
import polars as pl

from formicary.base.clock import SimulatedClock
from formicary.base.errors import OperationalFault
from formicary.economy.checked_book import asked_payments, found_out_between, opening
from formicary.economy.stolen_cards import drifting_cards
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import LedgerRequest, command_request
from formicary.factory.engine.state import FactoryState, Receipt
from formicary.factory.features.compiler import compiled
from formicary.factory.learning.challengers import Challenger
from formicary.factory.learning.gates import Gate
from formicary.factory.learning.learner import Train
from formicary.factory.learning.live import LearningDay, LiveLearner
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.worth import Worth
from formicary.factory.models.calibration import Calibration
from formicary.factory.models.errors import LabelsTooFew
from formicary.factory.models.forest import forest_of
from formicary.factory.models.model import Model
from formicary.factory.models.spec import ModelSpec
from formicary.factory.registry import NAME as REGISTRY
from formicary.factory.registry import ArmPolicy
from formicary.products.payments.fraud import PAYMENT_FRAUD
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.runtime.products import PRODUCTS
from tests.factory.decisions.desk import made_model
from tests.factory.engine.null_journal import NullJournal
from tests.factory.features.training_kit import GrowingSource, MemorySource, source_of

__all__ = [
    "COMPILED",
    "MODEL",
    "PLAN",
    "SPEC",
    "AnswerLost",
    "Town",
    "arming",
    "kinds_of",
    "memory_learner",
    "ready_models",
    "ready_trainer",
    "words",
]

COMPILED: Final = compiled(tuple(one for product in PRODUCTS for one in product.features))
MODEL: Final = PAYMENT_FRAUD.name
_QUESTION: Final = PAYMENT_FRAUD.question
assert _QUESTION is not None
NAMES: Final = ("amount_to_mean", "pair_is_new")
SPEC: Final[ModelSpec] = replace(
    PAYMENT_FRAUD,
    columns=tuple(column for column in PAYMENT_FRAUD.columns if column.name in NAMES)[::-1],
    question=replace(_QUESTION, label=replace(_QUESTION.label, horizon="2d")),
)
PLAN: Final = LearningPlan(
    model=MODEL,
    worth=Worth(margin_bp=200),
    every_days=1,
    positives_min=1,
    new_positives_min=0,
    judged_days=3,
    segments=("currency", "pair_is_new"),
    canary_shares=(500_000,),
)


PASSED: Final = (Gate(name="money", is_passed=True, figure=5.0, bound=0.0, said="more"),)


class AnswerLost(OperationalFault):
    """The caller does not learn what became of its command."""


def ready_models(count: int) -> list[Model]:
    """Return models that score alike and are not the same."""
    one = _ready_model()
    return [replace(one, evidence=replace(one.evidence, rows=10 + number)) for number in range(count)]


def ready_trainer(models: list[Model], gates: tuple[Gate, ...] = PASSED) -> Train:
    """Return what takes models from a list in place of training them; with none left it knows too little."""

    def train(*_: Any, window_days: int, **__: Any) -> Challenger:
        if not models:
            message = "nothing more to learn"
            raise LabelsTooFew(message)
        model = models.pop(0)
        return Challenger(model=model, window_days=window_days, learnt=9, gates=gates, gain=5.0)

    return train


def memory_learner(
    journal: NullJournal,
    execute: Callable[[list[Any]], list[Any]],
    folder: Path,
    *,
    spec: ModelSpec,
    plan: LearningPlan,
) -> LiveLearner:
    """Return what lets a model learn on a journal in memory; its trainer has two models ready."""
    return LiveLearner(
        spec=spec,
        plan=plan,
        point=PAYMENT_POINT,
        compiled=COMPILED,
        source=GrowingSource(journal),
        tell=lambda product, command, key: execute(
            [command_request(product, command, principal="learner", key=key)]
        )[0],
        folder=folder / "training",
        clock=iter(range(10**9)).__next__,
        train=ready_trainer(ready_models(2)),
    )


@functools.cache
def _ready_model() -> Model:
    """Return a forest that fears more than is usual to somebody new."""
    chance = np.random.default_rng(7)
    times, is_new = chance.uniform(0.0, 8.0, 800), chance.integers(0, 2, 800)
    data = lightgbm.Dataset(
        np.column_stack([times, is_new]),
        (times * is_new > 1).astype(np.float64),
        feature_name=list(NAMES),
    )
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 20)
    calibration = Calibration("platt", slope=1.0, intercept=0.0)
    return replace(made_model(), name=MODEL, forest=forest_of(booster), calibration=calibration)


def arming(version: int = 1, percent: int = 50) -> ArmPolicy:
    """Return the command that arms the policy of ``learn demo``, which holds from so many percent on."""
    folder = resources.files("formicary.surfaces.cli")
    policy, rules = (folder.joinpath(f"learn_{kind}.yaml").read_text() for kind in ("policy", "rules"))
    point = PAYMENT_POINT.name
    return ArmPolicy(
        subject=text_id(point),
        point=point,
        version=version,
        policy=policy.replace("version: 1", f"version: {version}"),
        rules=rules.replace("percent(10)", f"percent({percent})"),
        reason="test",
    )


@dataclass
class Town:
    """Some people whose payments are looked at, day by day."""

    folder: Path
    models: list[Model] = field(default_factory=list)
    """What trainings give, in their order; where there is none left, too little is known to learn from."""
    gates: tuple[Gate, ...] = PASSED
    is_lost: Callable[[int], str] = lambda _: ""
    """For each command of the learner by its number: ``before`` or ``after`` it is done the caller fails."""
    days: int = 20
    day: int = 0
    sent: int = 0

    def __post_init__(self) -> None:
        self.payments: pl.DataFrame = _payments(self.days)
        self.first = int(self.payments["at"][0]) // DAY
        self.clock = SimulatedClock(self.now - DAY)
        self.journal = NullJournal()
        self.engine = Engine(self.journal, lambda: FactoryState(self.folder / "state", PRODUCTS), self.clock)
        self.engine.recover()
        self.execute(*opening("town", self.payments).requests)

    @property
    def now(self) -> int:
        """The end of the latest day."""
        return (self.first + self.day) * DAY

    @property
    def source(self) -> MemorySource:
        """The rows of the journal."""
        return source_of(self.journal)

    def execute(self, *requests: Any) -> list[Any]:
        """Decide arrays of the ledger."""
        return self.engine.execute([LedgerRequest(one) for one in requests])

    def command(self, product: str, command: Command, key: str) -> Receipt:
        """Carry out a command."""
        receipt: Receipt
        (receipt,) = self.engine.execute([command_request(product, command, principal="town", key=key)])
        return receipt

    def arm(self) -> None:
        """Arm the policy."""
        assert self.command(REGISTRY, arming(), "policy").code == ""

    def pass_day(self) -> None:
        """Have a day's payments in four requests, and what is found out by its end."""
        for quarter in range(4):
            until = self.now + (quarter + 1) * DAY // 4
            some = self.payments.filter(pl.col("at") >= until - DAY // 4, pl.col("at") < until)
            self.clock.set(until)
            self.execute(asked_payments("town", some))
        self.day += 1
        for request in found_out_between("town", self.payments, (self.now - DAY, self.now), days=1):
            (receipt,) = self.engine.execute([request])
            assert receipt.code == ""

    def learner(self, **changed: Any) -> LiveLearner:
        """Return a learner that knows nothing but the journal."""
        options: dict[str, Any] = {
            "spec": SPEC,
            "plan": PLAN,
            "point": PAYMENT_POINT,
            "compiled": COMPILED,
            "source": self.source,
            "tell": self._tell,
            "folder": self.folder / "training",
            "clock": iter(range(10**9)).__next__,
            "train": self._train,
        }
        return LiveLearner(**options | changed)

    def live(self, **changed: Any) -> LearningDay:
        """Have a day's payments and the learner's day."""
        self.pass_day()
        return self.learner(**changed).day(self.now)

    def _tell(self, product: str, command: Command, key: str) -> Receipt:
        self.sent += 1
        lost = self.is_lost(self.sent)
        if lost == "before":
            raise AnswerLost
        receipt = self.command(product, command, key)
        if lost == "after":
            raise AnswerLost
        return receipt

    def _train(self, *given: Any, **options: Any) -> Challenger:
        return ready_trainer(self.models, self.gates)(*given, **options)


@functools.cache
def _payments(days: int) -> pl.DataFrame:
    return drifting_cards(seed=3, days=days, customers=12, turn=days)


def kinds_of(town: Town, *kinds: str) -> list[Any]:
    """Return the events of some kinds."""
    source = town.source
    return list(source.events_of(kinds, after=0, until=source.head()))


def words(models: Sequence[Model]) -> Iterator[int]:
    """Yield the words by which decisions name models."""
    return (int(np.uint64(int(model.hash[:16], 16))) for model in models)
