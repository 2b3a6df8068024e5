"""What runs in the learner's process: once per business day it has each model with a plan live that day.

A day is lived in a process of its own, forked from this one: what it loads and learns is given back when the
day is over, and it ends at once where ``up`` does.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from formicary.base.clock import Clock
from formicary.base.errors import OperationalFault, Refusal
from formicary.factory.engine.client import EngineClient
from formicary.factory.learning.messages import DayKnown
from formicary.factory.learning.plan import DAY
from formicary.runtime.api_process import clock_of
from formicary.runtime.children import AskedToEnd
from formicary.runtime.learning import open_learner
from formicary.runtime.products import learning_plans
from formicary.runtime.settings import Settings

__all__ = ["LearnerDays", "learner_main", "live_day"]

_LOG: Final = logging.getLogger(__name__)
# A model may wait for a core for hours; an answer may not.
_NICENESS: Final = 15
_PAUSE_SECONDS: Final = 0.5
# What failed for want of an engine or a database is tried again, soon at first: both come back quickly.
_RETRY_NS: Final = 30 * 10**9
_RETRY_NS_MAX: Final = 3_600 * 10**9


class LearnerDays:
    """Which models are due, and the process in which one of them lives its day.

    Parameters
    ----------
    live
        Lives a model's day; called in a process of its own, whose end without an error is success.
    models
        Names of models with a plan.
    clock
        The business days are its days.
    """

    def __init__(self, live: Callable[[str], None], models: list[str], clock: Clock) -> None:
        self._live = live
        self._models = models
        self._clock = clock
        self._lived = dict.fromkeys(models, 0)
        self._not_before = dict.fromkeys(models, 0)
        self._pause = dict.fromkeys(models, _RETRY_NS)
        self._running = ""
        self.pid = 0
        """Of the process that lives a day; 0 for none."""

    def tend(self) -> None:
        """Look after the running day, or begin one that is due."""
        if self.pid:
            self._reap(os.WNOHANG)
        now = self._clock.now()
        for model in self._models:
            is_due = self._lived[model] < now // DAY and now >= self._not_before[model]
            if is_due and not self.pid:
                self._begin(model)

    def stop(self) -> None:
        """End the day that is lived: what it has not told has not been."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._reap(0)

    def _begin(self, model: str) -> None:
        pid = os.fork()
        if pid:
            self.pid, self._running = pid, model
            return
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self._live(model)
            code = 0
        except OperationalFault as fault:
            _LOG.warning("%s learns later: %s", model, fault)
        except Refusal as refusal:
            # Asked again it would be refused again: tomorrow there is more.
            _LOG.warning("%s does not learn today: %s", model, refusal)
            code = 0
        finally:
            # Not sys.exit: the parent's clean-up is not the child's.
            logging.shutdown()
            os._exit(code)

    def _reap(self, options: int) -> None:
        pid, status = os.waitpid(self.pid, options)
        if not pid:
            return
        now = self._clock.now()
        model, self.pid = self._running, 0
        if os.waitstatus_to_exitcode(status):
            self._not_before[model] = now + self._pause[model]
            self._pause[model] = min(2 * self._pause[model], _RETRY_NS_MAX)
        else:
            self._lived[model], self._pause[model] = now // DAY, _RETRY_NS


def live_day(settings: Settings, model: str) -> None:
    """Live a model's day, unless it was lived; the engine is a running one, and nothing stands in for it."""
    with (
        suppress(DayKnown),
        open_learner(settings, model, ledger=lambda own: EngineClient(own.engine_socket)) as learner,
    ):
        day = learner.day(clock_of(settings).now())
        for event in day.happened:
            _LOG.info("%s: %s", model, type(event).__name__)


def learner_main(settings: Settings) -> None:
    """Let models learn until ``SIGTERM``."""
    stop = threading.Event()
    os.nice(_NICENESS)
    AskedToEnd(stop.set)
    days = LearnerDays(lambda model: live_day(settings, model), list(learning_plans()), clock_of(settings))
    try:
        while not stop.is_set():
            days.tend()
            stop.wait(_PAUSE_SECONDS)
    finally:
        days.stop()
