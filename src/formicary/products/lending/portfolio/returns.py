"""What a book brings: yield, cost of risk, write-offs and return on capital, of days.

Averages are over days, and a year has 365: with sums over the days of a period::

    yield               (interest + fees) 365 / sum of balances
    cost of risk        allowances made less released, 365 / sum of balances
    write-offs          written off less recovered, 365 / sum of balances
    return on capital   (interest + fees - funding - allowances - operating) 365 / sum of own funds

Everything is integers, the results millionths a year, half even. What is written off was put aside before and
is no second expense, if allowances are those of ``underwriting.movements`` plus what was written off of them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.base.rounding import div_half_even
from formicary.products.lending.millionths import MILLION

__all__ = ["RATES", "Days", "Returns", "returns"]

Words: TypeAlias = npt.NDArray[np.int64]

RATES: Final = ("yield_", "cost_of_risk", "write_offs", "return_on_capital")
"""What ``Returns`` tells, in the order in which it is shown."""

_DAYS_OF_A_YEAR: Final = 365


@dataclass(frozen=True, kw_only=True)
class Days:
    """What happened on each day, in columns (days,), in minor units of one currency.

    Attributes
    ----------
    balance, own_funds
        What was owed, and own funds, at the end of the day.
    interest, fees
        What was earned, as it accrued.
    funding, operating
        What borrowed money and work cost.
    allowances
        What was put aside less what was released.
    written_off, recovered
        What was given up, and what came in of it after all.
    """

    balance: Words
    own_funds: Words
    interest: Words
    fees: Words
    funding: Words
    operating: Words
    allowances: Words
    written_off: Words
    recovered: Words


class Returns(msgspec.Struct, frozen=True, kw_only=True):
    """What a book brought in a period, in millionths a year; None where nothing was owed, or owned.

    Attributes
    ----------
    days
        How many there were.
    yield_, cost_of_risk, write_offs
        Of what was owed on average.
    return_on_capital
        Of own funds on average.
    """

    days: int
    yield_: int | None = msgspec.field(name="yield")
    cost_of_risk: int | None
    write_offs: int | None
    return_on_capital: int | None


def returns(days: Days) -> Returns:
    """Return what the days of a period came to."""
    columns = {field.name: np.asarray(getattr(days, field.name)) for field in fields(days)}
    shapes = {name: column.shape for name, column in columns.items()}
    if len(set(shapes.values())) > 1 or any(column.dtype.kind not in "iu" for column in columns.values()):
        message = f"columns of days are whole numbers of one length, not {shapes}"
        raise ProgrammingError(message)
    # Python's integers: sums of balances over years pass a word.
    sums = {name: sum(column.tolist()) for name, column in columns.items()}
    earned = sums["interest"] + sums["fees"]
    spent = sums["funding"] + sums["allowances"] + sums["operating"]
    return Returns(
        days=len(columns["balance"]),
        yield_=_a_year(earned, sums["balance"]),
        cost_of_risk=_a_year(sums["allowances"], sums["balance"]),
        write_offs=_a_year(sums["written_off"] - sums["recovered"], sums["balance"]),
        return_on_capital=_a_year(earned - spent, sums["own_funds"]),
    )


def _a_year(amount: int, base: int) -> int | None:
    """Return an amount beside the sum of a base over days, in millionths a year; None of no base."""
    return div_half_even(amount * _DAYS_OF_A_YEAR * MILLION, base) if base > 0 else None
