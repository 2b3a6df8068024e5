"""What looks at running experiments by itself: one that does harm is stopped without anybody asking.

A look is taken in a process of its own, forked from one that waits: what it loads is given back when it is
over. The engine never waits for it. Where nothing does harm, nothing is written into the journal; what was
found is kept in files, for the API to show.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Final

from formicary.base.clock import Clock
from formicary.base.errors import Refusal
from formicary.base.limits import EXPERIMENT_WATCH_SECONDS
from formicary.factory.engine.client import EngineClient
from formicary.factory.experiments.reading import (
    Experiment,
    experiment_events,
    experiments,
    named_experiment,
)
from formicary.runtime.api_process import clock_of
from formicary.runtime.children import AskedToEnd
from formicary.runtime.errands import Errand
from formicary.runtime.registry import InstalledRegistry, open_experiments
from formicary.runtime.settings import Settings
from formicary.surfaces.experiments.kept import KeptResults

__all__ = ["ExperimentsWatch", "experiments_main", "watch_experiments"]

_LOG: Final = logging.getLogger(__name__)
# A look may wait for a core; an answer may not.
_NICENESS: Final = 15
_PAUSE_SECONDS: Final = 0.5
# What failed for want of an engine or a database: both come back quickly.
_RETRY_NS: Final = 60 * 10**9
_BETWEEN_NS: Final = EXPERIMENT_WATCH_SECONDS * 10**9


class ExperimentsWatch:
    """When a look is due, and the process that takes it.

    Parameters
    ----------
    look
        Looks at all experiments; called in a process of its own.
    clock
        Of the business.
    """

    def __init__(self, look: Callable[[], None], clock: Clock) -> None:
        self._look = look
        self._clock = clock
        self._due = 0
        self.errand = Errand()

    def tend(self) -> None:
        """Take a look if one is due and none is under way.

        The next one is due as long after the end, so that one that takes long does not keep a core to
        itself; one that failed is taken again sooner.
        """
        is_under_way = bool(self.errand.pid)
        if is_under_way and (code := self.errand.outcome()) is not None:
            self._due = self._clock.now() + (_RETRY_NS if code else _BETWEEN_NS)
        elif not is_under_way and self._clock.now() >= self._due:
            self.errand.begin(self._look, name="the look at experiments")


def watch_experiments(settings: Settings) -> None:
    """Look at each experiment whose outcomes are facts, keep what came of it, and stop those that do harm.

    The engine is a running one, and nothing stands in for it.
    """
    with open_experiments(settings, ledger=lambda own: EngineClient(own.engine_socket)) as known:
        now = clock_of(settings).now()
        for experiment in experiments(experiment_events(known.source)):
            try:
                _look_at(known, experiment, KeptResults(settings.experiments_folder), now)
            except Refusal as refusal:
                # The others are looked at all the same.
                _LOG.warning("nothing is found of %s: %s", experiment.name, refusal)


def _look_at(known: InstalledRegistry, experiment: Experiment, kept: KeptResults, now: int) -> None:
    # What computes takes a while to load, and the process that waits does without.
    from formicary.factory.experiments.looks import harm_stop, is_looked_at, results_by_facts  # noqa: PLC0415

    facts = experiment.definition.outcomes
    if facts is None or not is_looked_at(experiment, now):
        return
    found = results_by_facts(known.source, experiment, facts, until=now)
    if found.is_mismatched:
        _LOG.warning("the arms of %s are uneven: nothing of it may be believed", experiment.name)
    if asked := harm_stop(experiment, found):
        key, command = asked
        known.command(command, key=key)
        _LOG.warning("%s is stopped: %s", experiment.name, command.reason)
        experiment = named_experiment(experiments(experiment_events(known.source)), experiment.name)
    kept.keep(experiment, found, until=now)


def experiments_main(settings: Settings) -> None:
    """Look at experiments until ``SIGTERM``."""
    stop = threading.Event()
    os.nice(_NICENESS)
    AskedToEnd(stop.set)
    watch = ExperimentsWatch(lambda: watch_experiments(settings), clock_of(settings))
    try:
        while not stop.is_set():
            watch.tend()
            stop.wait(_PAUSE_SECONDS)
    finally:
        watch.errand.stop()
