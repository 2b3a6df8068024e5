"""What a party can carry: the largest line whose first instalment its sales still pay.

A line drawn in full is paid back in n equal parts of principal, one each 30 days, with interest by the day on
what is left. The first instalment is the largest: L / n + 30 r L. The share of sales that debts may take,
less what other debts take already, must cover it at the highest price of the policy, so that the price which
comes out of it later cannot make it unaffordable::

    L = floor( (a s - d) / (1 / n + 30 r) )

with sales s of 30 days, their share a, other debts' instalments d of 30 days.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from formicary.products.lending.millionths import MILLION, Words, checked_amounts, part_floor
from formicary.products.lending.underwriting.policy import CreditPolicy

__all__ = ["affordable_limits"]

_DAYS_OF_A_MONTH: Final = 30


def affordable_limits(policy: CreditPolicy, *, sales: Words, debt_service: Words) -> Words:
    """Return the largest affordable lines (n,), in minor units; they do not fall where sales rise.

    Parameters
    ----------
    policy
        The share of sales for debts, the number of instalments, the highest price.
    sales
        Of 30 days, (n,), in minor units.
    debt_service
        What all other debts ask for in 30 days, (n,), in minor units.
    """
    allowed = part_floor(checked_amounts(sales), policy.affordable_millionths)
    left = np.maximum(allowed - checked_amounts(debt_service), 0)
    months = policy.repaid_months
    divisor = MILLION + months * _DAYS_OF_A_MONTH * policy.rate_cap_millionths
    # (left n) 10**6 / divisor in two steps: a word does not hold the product.
    whole, rest = np.divmod(left * months, divisor)
    return np.asarray(whole * MILLION + rest * MILLION // divisor, np.int64)
