"""``formicary learn demo``: from an empty folder, a model learns by itself until it has a second champion.

Everything is real but the time and the payments: an engine on a PostgreSQL of its own, the decision point
of payments, outcomes as facts, the learner's days. Some weeks in, thieves change what they do; the first
champion does not see it, a challenger does. At the end that one is taken back, and the old one decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Final

import polars as pl

from formicary.base.limits import FACTS_PER_EVENT_MAX
from formicary.economy.checked_book import asked_payments, found_out_between, opening, payment_id
from formicary.economy.moments import ReplayRefused, replay
from formicary.economy.stolen_cards import drifting_cards
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.requests import CommandRequest, command_request
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts
from formicary.factory.learning.messages import StageEntered, Told
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.standing import Stage
from formicary.factory.learning.worth import Worth
from formicary.factory.ledger import CreateTransferStatus
from formicary.factory.models.spec import ModelSpec
from formicary.factory.registry import NAME, ArmPolicy
from formicary.products.payments.fraud import PAYMENT_FRAUD, PAYMENT_OUTCOME
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.surfaces.cli.output import progress
from formicary.surfaces.cli.ports import DemoFactory, ModelLearner

__all__ = ["DEMO_PLAN", "DEMO_SPEC", "Demonstrated", "demo_payments", "let_learn"]

_STREAM: Final = "learning"
_SEED: Final = 9
_DAYS: Final = 50
_TURN: Final = 18
_CUSTOMERS: Final = 160
_HOUR: Final = DAY // 24
_DAYS_TO_FIND: Final = 4
_CHAMPIONS: Final = 2
_REASON: Final = "The demo shows how a model learns."
_WORD_DIGITS: Final = 16

_QUESTION: Final = PAYMENT_FRAUD.question
assert _QUESTION is not None  # noqa: S101, payments are events
DEMO_SPEC: Final = replace(
    PAYMENT_FRAUD,
    trials=1,
    question=replace(_QUESTION, label=replace(_QUESTION.label, horizon="5d")),
)
"""The model of payments, but outcomes are known within five days, and one set of parameters is tried."""

DEMO_PLAN: Final = LearningPlan(
    model=PAYMENT_FRAUD.name,
    worth=Worth(lost_bp=10_000, margin_bp=1_000, cost=100),
    every_days=4,
    positives_min=60,
    new_positives_min=10,
    judged_days=5,
    confidence=0.9,
    flips_max=0.3,
    miscalibration_max=0.8,
    canary_shares=(100_000, 500_000),
)
"""What is asked of challengers of a small stream with many frauds; a deployment's own plans ask more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstrated:
    """What came of it; seconds are wall time.

    Attributes
    ----------
    days
        How many days of the stream were lived.
    payments, frauds, held, held_frauds
        What was asked for, the frauds among it, and both of what was held for a person to look.
    happened
        All that happened, each with the day of the stream, counted from 1.
    promoted_seconds
        From the empty folder to each champion.
    rollback_seconds
        From the command to a payment that the old champion decided about; None where there was nothing to
        take back.
    """

    days: int
    payments: int
    frauds: int
    held: int
    held_frauds: int
    happened: Sequence[tuple[int, Told]]
    promoted_seconds: Sequence[float]
    rollback_seconds: float | None


def demo_payments() -> pl.DataFrame:
    """Return the stream: some weeks of payments, in which thieves change what they do."""
    return drifting_cards(seed=_SEED, days=_DAYS, customers=_CUSTOMERS, turn=_TURN)


def let_learn(
    factory: DemoFactory,
    payments: pl.DataFrame,
    tell: Callable[[int, Told], None],
    *,
    spec: ModelSpec = DEMO_SPEC,
    plan: LearningPlan = DEMO_PLAN,
) -> Demonstrated:
    """Live through payments (n, ``STOLEN_CARDS``) until there is a second champion, and take that one back.

    ``tell`` is told what happens, with the day of the stream.

    Raises
    ------
    ReplayRefused
        The engine refused something.
    """
    began = time.perf_counter()
    replay([opening(_STREAM, payments)], factory.execute, set_time=factory.set_time, done=lambda _: None)
    lived = _Lived(factory, factory.learner(spec, plan), payments, tell)
    with progress("days of payments, each with its learning", lived.days) as step:
        while lived.day < lived.days and len(lived.promoted) < _CHAMPIONS:
            lived.live()
            step.advance(1)
    seconds = lived.take_back() if len(lived.promoted) == _CHAMPIONS else None
    asked = payments.filter(pl.col("at") < lived.now)
    held = asked.filter(pl.col("number").is_in(lived.held))
    return Demonstrated(
        days=lived.day,
        payments=len(asked),
        frauds=int(asked["is_theft"].sum()),
        held=len(held),
        held_frauds=int(held["is_theft"].sum()),
        happened=lived.happened,
        promoted_seconds=[at - began for at in lived.promoted],
        rollback_seconds=seconds,
    )


