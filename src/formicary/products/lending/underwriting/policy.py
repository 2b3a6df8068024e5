"""A lender's policy: what credit costs, how much of a party's sales it may be, and what stops it.

All of it is integers, and each name ends with its unit: ``_millionths`` of the whole, ``_days``, amounts in
minor units of the policy's currency. Rates a year and a day are millionths of what is lent.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from formicary.base.currencies import CURRENCIES
from formicary.products.lending.limits import LENDING_AMOUNT_MAX
from formicary.products.lending.millionths import MILLION
from formicary.products.lending.underwriting.errors import CreditPolicyMalformed

__all__ = ["RATE_MAX", "CreditPolicy", "TurnoverBand"]

RATE_MAX: Final = 10_000
"""Millionths a day that no price may be above, one percent a day: what is above it was mistyped."""

_HORIZON_DAYS_MAX: Final = 3_650
_COST_MAX: Final = 10**9
_HISTORY_DAYS_MAX: Final = 36_500
_MONTHS_MAX: Final = 120
# The largest amount times it still fits a word.
_TURNOVER_MAX: Final = 9 * MILLION
_EXPIRY_DAYS_MAX: Final = 366


@dataclass(frozen=True, kw_only=True)
class TurnoverBand:
    """How much of its sales a party may owe, up to a chance of default.

    Attributes
    ----------
    default_millionths
        The highest chance of default in the band.
    sales_millionths
        The limit as a share of the sales of 30 days: 1,500,000 is one and a half months of them.
    """

    default_millionths: int
    sales_millionths: int


@dataclass(frozen=True, kw_only=True)
class CreditPolicy:
    """The rules by which a lender lends.

    Attributes
    ----------
    currency
        What amounts are minor units of, an ISO 4217 code.
    bands
        How much of its sales a party may owe, by its chance of default, ascending; the limit never grows with
        the chance. Above the last band nothing is lent: its chance is the cap.
    default_floor_millionths
        The least chance of default that is believed (CRR as of 2025, articles 160(1) and 163(1): 500).
    horizon_days
        Within how many days the model's default is counted; the price earns what it must within as many.
    drawn_at_default_millionths
        The share of a line that is owed at default: its exposure at default.
    funding_cost_millionths
        What borrowed money costs a year.
    own_funds_millionths
        The share of what is lent that own funds carry, the rest being borrowed.
    target_return_millionths
        What own funds are to return a year.
    cost_per_line
        What one line costs to keep over the horizon, in minor units.
    rate_floor_millionths, rate_cap_millionths
        Between what prices lie, a day.
    rate_step_millionths
        What prices are multiples of, a day: they are rounded up to one.
    limit_min, limit_max
        Between what limits lie, in minor units; what would be less is not lent.
    limit_step
        What limits are multiples of, in minor units: they are rounded down to one.
    affordable_millionths
        The share of the sales of 30 days that all debts of a party may take, this one included.
    repaid_months
        In how many equal parts of principal, one each 30 days, a line drawn in full must be affordable.
    history_days_min
        Since when a party must have been known.
    arrears_days_max
        How many days past due a party may be with anything.
    expiry_days
        How long an offer holds.
    warned_days
        For how many days nothing more is lent to a party after early warning found its sales fallen; 0 where
        warnings are not heard.

    Raises
    ------
    CreditPolicyMalformed
        See ``findings``.
    """

    currency: str
    bands: tuple[TurnoverBand, ...]
    default_floor_millionths: int = 500
    horizon_days: int = 365
    drawn_at_default_millionths: int = MILLION
    funding_cost_millionths: int = 35_000
    own_funds_millionths: int = 100_000
    target_return_millionths: int = 150_000
    cost_per_line: int = 0
    rate_floor_millionths: int = 150
    rate_cap_millionths: int = 500
    rate_step_millionths: int = 5
    limit_min: int = 100_000
    limit_max: int = 100_000_000
    limit_step: int = 10_000
    affordable_millionths: int = 200_000
    repaid_months: int = 12
    history_days_min: int = 90
    arrears_days_max: int = 0
    expiry_days: int = 30
    warned_days: int = 90

    def __post_init__(self) -> None:
        if wrong := list(self.findings()):
            raise CreditPolicyMalformed("; ".join(wrong))

    @property
    def default_cap_millionths(self) -> int:
        """The chance of default above which nothing is lent."""
        return self.bands[-1].default_millionths

    @property
    def hurdle_millionths(self) -> int:
        """What each unit lent has to earn a year before losses and costs, in millionths of millionths.

        Funding of the borrowed part, and the target on own funds: f (1 - k) + t k.
        """
        borrowed = MILLION - self.own_funds_millionths
        return (
            self.funding_cost_millionths * borrowed
            + self.target_return_millionths * self.own_funds_millionths
        )

    def findings(self) -> Iterator[str]:
        """Go through what is wrong with it."""
        if self.currency not in {known.code for known in CURRENCIES}:
            yield f"{self.currency!r} is no currency"
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                yield f"{name} lies from {least:,} to {most:,}, not {value:,}"
        if self.rate_floor_millionths > self.rate_cap_millionths:
            yield "the floor of rates is above their cap"
        if self.rate_cap_millionths % max(self.rate_step_millionths, 1):
            yield "the cap of rates is a multiple of their step"
        if self.limit_min > self.limit_max:
            yield "the least limit is above the largest"
        if self.limit_min % max(self.limit_step, 1) or self.limit_max % max(self.limit_step, 1):
            yield "the least and the largest limit are multiples of their step"
        yield from self._findings_of_bands()

    def _findings_of_bands(self) -> Iterator[str]:
        if not self.bands:
            yield "there is one band at least"
        for band in self.bands:
            if not 0 < band.default_millionths < MILLION:
                yield f"a band ends between 0 and {MILLION:,} millionths, not at {band.default_millionths:,}"
            if not 0 < band.sales_millionths <= _TURNOVER_MAX:
                yield f"a limit is above 0 and at most {_TURNOVER_MAX:,} millionths of the sales of 30 days"
        for one, after in itertools.pairwise(self.bands):
            if one.default_millionths >= after.default_millionths:
                yield "bands ascend by their chance of default"
            if one.sales_millionths < after.sales_millionths:
                yield "a higher chance of default gives no higher limit"


_BOUNDS: Final = {
    "default_floor_millionths": (0, MILLION - 1),
    "horizon_days": (1, _HORIZON_DAYS_MAX),
    "drawn_at_default_millionths": (1, MILLION),
    "funding_cost_millionths": (0, MILLION),
    "own_funds_millionths": (0, MILLION),
    "target_return_millionths": (0, MILLION),
    "cost_per_line": (0, _COST_MAX),
    "rate_floor_millionths": (0, RATE_MAX),
    "rate_cap_millionths": (1, RATE_MAX),
    "rate_step_millionths": (1, RATE_MAX),
    "limit_min": (1, LENDING_AMOUNT_MAX),
    "limit_max": (1, LENDING_AMOUNT_MAX),
    "limit_step": (1, LENDING_AMOUNT_MAX),
    "affordable_millionths": (1, MILLION),
    "repaid_months": (1, _MONTHS_MAX),
    "history_days_min": (0, _HISTORY_DAYS_MAX),
    "arrears_days_max": (0, _HISTORY_DAYS_MAX),
    "expiry_days": (1, _EXPIRY_DAYS_MAX),
    "warned_days": (0, _HISTORY_DAYS_MAX),
}
