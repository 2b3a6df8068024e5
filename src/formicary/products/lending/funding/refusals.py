"""Why the house's own money does not move.

::

    Refusal
    ├── FundingExceeded         more than there is of it, or than there is cash
    └── FundingRatesExhausted   money is borrowed at too many rates
"""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = ["FundingExceeded", "FundingRatesExhausted"]


class FundingExceeded(Refusal):
    """There is less: own funds, what is borrowed at the rate, what is payable, a partner's money, or cash."""

    code = "funding_exceeded"


class FundingRatesExhausted(Refusal):
    """Money is borrowed at as many different rates as are kept apart."""

    code = "funding_rates_exhausted"