class _Lived:
    """A stream that is lived through, as far as it was."""

    def __init__(
        self,
        factory: DemoFactory,
        learner: ModelLearner,
        payments: pl.DataFrame,
        tell: Callable[[int, Told], None],
    ) -> None:
        self._factory = factory
        self._learner = learner
        self._payments = payments
        self._tell = tell
        self._first = payments["at"][0] // DAY
        self.days = payments["at"][-1] // DAY - self._first
        self.day = 0
        self.held: list[int] = []
        self.happened: list[tuple[int, Told]] = []
        self.promoted: list[float] = []

    @property
    def now(self) -> int:
        """The end of the latest day, in nanoseconds."""
        return int((self._first + self.day) * DAY)

    def live(self) -> None:
        """Have a day's payments, hour by hour, what is found out by its end, and then the learner's day."""
        for hour in range(self.now, self.now + DAY, _HOUR):
            self._ask(hour + _HOUR)
        self.day += 1
        told = found_out_between(_STREAM, self._payments, (self.now - DAY, self.now), days=_DAYS_TO_FIND)
        self._factory.set_time(self.now)
        for request in [*told, *self._looked_at()]:
            _done(self._factory, request)
        self._happen(self._learner.day(self.now).happened)

    def _looked_at(self) -> Iterator[CommandRequest]:
        """Yield what a person says of the honest payments that were held on the day: they were meant."""
        meant = self._payments.filter(
            pl.col("number").is_in(self.held), ~pl.col("is_theft"), pl.col("at") >= self.now - DAY
        )
        for part in meant.iter_slices(FACTS_PER_EVENT_MAX):
            confirmed = RecordFacts(
                subject=text_id(_STREAM),
                kind=PAYMENT_OUTCOME,
                at=[self.now] * len(part),
                ids={"payment": [f"{payment_id(_STREAM, number):032x}" for number in part["number"]]},
                numbers={"confirmed": [1] * len(part)},
            )
            key = f"confirmed {part['number'][0]}"
            yield command_request(FACTS_PRODUCT.name, confirmed, principal=_STREAM, key=key)

    def take_back(self) -> float:
        """Roll back and ask for the next payment; return the seconds until the old champion decided."""
        following = self._payments.filter(pl.col("at") >= self.now).head(1)
        after = self._factory.position
        began = time.perf_counter()
        event = self._learner.roll_back(self.now, _REASON)
        self._factory.set_time(following["at"][0])
        self._factory.execute([asked_payments(_STREAM, following)])
        seconds = time.perf_counter() - began
        self._happen([event])
        decisions, _ = self._factory.decided(after=after)
        if decisions["model_0"].tolist() != [int(event.to[:_WORD_DIGITS], 16)]:
            message = "the champion before did not decide about the next payment"
            raise ReplayRefused(message)
        return seconds

    def _ask(self, until: int) -> None:
        """Ask for what was paid in the hour before a time, together."""
        of_hour = self._payments.filter(pl.col("at") >= until - _HOUR, pl.col("at") < until)
        if len(of_hour):
            self._factory.set_time(until)
            (results,) = self._factory.execute([asked_payments(_STREAM, of_hour)])
            is_held = results["status"] == CreateTransferStatus.HELD
            if (~is_held & (results["status"] != CreateTransferStatus.CREATED)).any():
                message = "a payment of the demo was refused"
                raise ReplayRefused(message)
            self.held += of_hour["number"].filter(is_held).to_list()

    def _happen(self, events: Iterable[Told]) -> None:
        for event in events:
            self.happened.append((self.day, event))
            self._tell(self.day, event)
            if isinstance(event, StageEntered) and event.stage == Stage.CHAMPION:
                self.promoted.append(time.perf_counter())
                if len(self.promoted) == 1:
                    # Before there is a champion, a policy that asks it would hold everything.
                    _arm(self._factory)


def _arm(factory: DemoFactory) -> None:
    folder = resources.files(__package__)
    policy, rules = (folder.joinpath(f"learn_{kind}.yaml").read_text() for kind in ("policy", "rules"))
    point = PAYMENT_POINT.name
    command = ArmPolicy(
        subject=text_id(point), point=point, version=1, policy=policy, rules=rules, reason=_REASON
    )
    _done(factory, command_request(NAME, command, principal="demo", key="policy"))


def _done(factory: DemoFactory, request: CommandRequest) -> None:
    (receipt,) = factory.execute([request])
    if receipt.code:
        message = f"a part of the demo was refused: {receipt.code}"
        raise ReplayRefused(message)
