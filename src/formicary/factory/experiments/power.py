"""How many parties and days an experiment takes, or how small an effect it can show: fixed and at any time.

A fixed test looks once, when it was planned to. A sequence is looked at every day, and costs more parties
where the effect is as small as was planned for; where it is larger the sequence ends earlier. Both are of a
difference of means, normal for the many parties that there are::

    variance of a party = deviation^2 * (1 - correlation^2) * (1 / share + 1 / (1 - share))
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from formicary.base.limits import EXPERIMENT_DAYS_MAX
from formicary.factory.experiments.crossing import crossing_probabilities
from formicary.factory.experiments.errors import PlanRefused
from formicary.factory.experiments.sequences import critical_values, mixture_parties

__all__ = [
    "Plan",
    "anytime_days",
    "anytime_power",
    "fixed_days",
    "fixed_effect",
    "fixed_parties",
    "fixed_power",
    "peeking_errors",
    "smallest_effect",
]

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an experiment is planned with.

    Attributes
    ----------
    parties_per_day
        Of both arms.
    deviation
        The standard deviation of the metric between parties.
    alpha
        The chance of calling anything different that is not.
    power
        The chance of calling different what is as different as the effect.
    share
        Of the parties, those in the arm that is compared.
    correlation
        Of the metric with a covariate of what was before; 0 without one.

    Raises
    ------
    PlanRefused
        A number is outside of what it can be.
    """

    parties_per_day: float
    deviation: float
    alpha: float = 0.05
    power: float = 0.8
    share: float = 0.5
    correlation: float = 0.0

    def __post_init__(self) -> None:
        for name in ("alpha", "power", "share"):
            if not 0 < getattr(self, name) < 1:
                message = f"{name} lies between 0 and 1"
                raise PlanRefused(message)
        if not (math.isfinite(self.parties_per_day) and self.parties_per_day >= 1):
            message = "there is at least one party a day"
            raise PlanRefused(message)
        if not (math.isfinite(self.deviation) and self.deviation > 0):
            message = "the deviation is more than 0"
            raise PlanRefused(message)
        if not -1 < self.correlation < 1:
            message = "a correlation lies between -1 and 1"
            raise PlanRefused(message)
        if self.power <= self.alpha:
            message = "the power is more than alpha"
            raise PlanRefused(message)

    @property
    def party_deviation(self) -> float:
        """The standard error of the difference, times the root of the parties."""
        of_arms = 1 / self.share + 1 / (1 - self.share)
        return self.deviation * math.sqrt((1 - self.correlation**2) * of_arms)


# -- one look ------------------------------------------------------------------------------


def fixed_parties(plan: Plan, effect: float) -> float:
    """Return how many parties one planned look takes to show an effect."""
    return (_quantiles(plan) * plan.party_deviation / _size(effect)) ** 2


def fixed_days(plan: Plan, effect: float) -> int:
    """Return how many whole days one planned look takes to show an effect."""
    return math.ceil(fixed_parties(plan, effect) / plan.parties_per_day)


def fixed_effect(plan: Plan, days: int) -> float:
    """Return the smallest effect that one look after some days shows."""
    return _quantiles(plan) * plan.party_deviation / math.sqrt(_days(days) * plan.parties_per_day)


def fixed_power(plan: Plan, effect: float, days: int) -> float:
    """Return the chance that one look after some days shows an effect, in either direction."""
    score = _size(effect) * math.sqrt(_days(days) * plan.parties_per_day) / plan.party_deviation
    quantile = ndtri(1 - plan.alpha / 2)
    return float(ndtr(score - quantile) + ndtr(-score - quantile))


def _quantiles(plan: Plan) -> float:
    return float(ndtri(1 - plan.alpha / 2) + ndtri(plan.power))


def _size(effect: float) -> float:
    if not math.isfinite(effect) or effect == 0:
        message = "an effect is a number other than 0"
        raise PlanRefused(message)
    return abs(effect)


def _days(days: int) -> int:
    if not 1 <= days <= EXPERIMENT_DAYS_MAX:
        message = f"1 to {EXPERIMENT_DAYS_MAX} days are planned"
        raise PlanRefused(message)
    return days


# -- a look every day ----------------------------------------------------------------------


def anytime_power(plan: Plan, effect: float, days: int, *, planned_parties: float) -> Reals:
    """Return the chance that a sequence has shown an effect by the end of each day, (days,).

    ``planned_parties`` is where the sequence is tightest, as a definition says it.
    """
    parties = np.arange(1, _days(days) + 1) * plan.parties_per_day
    boundaries = critical_values(parties, mixture_parties(planned_parties, plan.alpha), plan.alpha)
    drift = _size(effect) * math.sqrt(plan.parties_per_day) / plan.party_deviation
    return crossing_probabilities(boundaries, drift)


def anytime_days(plan: Plan, effect: float) -> int | None:
    """Return after how many days a sequence has shown an effect; None for over ``EXPERIMENT_DAYS_MAX``.

    It is made tightest where one planned look would be.
    """
    # However it looks, no test shows an effect with fewer parties than one look to one side.
    least = ((ndtri(1 - plan.alpha) + ndtri(plan.power)) * plan.party_deviation / _size(effect)) ** 2
    if least > EXPERIMENT_DAYS_MAX * plan.parties_per_day:
        return None
    planned = fixed_parties(plan, effect)
    # A sequence takes longer than one look, and hardly ever three times as long.
    days = min(4 * fixed_days(plan, effect) + 1, EXPERIMENT_DAYS_MAX)
    shown = anytime_power(plan, effect, days, planned_parties=planned)
    enough = np.flatnonzero(shown >= plan.power)
    return int(enough[0]) + 1 if len(enough) else None


def smallest_effect(plan: Plan, days: int) -> float:
    """Return the smallest effect that a sequence shows within some days, tightest at their end."""
    planned = _days(days) * plan.parties_per_day
    last = float(critical_values(planned, mixture_parties(planned, plan.alpha), plan.alpha))
    error = plan.party_deviation / math.sqrt(planned)

    def missing(effect: float) -> float:
        # As scores, which grow nearly in proportion to the effect.
        shown = float(anytime_power(plan, effect, days, planned_parties=planned)[-1])
        return float(ndtri(plan.power) - ndtri(shown))

    # The last look alone shows the larger one; no sequence shows what one planned look does not.
    return float(brentq(missing, fixed_effect(plan, days), (last + ndtri(plan.power)) * error, rtol=1e-6))


def peeking_errors(alpha: float, looks: int) -> Reals:
    """Return the chance that a fixed test errs by some day, looked at on each of them, (looks,)."""
    return crossing_probabilities(np.full(_days(looks), ndtri(1 - alpha / 2)), 0.0)
