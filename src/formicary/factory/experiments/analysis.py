"""What came of an experiment: each goal and guardrail, day by day, and whether any of it may be believed.

A party counts from the day on which its outcome is known: its first exposure and ``outcome_days`` more. Whose
outcome is not known yet is left out of everything.

- Goals share ``alpha``, each with each arm, and are looked at every day: once 0 has left a sequence, the arm
  is better or worse, and stays so.
- Guardrails share another ``alpha``. Once a sequence of lower bounds has passed the harm that is tolerated,
  the experiment is to be stopped.
- Where the parties of the arms are not as many as their weights say, something takes parties away by arm, and
  nothing can be said: every verdict is void. The same where outcomes are missing of one arm more than of
  another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from formicary.base.limits import EXPERIMENT_ARM_PARTIES_MIN, EXPERIMENT_DAYS_MAX
from formicary.factory.experiments.definitions import DAY_NS, Definition, Direction, Kind, Metric
from formicary.factory.experiments.errors import PlanRefused
from formicary.factory.experiments.estimates import (
    MISMATCH_ALPHA,
    Difference,
    differences,
    fixed_interval,
    proportion_interval,
    sample_ratio_p_value,
)
from formicary.factory.experiments.moments import Moments, running_moments
from formicary.factory.experiments.outcomes import Outcomes
from formicary.factory.experiments.reading import Exposures
from formicary.factory.experiments.sequences import (
    anytime_p_values,
    critical_values,
    lower_critical_values,
    mixture_parties,
    two_sided_log_e_values,
    upper_log_e_values,
)

__all__ = ["Comparison", "Look", "Results", "Verdict", "analyse", "goal_looks", "guardrail_looks"]

Reals = npt.NDArray[np.float64]
Days = npt.NDArray[np.int64]


class Verdict(StrEnum):
    """What may be said of an arm by one metric."""

    VOID = "void"
    """Nothing: the arms do not have the parties that they should have."""
    UNDECIDED = "undecided"
    BETTER = "better"
    WORSE = "worse"
    HARMFUL = "harmful"
    """A guardrail shows more harm than is tolerated."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """A sequence: what could be said at the end of each day, (..., d) each, NaN where nothing.

    Attributes
    ----------
    estimate, low, high
        The difference, and what it may be; a guardrail's has one end, on the side of harm.
    p_value
        At any time.
    decided
        The first day, from 0, at which it was decided; -1 for never, (...,).
    """

    estimate: Reals
    low: Reals
    high: Reals
    p_value: Reals
    decided: Days


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """An arm beside the first one, by one metric; numbers are those of the last day.

    Attributes
    ----------
    metric, arm
        Which.
    verdict
        What may be said.
    control, treatment, estimate
        The metric in both arms, and treatment less control.
    fixed
        What one planned look would say, and only that.
    theta, variance_reduction
        What was done with the covariate.
    look
        The sequence.
    """

    metric: Metric
    arm: str
    verdict: Verdict
    control: float
    treatment: float
    estimate: float
    fixed: tuple[float, float, float]
    theta: float
    variance_reduction: float
    look: Look


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Results:
    """All that is known of an experiment.

    Attributes
    ----------
    days
        Since 1970, (d,): from the first outcome to the last.
    exposed, waiting, analysed
        Parties by arm, (a,): that met it, whose outcome is not known yet, that count.
    exposed_p_value, analysed_p_value
        Of as uneven arms, of those whose outcome should be known and of those that count.
    comparisons
        Goals before guardrails, each with each arm.
    """

    definition: Definition
    days: Days
    exposed: Days
    waiting: Days
    analysed: Days
    exposed_p_value: float
    analysed_p_value: float
    comparisons: tuple[Comparison, ...]

    @property
    def is_mismatched(self) -> bool:
        """Whether the arms do not have the parties that they should have."""
        return min(self.exposed_p_value, self.analysed_p_value) < MISMATCH_ALPHA

    @property
    def harmful(self) -> tuple[Comparison, ...]:
        """The guardrails that ask for the experiment to be stopped."""
        return tuple(one for one in self.comparisons if one.verdict is Verdict.HARMFUL)


def analyse(definition: Definition, exposures: Exposures, outcomes: Outcomes, *, until: int) -> Results:
    """Return what came of an experiment.

    Parameters
    ----------
    definition
        What it is.
    exposures
        The first one of each party.
    outcomes
        Of parties, whoever they are.
    until
        When the outcomes were looked at, in nanoseconds since 1970.

    Raises
    ------
    PlanRefused
        Outcomes lie on more days than are looked at.
    """
    arms = list(definition.arms)
    known_at = exposures.at + definition.outcome_ns
    is_known = known_at <= until
    places = outcomes.places_of(exposures.parties)
    counts = is_known & (places >= 0)
    # A look is a day; the first is that of the first outcome.
    days = known_at[counts] // DAY_NS
    span = np.arange(days.min(), days.max() + 1) if len(days) else np.empty(0, np.int64)
    if len(span) > EXPERIMENT_DAYS_MAX:
        message = f"its outcomes lie on {len(span):,} days, and {EXPERIMENT_DAYS_MAX} are looked at"
        raise PlanRefused(message)
    weights = list(definition.arms.values())
    due, analysed = (_by_arm(exposures.arms[rows], len(arms)) for rows in (is_known, counts))
    shown = [float(sample_ratio_p_value(one, weights)) for one in (due, analysed)]
    found: tuple[Comparison, ...] = ()
    if len(span):
        rows = (days - span[0], exposures.arms[counts], places[counts])
        found = _comparisons(definition, rows, outcomes, len(span), is_void=min(shown) < MISMATCH_ALPHA)
    return Results(
        definition=definition,
        days=span,
        exposed=_by_arm(exposures.arms, len(arms)),
        waiting=_by_arm(exposures.arms[~is_known], len(arms)),
        analysed=analysed,
        exposed_p_value=shown[0],
        analysed_p_value=shown[1],
        comparisons=found,
    )


def _by_arm(arms: Days, count: int) -> Days:
    return np.bincount(arms, minlength=count)


def _comparisons(
    definition: Definition,
    rows: tuple[Days, Days, Days],
    outcomes: Outcomes,
    day_count: int,
    *,
    is_void: bool,
) -> tuple[Comparison, ...]:
    days, of_arms, places = rows
    arms = list(definition.arms)
    found = []
    for metrics in (definition.goals, definition.guardrails):
        for metric in metrics:
            values = np.column_stack([outcomes.columns[name][places] for name in metric.columns])
            moments = running_moments(days, of_arms, values, shape=(day_count, len(arms)))
            # All of one kind share their alpha.
            alpha = definition.alpha / (len(metrics) * (len(arms) - 1))
            found += [
                _comparison(definition, metric, moments, place, alpha, is_void=is_void)
                for place in range(1, len(arms))
            ]
    return tuple(found)


def _comparison(
    definition: Definition, metric: Metric, moments: Moments, place: int, alpha: float, *, is_void: bool
) -> Comparison:
    difference = differences(moments, metric.kind, place, has_covariate=metric.covariate is not None)
    counts = moments.counts[..., [0, place]]
    weights = list(definition.arms.values())
    # Of the parties that are planned, those of these two arms.
    planned = definition.planned_parties * (weights[0] + weights[place]) / sum(weights)
    if metric.is_guardrail:
        look = guardrail_looks(metric, difference, counts, planned, alpha)
    else:
        look = goal_looks(difference, counts, planned, alpha)
    return Comparison(
        metric=metric,
        arm=list(definition.arms)[place],
        verdict=_verdict(metric, look, is_void=is_void),
        control=float(difference.control[-1]),
        treatment=float(difference.treatment[-1]),
        estimate=float(difference.estimate[-1]),
        fixed=_fixed(metric, difference, counts, alpha),
        theta=float(difference.theta[-1]),
        variance_reduction=float(difference.variance_reduction[-1]),
        look=look,
    )


def goal_looks(difference: Difference, counts: Reals, planned: float, alpha: float) -> Look:
    """Return the two-sided sequence of a difference (..., d), of counts (..., d, 2) of both arms."""
    mixture = mixture_parties(planned, alpha)
    is_known = _is_known(difference, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        half = critical_values(difference.parties, mixture, alpha) * difference.standard_error
        scores = difference.estimate / difference.standard_error
    evidence = np.where(is_known, two_sided_log_e_values(scores, difference.parties, mixture), np.nan)
    return Look(
        estimate=np.where(is_known, difference.estimate, np.nan),
        low=np.where(is_known, difference.estimate - half, np.nan),
        high=np.where(is_known, difference.estimate + half, np.nan),
        p_value=anytime_p_values(evidence),
        decided=_first(evidence >= math.log(1 / alpha)),
    )


def guardrail_looks(
    metric: Metric, difference: Difference, counts: Reals, planned: float, alpha: float
) -> Look:
    """Return the one-sided sequence of a guardrail, as above: against harm of at most what is tolerated."""
    # The boundary on one side is nearly that of twice the alpha on two.
    mixture = mixture_parties(planned, min(2 * alpha, 1 - 1e-9))
    is_known = _is_known(difference, counts)
    sign = -1 if metric.good is Direction.UP else 1
    tolerated = metric.tolerated_harm or 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        width = lower_critical_values(difference.parties, mixture, alpha) * difference.standard_error
        scores = (sign * difference.estimate - tolerated) / difference.standard_error
    evidence = np.where(is_known, upper_log_e_values(scores, difference.parties, mixture), np.nan)
    end = np.where(is_known, difference.estimate - sign * width, np.nan)
    nothing = np.full_like(end, np.nan)
    return Look(
        estimate=np.where(is_known, difference.estimate, np.nan),
        low=end if sign > 0 else nothing,
        high=nothing if sign > 0 else end,
        p_value=anytime_p_values(evidence),
        decided=_first(evidence >= math.log(1 / alpha)),
    )


def _is_known(difference: Difference, counts: Reals) -> npt.NDArray[np.bool_]:
    """Return where anything may be said: enough parties in both arms, and some variance between them."""
    is_enough = (counts >= EXPERIMENT_ARM_PARTIES_MIN).all(axis=-1)
    error = difference.standard_error
    return np.asarray(is_enough & (error > 0) & np.isfinite(error))


def _first(is_so: npt.NDArray[np.bool_]) -> Days:
    """Return the first day at which something is so, -1 for never, (...,)."""
    return np.where(is_so.any(axis=-1), is_so.argmax(axis=-1), -1)


def _verdict(metric: Metric, look: Look, *, is_void: bool) -> Verdict:
    if is_void:
        return Verdict.VOID
    decided = int(look.decided)
    if decided < 0:
        return Verdict.UNDECIDED
    if metric.is_guardrail:
        return Verdict.HARMFUL
    is_up = bool(look.estimate[decided] > 0)
    return Verdict.BETTER if is_up == (metric.good is Direction.UP) else Verdict.WORSE


def _fixed(metric: Metric, difference: Difference, counts: Reals, alpha: float) -> tuple[float, float, float]:
    if metric.kind is Kind.PROPORTION and metric.covariate is None:
        both = counts[-1:, 0], counts[-1:, 1]
        found = proportion_interval(difference.control[-1:], difference.treatment[-1:], both, alpha)
    else:
        found = fixed_interval(difference, alpha)
    return float(found.low[-1]), float(found.high[-1]), float(found.p_value[-1])
