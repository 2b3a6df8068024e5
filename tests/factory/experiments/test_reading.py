"""Experiments and exposures as the journal has them."""

from __future__ import annotations

import numpy as np
import pytest

from formicary.base.limits import FACTS_PER_EVENT_MAX
from formicary.base.lots import LOTS
from formicary.factory.experiments import Cause, ExperimentStatus
from formicary.factory.experiments.assignment import NOWHERE, arms_of
from formicary.factory.experiments.definitions import read_definition
from formicary.factory.experiments.errors import ExperimentNotFound
from formicary.factory.experiments.reading import (
    Exposures,
    experiment_events,
    experiments,
    exposure_commands,
    exposures_of,
    first_exposures,
    named_experiment,
)
from tests.factory.experiments.kit import START, Lab, define, document_of, ids, start, stop

HOUR = 3_600 * 10**9


def test_experiments_as_they_stand(lab: Lab) -> None:
    """What was defined last, and what was done with it last."""
    lab.done(define(), define("other"), define(planned_parties=9), start(), stop(cause=Cause.HARM))
    found = experiments(experiment_events(lab.source()))
    assert [one.name for one in found] == ["short_form", "other"]
    assert experiments(lab.source().whole.events) == found
    first, other = found
    assert (first.status, first.cause, first.reason) == (ExperimentStatus.STOPPED, Cause.HARM, "It is clear.")
    assert first.defined - START >= 3 * HOUR
    assert (first.started - first.defined, first.stopped - first.started) == (HOUR, HOUR)
    assert (first.first, first.count, first.arms) == (0, LOTS // 2, ["control", "short"])
    assert first.definition.planned_parties == 9
    assert (other.status, other.started, other.cause) == (ExperimentStatus.DEFINED, 0, None)
    assert named_experiment(found, "other") is other
    with pytest.raises(ExperimentNotFound, match="no experiment third"):
        named_experiment(found, "third")


def test_the_first_exposure_counts() -> None:
    """The earliest, of two at one time the one that was told first; all in order of time."""
    parties = np.array([[1, 1], [2, 2], [1, 1], [3, 3], [2, 2]], np.uint64)
    told = Exposures(at=np.array([5, 4, 3, 9, 4]), parties=parties, arms=np.array([0, 1, 0, 2, 3]))
    found = first_exposures(told)
    assert found.at.tolist() == [3, 4, 9]
    assert found.parties[:, 0].tolist() == [1, 2, 3]
    assert found.arms.tolist() == [0, 1, 2]


def test_exposures_are_told_once(lab: Lab) -> None:
    """By chunks whose keys follow from them; who is in no arm is left out, whoever came again as well."""
    definition = read_definition(document_of())
    lab.done(define(), define("other", layer="prices"), start(), start("other"))
    parties = ids(2 * FACTS_PER_EVENT_MAX + 500)
    arms = arms_of(parties, definition.slice)
    at = lab.clock.now() - np.arange(len(parties), dtype=np.int64)[::-1] % 1_000
    twice = np.concatenate([parties, parties[:100]])
    commands = list(exposure_commands(definition, twice, np.concatenate([at, at[:100] + 5])))
    assert [len(command.at) for _, command in commands] == [
        FACTS_PER_EVENT_MAX,
        int((arms != NOWHERE).sum()) - FACTS_PER_EVENT_MAX,
    ]
    for _ in range(2):
        for key, command in commands:
            assert lab.asks(command, key).code == ""
    first, other = experiments(experiment_events(lab.source()))
    found = exposures_of(lab.source(), first)
    assert lab.entry(commands[0][1].subject)["exposures"] == len(found.at) == (arms != NOWHERE).sum()
    assert (np.diff(found.at) >= 0).all()
    assert found.arms.tolist() == arms_of(found.parties, definition.slice).tolist()
    assert len(exposures_of(lab.source(), other).at) == 0
