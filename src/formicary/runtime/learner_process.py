"""What runs in the learner's process: the days of each model with a plan, and the looks within a day.

A day and a look are each lived in a process of its own, forked from this one: what it loads and learns is
given back at its end, and it ends at once where ``up`` does. A look does not wait for a day, which may train
for long; what a look told meanwhile the day does not know, and is lived again.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from formicary.base.clock import Clock
from formicary.base.errors import OperationalFault, Refusal
from formicary.factory.engine.client import EngineClient
from formicary.factory.learning.live_looks import HOUR
from formicary.factory.learning.messages import DayKnown, LearningUnexpected
from formicary.factory.learning.plan import DAY
from formicary.runtime.api_process import clock_of
from formicary.runtime.children import AskedToEnd
from formicary.runtime.errands import Errand
from formicary.runtime.learning import open_learner, open_looker
from formicary.runtime.products import learning_plans
from formicary.runtime.settings import Settings

__all__ = ["LOOK", "Recurring", "learner_main", "live_day", "look"]

_LOG: Final = logging.getLogger(__name__)
# A model may wait for a core for hours; an answer may not.
_NICENESS: Final = 15
_PAUSE_SECONDS: Final = 0.5
# What failed for want of an engine or a database is tried again, soon at first: both come back quickly.
_RETRY_NS: Final = 30 * 10**9
_RETRY_NS_MAX: Final = 3_600 * 10**9
LOOK: Final = HOUR // 3
"""From one look at the last hour to the next, in nanoseconds: what begins is in a look in twenty minutes, and
whole in one within the hour."""


class Recurring:
    """What is done for each model once in every span of business time, and the process that does it for one.

    Parameters
    ----------
    does
        Does it for a model; called in a process of its own, whose end without an error is success.
    models
        Names of models with a plan.
    clock
        Business time.
    every
        The span, in nanoseconds: whole ones are counted from 1970 on.
    """

    def __init__(self, does: Callable[[str], None], models: list[str], clock: Clock, *, every: int) -> None:
        self._does = does
        self._models = models
        self._clock = clock
        self._every = every
        self._done = dict.fromkeys(models, 0)
        self._not_before = dict.fromkeys(models, 0)
        self._pause = dict.fromkeys(models, _RETRY_NS)
        self._running = ""
        # Who was slower than another learner looks again, as after a fault.
        self._errand = Errand(later=(OperationalFault, LearningUnexpected))

    @property
    def pid(self) -> int:
        """Of the process that does it; 0 for none."""
        return self._errand.pid

    def tend(self) -> None:
        """Look after what is done, or begin what is due."""
        if self.pid and (code := self._errand.outcome()) is not None:
            self._ended(code)
        now = self._clock.now()
        for model in self._models:
            is_due = self._done[model] < now // self._every and now >= self._not_before[model]
            if is_due and not self.pid:
                self._running = model
                self._errand.begin(partial(self._once, model), name=f"the learning of {model}")

    def stop(self) -> None:
        """End what is done: what it has not told has not been."""
        self._errand.stop()

    def _once(self, model: str) -> None:
        try:
            self._does(model)
        except LearningUnexpected:
            raise
        except Refusal as refusal:
            # Asked again it would be refused again: next time there is more.
            _LOG.warning("%s does not learn now: %s", model, refusal)

    def _ended(self, code: int) -> None:
        now, model = self._clock.now(), self._running
        if code:
            self._not_before[model] = now + self._pause[model]
            self._pause[model] = min(2 * self._pause[model], _RETRY_NS_MAX)
        else:
            self._done[model], self._pause[model] = now // self._every, _RETRY_NS


def live_day(settings: Settings, model: str) -> None:
    """Live a model's day, unless it was lived; the engine is a running one, and nothing stands in for it."""
    with suppress(DayKnown), open_learner(settings, model, ledger=_running) as learner:
        _say(model, learner.day(clock_of(settings).now()).happened)


def look(settings: Settings, model: str) -> None:
    """Look at what a model decided in the last hour; the engine is a running one as well."""
    with open_looker(settings, model, ledger=_running) as looker:
        _say(model, looker.look(clock_of(settings).now()).happened)


def _running(settings: Settings) -> EngineClient:
    return EngineClient(settings.engine_socket)


def _say(model: str, happened: Sequence[object]) -> None:
    for event in happened:
        _LOG.info("%s: %s", model, type(event).__name__)


def learner_main(settings: Settings) -> None:
    """Let models learn until ``SIGTERM``."""
    stop = threading.Event()
    os.nice(_NICENESS)
    AskedToEnd(stop.set)
    models, clock = list(learning_plans()), clock_of(settings)
    all_of_them = (
        Recurring(lambda model: look(settings, model), models, clock, every=LOOK),
        Recurring(lambda model: live_day(settings, model), models, clock, every=DAY),
    )
    try:
        while not stop.is_set():
            for one in all_of_them:
                one.tend()
            stop.wait(_PAUSE_SECONDS)
    finally:
        for one in all_of_them:
            one.stop()
