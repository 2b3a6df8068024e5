"""How much a party may owe: a share of its sales by its chance of default, in steps, between two bounds."""

from __future__ import annotations

from typing import Final

import numpy as np

from formicary.products.lending.millionths import Words, checked_amounts, part_floor
from formicary.products.lending.underwriting.policy import CreditPolicy

__all__ = ["monthly_sales", "stepped", "turnover_limits"]

_MONTHS: Final = 3


def monthly_sales(sales_30d: Words, sales_90d: Words) -> Words:
    """Return the sales of 30 days that are counted on (n,), in minor units.

    The lesser of the last 30 days and a third of the last 90: a good month raises nothing, a bad one counts.
    """
    return np.minimum(checked_amounts(sales_30d), checked_amounts(sales_90d) // _MONTHS)


def turnover_limits(policy: CreditPolicy, *, default: Words, sales: Words) -> Words:
    """Return limits from sales (n,), in minor units, rounded down; 0 above the last band.

    Parameters
    ----------
    policy
        Its bands.
    default
        Chances of default, (n,), in millionths; one in the first band counts as that band, whatever it is.
    sales
        Of 30 days, (n,), in minor units.
    """
    ends = np.array([band.default_millionths for band in policy.bands], np.int64)
    shares = np.array([*(band.sales_millionths for band in policy.bands), 0], np.int64)
    return part_floor(checked_amounts(sales), shares[np.searchsorted(ends, default, side="left")])


def stepped(policy: CreditPolicy, limits: Words) -> Words:
    """Return limits (n,) as they are lent: no more than the largest, down to a step, 0 below the least."""
    capped = np.minimum(limits, policy.limit_max)
    down = capped - capped % policy.limit_step
    return np.where(down >= policy.limit_min, down, 0)
