"""What a loan must cost: the smallest daily rate at which the return that is expected meets the target.

Over a horizon of T days, of an exposure E with chance of default p and loss given default g::

    earned      (1 - p) r T E            whoever defaults pays no interest: careful, and simple
    lost        p g E
    borrowed    f (1 - k) E T / 365      f a year on what own funds do not carry
    required    t k E T / 365            t a year on the share k that they do
    cost        c                        of keeping the line

    r = ceil( (p g + (f (1 - k) + t k) T / 365 + c / E) / ((1 - p) T) )

The loss is that of the Basel framework (CRE31: PD, LGD, EAD), and a return on own funds after the loss that
is expected is what practice calls risk-adjusted return on capital. Everything is integers, and the rate is
the smallest whole number of millionths a day exactly, not about: with one millionth less the target is
missed.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from formicary.products.lending.millionths import (
    MILLION,
    Words,
    checked_amounts,
    checked_shares,
    part_half_even,
    part_of_part_half_even,
    quotient_ceiling,
)
from formicary.products.lending.underwriting.policy import RATE_MAX, CreditPolicy

__all__ = ["NO_RATE", "expected_losses", "exposures", "rates", "smallest_rates"]

NO_RATE: Final = -1
"""Stands for the rate where none up to the cap is enough."""

_DAYS_OF_A_YEAR: Final = 365
# A cost of so many times the exposure asks for more than any cap; above it words would not hold it.
_COST_TIMES_MAX: Final = 10**12


def exposures(policy: CreditPolicy, limits: Words) -> Words:
    """Return what is owed at default (n,) under limits (n,), in minor units, half even."""
    return part_half_even(checked_amounts(limits), policy.drawn_at_default_millionths)


def expected_losses(amounts: Words, default: Words, loss: Words) -> Words:
    """Return the losses expected (n,) in minor units: PD x LGD x EAD, rounded once, half even.

    Parameters
    ----------
    amounts
        Exposures at default, (n,), in minor units.
    default, loss
        Chances of default and losses given default, (n,), in millionths.
    """
    return part_of_part_half_even(checked_amounts(amounts), checked_shares(default), checked_shares(loss))


def smallest_rates(policy: CreditPolicy, *, default: Words, loss: Words, amounts: Words) -> Words:
    """Return the smallest rates (n,), in millionths a day, at which what is expected meets the target.

    Rates do not fall where ``default`` or ``loss`` rises, nor where an amount falls. One that is above any
    cap is told as ``RATE_MAX + 1``: as where default is certain, so that no price pays.

    Parameters
    ----------
    policy
        The horizon, what money and a line cost, and the target.
    default, loss
        Chances of default within the horizon and losses given default, (n,), in millionths.
    amounts
        Exposures at default, (n,), in minor units; of nothing the price is that of one unit.
    """
    chances, lost, owed = checked_shares(default), checked_shares(loss), checked_amounts(amounts)
    survived = MILLION - chances
    times, rest = np.divmod(_DAYS_OF_A_YEAR * MILLION * policy.cost_per_line, np.maximum(owed, 1))
    # 365 c / E in millionths of millionths; up, since everything else is whole and this must be covered.
    cost = np.minimum(times, _COST_TIMES_MAX) * MILLION + quotient_ceiling(
        rest * MILLION, np.maximum(owed, 1)
    )
    needed = _DAYS_OF_A_YEAR * chances * lost + policy.hurdle_millionths * policy.horizon_days + cost
    earned = _DAYS_OF_A_YEAR * np.maximum(survived, 1) * policy.horizon_days
    found = np.minimum(quotient_ceiling(needed, earned), RATE_MAX + 1)
    return np.where(survived > 0, found, RATE_MAX + 1)


def rates(policy: CreditPolicy, *, default: Words, loss: Words, amounts: Words) -> Words:
    """Return the rates (n,) that are asked, in millionths a day, ``NO_RATE`` where it would pass the cap.

    The smallest rate that is enough, rounded up to a multiple of the policy's step, and no less than its
    floor. A chance below the policy's floor counts as the floor. Parameters are those of ``smallest_rates``.
    """
    believed = np.maximum(checked_shares(default), policy.default_floor_millionths)
    enough = smallest_rates(policy, default=believed, loss=loss, amounts=amounts)
    step = policy.rate_step_millionths
    asked = quotient_ceiling(np.maximum(enough, policy.rate_floor_millionths), step) * step
    return np.where(asked <= policy.rate_cap_millionths, asked, NO_RATE)
