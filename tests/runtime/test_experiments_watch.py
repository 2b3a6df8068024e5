"""Experiments that are looked at by themselves: on a journal, by its engine, and in a process of its own."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.base.errors import OperationalFault
from formicary.base.limits import EXPERIMENT_WATCH_SECONDS
from formicary.factory.experiments import Cause, ExperimentStatus
from formicary.factory.experiments.assignment import arms_of
from formicary.factory.experiments.definitions import read_definition
from formicary.factory.experiments.parties import words_of
from formicary.factory.experiments.reading import (
    Experiment,
    experiment_events,
    experiments,
    exposure_commands,
)
from formicary.factory.facts import RecordFacts
from formicary.runtime import experiments_watch
from formicary.runtime.experiments_watch import ExperimentsWatch, experiments_main, watch_experiments
from formicary.runtime.ledgers import open_ledger
from formicary.runtime.registry import InstalledRegistry, open_experiments
from formicary.runtime.sandbox_clock import FileClock
from formicary.runtime.settings import Settings
from formicary.surfaces.experiments.kept import KeptResults
from tests.factory.experiments.kit import DAY_NS, define, ids, start
from tests.runtime.test_children import until
from tests.runtime.test_ledgers import running_engine

PARTIES = ids(1_500, seed=2)
WATCHED: dict[str, Any] = {
    "metrics": "{name: orders, kind: mean, column: ordered, good: up}, "
    "{name: returns, kind: mean, column: returned, good: down, tolerated_harm: 0.1}",
    "outcome_days": 1,
    "outcomes": "{facts: order}",
    "planned_parties": 1_000,
}


class Shop:
    """A sandbox in which experiments run."""

    def __init__(self, settings: Settings, known: InstalledRegistry) -> None:
        self.settings = settings
        self.known = known
        self.kept = KeptResults(settings.experiments_folder)

    def run(self, name: str, *, first: int, returned: float, lost: int = 0, **document: Any) -> None:
        """Run an experiment for a moment; in its second arm more is sent back, and so many are lost."""
        command = define(name, lots=f"{{first: {first}, count: 300_000}}", **(WATCHED | document))
        self.known.command(command)
        self.known.command(start(name))
        definition = read_definition(command.document)
        parties = np.delete(PARTIES, np.flatnonzero(arms_of(PARTIES, definition.slice) == 1)[:lost], axis=0)
        at = np.full(len(parties), FileClock(self.settings.clock_file).now())
        told: list[str] = []
        for key, met in exposure_commands(definition, parties, at):
            self.known.command(met, key=key)
            told += met.parties
        arms = arms_of(words_of(told), definition.slice).tolist()
        orders = RecordFacts(
            subject=1,
            kind="order",
            at=[int(at[0])] * len(told),
            ids={"party": told},
            numbers={"ordered": [place % 3 for place in range(len(told))]},
            reals={"returned": [place % 5 / 5 + returned * arm for place, arm in enumerate(arms)]},
        )
        with open_ledger(self.settings) as ledger:
            assert ledger.command("facts", orders, principal="test", key=name).code == ""

    def pass_hours(self, hours: int) -> None:
        """Put the clock forward."""
        FileClock(self.settings.clock_file).advance(hours * 3_600 * 10**9)

    def look(self) -> int:
        """Look at all experiments; return how many rows the journal has more."""
        before = self.known.source.head()
        watch_experiments(self.settings)
        return self.known.source.head() - before

    def experiment(self, name: str) -> Experiment:
        """Return an experiment as it stands."""
        found = experiments(experiment_events(self.known.source))
        return next(one for one in found if one.name == name)

    def results(self, name: str) -> Any:
        """Return what is kept of an experiment."""
        return msgspec.json.decode(self.kept.document(name) or b"null")


@pytest.fixture
def shop(hosted_home: Settings) -> Iterator[Shop]:
    """Give a sandbox with a running engine."""
    settings = replace(hosted_home, is_sandbox=True)
    with running_engine(settings), open_experiments(settings) as known:
        yield Shop(settings, known)


def test_harm_is_stopped_once(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """By the look at which it shows; an experiment without harm runs on, and nothing is written of it."""
    shop.run("harmful", first=0, returned=1.0)
    shop.run("harmless", first=300_000, returned=0.0)
    shop.run("by_table", first=600_000, returned=1.0, outcomes=None)
    shop.run("unmeasured", first=0, returned=1.0, outcomes="{facts: nothing}", layer="prices")
    shop.run("uneven", first=0, returned=1.0, lost=80, layer="forms")
    # Nothing is known yet.
    assert shop.look() == 0
    assert shop.results("harmful")["comparisons"] == []
    shop.pass_hours(36)
    assert shop.look() > 0
    stopped, running = shop.experiment("harmful"), shop.experiment("harmless")
    assert (stopped.status, stopped.cause) == (ExperimentStatus.STOPPED, Cause.HARM)
    assert stopped.reason == "More harm than is tolerated: returns of short."
    assert f"harmful is stopped: {stopped.reason}" in caplog.messages
    assert "nothing is found of unmeasured: no fact has a field ordered" in caplog.messages
    assert "the arms of uneven are uneven: nothing of it may be believed" in caplog.messages
    others = [shop.experiment(name) for name in ("by_table", "unmeasured", "uneven")]
    assert {one.status for one in (running, *others)} == {ExperimentStatus.RUNNING}
    for name, verdict, status in (("harmful", "harmful", "stopped"), ("harmless", "undecided", "running")):
        found = shop.results(name)
        assert [one["verdict"] for one in found["comparisons"]] == ["undecided", verdict]
        assert found["status"] == status
        assert b"returns, short: " + verdict.encode() in (shop.kept.page(name) or b"")
    assert (shop.kept.document("by_table"), shop.kept.page("unmeasured")) == (None, None)
    assert shop.look() == 0
    looked = shop.results("harmful")["looked_at"]
    # Two days after its end what is to come of it has come.
    shop.pass_hours(24)
    assert shop.look() == 0
    assert shop.results("harmful")["looked_at"] == looked < shop.results("harmless")["looked_at"]


def test_a_look_that_is_cut_off_is_taken_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right after the command, or before its answer came: nothing is done twice."""
    shop.run("harmful", first=0, returned=1.0)
    shop.pass_hours(36)

    class Killed(BaseException):
        """The process is no more."""

    def killed(*_: object, **__: object) -> None:
        raise Killed

    sent: list[tuple[Any, str]] = []
    command = InstalledRegistry.command

    def unanswered(self: InstalledRegistry, asked: Any, *, key: str) -> None:
        sent.append((asked, key))
        command(self, asked, key=key)
        raise Killed

    monkeypatch.setattr(InstalledRegistry, "command", unanswered)
    with pytest.raises(Killed):
        shop.look()
    monkeypatch.undo()
    head = shop.known.source.head()
    assert shop.experiment("harmful").cause is Cause.HARM
    ((asked, key),) = sent
    shop.known.command(asked, key=key)
    monkeypatch.setattr(KeptResults, "keep", killed)
    with pytest.raises(Killed):
        shop.look()
    monkeypatch.undo()
    assert shop.results("harmful") is None
    assert shop.look() == 0
    assert shop.results("harmful")["status"] == "stopped"
    assert shop.known.source.head() == head


