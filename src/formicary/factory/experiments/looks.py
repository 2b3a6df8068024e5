"""A look at an experiment: what came of it by now, and whether it is to be stopped for it."""

from __future__ import annotations

from formicary.factory.experiments.analysis import Results, analyse
from formicary.factory.experiments.definitions import DAY_NS, OutcomeFacts
from formicary.factory.experiments.fact_outcomes import fact_outcomes
from formicary.factory.experiments.messages import Cause, ExperimentStatus, StopExperiment
from formicary.factory.experiments.product import experiment_id
from formicary.factory.experiments.reading import Experiment, exposures_of
from formicary.factory.features.sources import RowSource

__all__ = ["harm_stop", "is_looked_at", "results_by_facts"]


def is_looked_at(experiment: Experiment, now: int) -> bool:
    """Tell whether anything may still come of an experiment whose outcomes are facts.

    It runs, or the last outcome of those who met it became known less than a day ago; nanoseconds.
    """
    definition = experiment.definition
    if definition.outcomes is None:
        return False
    if experiment.status is ExperimentStatus.RUNNING:
        return True
    return experiment.stopped > 0 and now < experiment.stopped + definition.outcome_ns + DAY_NS


def results_by_facts(
    source: RowSource, experiment: Experiment, wanted: OutcomeFacts, *, until: int
) -> Results:
    """Return what came of an experiment, where outcomes are facts of the journal.

    Parameters
    ----------
    source
        The journal.
    experiment
        As it stands.
    wanted
        The facts.
    until
        When they were looked at, in nanoseconds since 1970.

    Raises
    ------
    OutcomesUnusable, PlanRefused
        See ``fact_outcomes`` and ``analyse``.
    """
    definition, met = experiment.definition, exposures_of(source, experiment)
    after = experiment.position
    outcomes = fact_outcomes(source, definition, met, wanted, after=after, until=until)
    return analyse(definition, met, outcomes, until=until)


def harm_stop(experiment: Experiment, found: Results) -> tuple[str, StopExperiment] | None:
    """Return the idempotency key and the command that stops an experiment for harm; None where nothing asks.

    The key follows from the experiment, so that whoever looks, and however often, it is stopped once.
    """
    if experiment.status is not ExperimentStatus.RUNNING or not found.harmful:
        return None
    worst = found.harmful[0]
    reason = f"More harm than is tolerated: {worst.metric.name} of {worst.arm}."
    command = StopExperiment(subject=experiment_id(experiment.name), cause=Cause.HARM, reason=reason)
    return f"harm:{experiment.name}", command
