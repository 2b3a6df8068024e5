"""Which experiments are looked at, and what asks for one to be stopped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from formicary.factory.experiments import Cause, ExperimentStatus, experiment_id
from formicary.factory.experiments.assignment import arms_of
from formicary.factory.experiments.definitions import read_definition
from formicary.factory.experiments.looks import harm_stop, is_looked_at, results_by_facts
from formicary.factory.experiments.reading import (
    Experiment,
    experiment_events,
    experiments,
    exposure_commands,
)
from formicary.factory.facts import RecordFacts
from tests.factory.experiments.kit import DAY_NS, START, Lab, define, document_of, ids, start
from tests.factory.experiments.test_analysis import World

FACTS: dict[str, Any] = {"outcomes": "{facts: order, party: payer}", "outcome_days": 2}


def experiment(status: ExperimentStatus, stopped: int = 0, **document: Any) -> Experiment:
    """Return an experiment."""
    return Experiment(
        name="short_form",
        layer="checkout",
        first=0,
        count=1,
        arms=["control", "short"],
        document=document_of(**document),
        defined=START,
        status=status,
        stopped=stopped,
    )


@pytest.mark.parametrize(
    ("days", "expected"), [(0.0, True), (2.0, True), (2.99, True), (3.0, False), (30.0, False)]
)
def test_one_that_was_stopped_is_looked_at_until_all_is_known(days: float, *, expected: bool) -> None:
    """Outcomes of those who met it last, and a day for whoever tells them."""
    one = experiment(ExperimentStatus.STOPPED, START, **FACTS)
    assert is_looked_at(one, START + int(days * DAY_NS)) == expected


def test_one_that_runs_is_looked_at() -> None:
    """Where its document says which facts its outcomes are; one that was not started is not."""
    assert is_looked_at(experiment(ExperimentStatus.RUNNING, **FACTS), START)
    assert not is_looked_at(experiment(ExperimentStatus.RUNNING), START)
    assert not is_looked_at(experiment(ExperimentStatus.DEFINED, **FACTS), START)


def test_results_are_those_of_the_facts(lab: Lab) -> None:
    """Of whoever met it, by what was told of them since; who is told nothing of did nothing."""
    command = define(**FACTS)
    definition = read_definition(command.document)
    lab.done(command, start())
    parties, met_at = ids(200), lab.clock.now()
    for key, exposed in exposure_commands(definition, parties, np.full(200, met_at)):
        assert lab.asks(exposed, key).code == ""
    arms = arms_of(parties, definition.slice)
    buyers = parties[(arms == 1) & (np.arange(200) % 2 == 0)]
    payers = [f"{high:016x}{low:016x}" for high, low in buyers.tolist()]
    told: dict[str, Any] = {"ids": {"payer": payers}, "numbers": {"ordered": [1] * len(payers)}}
    lab.tells(RecordFacts(subject=1, kind="order", at=[lab.clock.now()] * len(payers), **told))
    (one,) = experiments(experiment_events(lab.source()))
    assert definition.outcomes is not None
    found = results_by_facts(lab.source(), one, definition.outcomes, until=met_at + 4 * DAY_NS)
    counts = [int((arms == arm).sum()) for arm in range(2)]
    assert found.analysed.tolist() == found.exposed.tolist() == counts
    (goal,) = found.comparisons
    assert (goal.control, goal.treatment) == pytest.approx((0.0, len(buyers) / counts[1]))


def test_harm_asks_for_a_stop_while_it_runs() -> None:
    """Under one key, whoever looks; without harm, and after the end, nothing asks."""
    running = experiment(ExperimentStatus.RUNNING)
    harm = World().adds("stayed", -2.0).analysed()
    assert harm_stop(running, World().analysed()) is None
    assert harm_stop(experiment(ExperimentStatus.STOPPED, START), harm) is None
    asked = harm_stop(running, harm)
    assert asked is not None
    key, command = asked
    assert (key, command.cause) == ("harm:short_form", Cause.HARM)
    assert command.subject == experiment_id("short_form")
    assert command.reason == "More harm than is tolerated: stay of short."
