"""What borrowed money costs by the day.

The interest of a day is the sum of what is borrowed at each rate times the rate, by 365. It is rounded half
to even to the minor unit, once for all of a currency, and what was rounded goes into the next day: all days
together are never off by more than half a unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from formicary.base.rounding import div_half_even
from formicary.products.lending.funding.schemas import FundingCostAccrued
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.postings import Line, LoanAccount, LoanTransfer, house_account_id

__all__ = ["Accrual", "accrual", "accruals"]

_YEAR: Final = 365 * 10**9
"""Days of a year times the unit of rates."""


class Accrual(NamedTuple):
    """What the days up to one cost in a currency, by its ISO 4217 number: the event, and what it moves."""

    currency: int
    event: FundingCostAccrued
    line: Line


def accrual(funding: Rows, day: int) -> Accrual | None:
    """Return what is borrowed, shape () of ``FUNDING``, cost up to a day; None where it costs nothing."""
    days = day - int(funding["until"])
    pairs = zip(funding["balances"].tolist(), funding["rates"].tolist(), strict=True)
    a_day = sum(balance * rate for balance, rate in pairs)
    if days <= 0 or not a_day:
        return None
    exact = days * a_day + int(funding["rest"])
    cost, currency = div_half_even(exact, _YEAR), int(funding["id_low"])
    expense, payable = (
        house_account_id(code, currency) for code in (LoanAccount.FUNDING_COST, LoanAccount.FUNDING_PAYABLE)
    )
    return Accrual(
        currency,
        FundingCostAccrued(day=day, cost=cost, rest=exact - cost * _YEAR),
        Line(expense, payable, cost, LoanTransfer.FUNDING_COST),
    )


def accruals(fundings: Rows, day: int) -> Iterator[Accrual]:
    """Yield what a day, and those before it that nobody accounted for, cost in each currency, (n,)."""
    for funding in fundings:
        if made := accrual(funding, day):
            yield made