# -- the process ---------------------------------------------------------------------------


def over(watch: ExperimentsWatch) -> None:
    """Take a look that is due, and wait for its end."""
    watch.tend()

    def is_over() -> bool:
        watch.tend()
        return not watch.errand.pid

    until(is_over)


def test_a_look_is_taken_every_quarter_of_an_hour(tmp_path: Path) -> None:
    """In a process of its own, and not before the one before is over for as long."""
    clock, parent = SimulatedClock(DAY_NS), os.getpid()

    def look() -> None:
        with (tmp_path / "looks").open("a") as file:
            file.write(f"{os.getpid() != parent}\n")

    watch = ExperimentsWatch(look, clock)
    for expected in (1, 2):
        over(watch)
        clock.advance(EXPERIMENT_WATCH_SECONDS * 10**9 - 1)
        watch.tend()
        assert not watch.errand.pid
        assert (tmp_path / "looks").read_text() == "True\n" * expected
        clock.advance(1)


class Gone(OperationalFault):
    """Something is not there."""


@pytest.mark.parametrize(
    ("error", "said"), [(Gone(), "is done later: Something is not there."), (KeyError("x"), "KeyError: 'x'")]
)
def test_what_fails_is_tried_again_sooner(
    error: Exception, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A fault and a programmer's error alike: neither ends the process that waits."""
    clock = SimulatedClock(DAY_NS)

    def look() -> None:
        logging.basicConfig(force=True)
        raise error

    watch = ExperimentsWatch(look, clock)
    over(watch)
    assert said in capfd.readouterr().err
    clock.advance(60 * 10**9)
    watch.tend()
    assert watch.errand.pid
    watch.errand.stop()
    watch.errand.stop()


def test_it_ends_at_once(new_home: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Asked to end, the process ends in the middle of a look, and the look's own process with it."""
    started = tmp_path / "started"

    def look(_: Settings) -> None:
        started.write_text(str(os.getpid()))
        threading.Event().wait()

    monkeypatch.setattr(experiments_watch, "watch_experiments", look)
    pid = os.fork()
    if not pid:
        experiments_main(new_home)
        os._exit(0)
    until(lambda: started.exists() and started.read_text())
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    assert os.waitpid(pid, 0)[1] == 0
    assert time.monotonic() - began < 2
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
