"""A model that learns in an installation: on its journal, by its engine, and in a process of its own."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from formicary.base.clock import SimulatedClock
from formicary.base.errors import OperationalFault, Refusal
from formicary.factory.engine.client import EngineUnreachable
from formicary.factory.learning.live import NoChampionBefore
from formicary.factory.learning.messages import ChallengerJudged, DayEnded, LearningUnexpected
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.standing import NONE
from formicary.products.payments.learning import LEARNING_PLANS
from formicary.runtime import learner_process, learning
from formicary.runtime import products as products_module
from formicary.runtime.learner_process import LOOK, Recurring, learner_main, live_day, look
from formicary.runtime.learning import NoLearningPlan, SandboxOnly, open_learner
from formicary.runtime.products import UndecidedModel, learning_plans, point_of
from formicary.runtime.program import LocalProgram
from formicary.runtime.settings import Settings
from tests.runtime.fraud_kit import DAYS, START, fill
from tests.runtime.test_children import until
from tests.runtime.test_ledgers import running_engine
from tests.runtime.test_training import SMALL, with_model

MODEL = SMALL.name
END = START + (DAYS + 2) * DAY


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a small model, and a plan that asks little."""
    monkeypatch.setattr(learning, "products_of", lambda _: with_model(SMALL))
    (plan,) = LEARNING_PLANS
    easy = replace(plan, windows_days=(0,), positives_min=20, segments=(), judged_days=30)
    monkeypatch.setattr(products_module, "LEARNING_PLANS", (easy,))


@pytest.mark.usefixtures("small")
def test_a_day_of_an_installation(hosted_home: Settings) -> None:
    """A challenger is really trained and judged from the journal; the same day once more is refused."""
    sandbox = replace(hosted_home, is_sandbox=True)
    access = LocalProgram(sandbox).learning()
    empty = access.run(MODEL, at=END, threads=1)
    assert (empty.rows, access.known(MODEL).history) == (0, ())
    fill(sandbox, count=2_000)
    with pytest.raises(EngineUnreachable):
        live_day(sandbox, MODEL)
    # Where nothing decides there is nothing to look at, and nobody to tell.
    look(sandbox, MODEL)
    with running_engine(sandbox):
        day = access.run(MODEL, at=END, threads=1)
        (judged,) = [one for one in day.happened if isinstance(one, ChallengerJudged)]
        assert judged.learnt > 500
        assert {"money", "leaks", "refit", "latency"} <= {gate.name for gate in judged.gates}
        # By the clock it is years later: another day, and that one once.
        live_day(sandbox, MODEL)
        live_day(sandbox, MODEL)
    days = [one.event for one in access.known(MODEL).history if isinstance(one.event, DayEnded)]
    assert [one.day for one in days] == [END // DAY, LocalProgram(sandbox).now() // DAY]
    assert days[0].rows == day.rows < days[1].rows
    # With none before it rules decide alone; then there is none.
    assert access.roll_back(MODEL, reason="the test").to == NONE
    with pytest.raises(NoChampionBefore):
        access.roll_back(MODEL, reason="there is none")


def test_who_may_not_learn(hosted_home: Settings) -> None:
    """A model has a plan, and a decision point; another time than the clock's there is in a sandbox only."""
    access = LocalProgram(hosted_home).learning()
    with pytest.raises(SandboxOnly):
        access.run(MODEL, at=END, threads=1)
    with pytest.raises(NoLearningPlan, match="payment_fraud"):
        access.known("nobody")
    with pytest.raises(NoLearningPlan, match="of none"), open_learner(hosted_home, MODEL, plans={}):
        pass
    assert list(learning_plans()) == [MODEL]
    with pytest.raises(UndecidedModel):
        point_of([], SMALL)
    with pytest.raises(UndecidedModel):
        point_of(with_model(SMALL), replace(SMALL, question=None))


# -- the process ---------------------------------------------------------------------------


def lived(days: Recurring) -> None:
    """Wait for the day that is lived."""

    def is_over() -> bool:
        days.tend()
        return not days.pid

    until(is_over)


def failing(error: BaseException) -> Callable[[str], None]:
    """Return what fails to live a day."""

    def live(_: str) -> None:
        raise error

    return live


def test_each_model_lives_each_day_once(tmp_path: Any) -> None:
    """One after the other, each in a process of its own, and again when the day is another."""
    clock = SimulatedClock(END)

    def live(model: str) -> None:
        with (tmp_path / model).open("a") as file:
            file.write(f"{os.getpid() != PARENT}\n")

    days = Recurring(live, ["a", "b"], clock, every=DAY)
    for expected in (1, 2):
        for _ in range(4):
            lived(days)
        for model in ("a", "b"):
            assert (tmp_path / model).read_text() == "True\n" * expected
        clock.advance(DAY)


PARENT = os.getpid()


def test_what_fails_is_tried_again_later() -> None:
    """After a fault, later and later; after a refusal, tomorrow."""

    class Gone(OperationalFault):
        """Something is not there."""

    clock = SimulatedClock(END)
    days = Recurring(failing(Gone()), ["a"], clock, every=DAY)
    pauses = []
    for _ in range(9):
        days.tend()
        lived(days)
        before = clock.now()
        while not days.pid:
            clock.advance(30 * 10**9)
            days.tend()
        pauses.append((clock.now() - before) // 10**9)
        days.stop()
        clock.advance(DAY)
    assert pauses[0] == 30
    assert max(pauses) <= 3_600
    refused = Recurring(failing(Refusal()), ["a"], clock, every=DAY)
    refused.tend()
    lived(refused)
    clock.advance(3_600 * 10**9)
    refused.tend()
    assert not refused.pid


def test_what_was_told_meanwhile_is_lived_again() -> None:
    """A day that does not follow from what a look told is no day: it is tried again, and soon."""
    clock = SimulatedClock(END)
    days = Recurring(failing(LearningUnexpected()), ["a"], clock, every=LOOK)
    started = []
    for seconds in (0, 29, 2):
        clock.advance(seconds * 10**9)
        days.tend()
        started.append(days.pid > 0)
        if days.pid:
            lived(days)
    assert started == [True, False, True]


def test_it_ends_at_once(new_home: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Asked to end, the process ends in the middle of a day and a look, and so do theirs."""
    started = [tmp_path / name for name in ("day", "look")]

    def begun(file: Path) -> Callable[..., None]:
        def live(*_: Any) -> None:
            file.write_text(str(os.getpid()))
            threading.Event().wait()

        return live

    for name, file in zip(("live_day", "look"), started, strict=True):
        monkeypatch.setattr(learner_process, name, begun(file))
    pid = os.fork()
    if not pid:
        learner_main(new_home)
        os._exit(0)
    until(lambda: all(file.exists() and file.read_text() for file in started))
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    assert os.waitpid(pid, 0)[1] == 0
    assert time.monotonic() - began < 2
    for file in started:
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.read_text()), 0)
