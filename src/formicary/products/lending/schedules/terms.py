"""The terms of a loan: what was agreed, before there are dates and amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.products.lending.limits import (
    SCHEDULE_AMOUNT_MAX,
    SCHEDULE_FEES_MAX,
    SCHEDULE_INSTALMENTS_MAX,
    SCHEDULE_PERIOD_DAYS_MAX,
    SCHEDULE_RATE_MAX,
)
from formicary.products.lending.schedules._layout import LOAN
from formicary.products.lending.schedules.conventions import (
    DayCount,
    FeeOn,
    InterestBy,
    Method,
    MonthEnd,
    Rounding,
    Unit,
)
from formicary.products.lending.schedules.errors import TermsMalformed

__all__ = ["MILLION", "Fee", "Terms", "findings_of"]

MILLION: Final = 1_000_000
"""Shares are counted in millionths."""

_WORDS: Final = {
    "unit": Unit,
    "method": Method,
    "interest": InterestBy,
    "day_count": DayCount,
    "month_end": MonthEnd,
    "rounding": Rounding,
}


@dataclass(frozen=True, kw_only=True)
class Fee:
    """A fee that the terms declare; no other is ever asked for.

    Attributes
    ----------
    name
        What the borrower reads, such as ``"service"``.
    on
        With what it is asked for: each disbursement, or each instalment.
    amount
        Minor units, 0 or more.
    share
        Besides, of what is disbursed or of the instalment's principal and interest, in millionths.
    """

    name: str
    on: FeeOn
    amount: int = 0
    share: int = 0


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What was agreed of a loan.

    Attributes
    ----------
    rate
        Interest a year, in billionths: 120_000_000 is 12 %.
    instalments
        How many.
    every, unit
        An instalment falls due every so many days, weeks or months.
    method
        How the principal is paid back.
    interest
        Whether a whole period's interest goes by its days, or is the same for each period.
    day_count
        Which part of a year lies between two days.
    month_end
        Where an instalment falls due in a month that lacks its day.
    rounding
        Where halves go, in every rounding.
    principal_grace
        So many first instalments pay no principal.
    interest_payment_grace
        So many first instalments pay no interest; it is due with the one after them, and bears none itself.
    interest_free
        So many first periods bear no interest.
    multiple
        Instalments are rounded to the nearest multiple of so many minor units; of equal principals, they are.
    adjusted
        Whether the equal instalment is moved once, where the last one would differ by more minor units than
        half of the number of instalments.
    balloon
        Minor units of principal that stay for the last instalment.
    down_payment
        Of each disbursement, what is paid back at once, in millionths.
    fees
        All that are asked for.

    Raises
    ------
    TermsMalformed
        See ``findings``.
    """

    rate: int
    instalments: int
    every: int = 1
    unit: Unit = Unit.MONTHS
    method: Method = Method.EQUAL_INSTALMENTS
    interest: InterestBy = InterestBy.DAYS
    day_count: DayCount = DayCount.THIRTY_360
    month_end: MonthEnd = MonthEnd.CLAMP
    rounding: Rounding = Rounding.HALF_EVEN
    principal_grace: int = 0
    interest_payment_grace: int = 0
    interest_free: int = 0
    multiple: int = 1
    adjusted: bool = False
    balloon: int = 0
    down_payment: int = 0
    fees: tuple[Fee, ...] = ()

    def __post_init__(self) -> None:
        if wrong := list(self.findings()):
            raise TermsMalformed("; ".join(wrong))

    def findings(self) -> Iterator[str]:
        """Go through what is wrong with them."""
        yield from (wrong for is_wrong, wrong in findings_of(self._read) if is_wrong)
        if len(self.fees) > SCHEDULE_FEES_MAX:
            yield f"at most {SCHEDULE_FEES_MAX} fees are declared, not {len(self.fees)}"
        names = [fee.name for fee in self.fees]
        if len(set(names)) < len(names) or not all(names):
            yield "each fee has a name of its own"
        if any(fee.amount < 0 or fee.share < 0 for fee in self.fees):
            yield "no fee is below zero"

    def fee(self, on: FeeOn) -> tuple[int, int]:
        """Return what all fees on this come to: minor units, and a share in millionths."""
        fees = [fee for fee in self.fees if fee.on == on]
        return sum(fee.amount for fee in fees), sum(fee.share for fee in fees)

    def record(self) -> npt.NDArray[np.void]:
        """Return them as one loan (1,) without dates, as kernels take it."""
        loans: npt.NDArray[np.void] = np.zeros(1, LOAN)
        for name in LOAN.names or ():
            if hasattr(self, name) or "fee" in name:
                loans[name] = self._read(name)
        return loans

    def _read(self, name: str) -> int:
        if "_fee" not in name:
            return int(getattr(self, name))
        amount, share = self.fee(FeeOn.DISBURSEMENT if name.startswith("disbursement") else FeeOn.INSTALMENT)
        return share if name.endswith("share") else amount


def findings_of(read: Callable[[str], Any]) -> Iterator[tuple[Any, str]]:
    """Go through what can be wrong with terms: whether it is, of one loan or of each of many, and its words.

    Parameters
    ----------
    read
        Return a term by its name, a number or a column of them.
    """
    count, unit = read("instalments"), read("unit")
    yield (count < 1) | (count > SCHEDULE_INSTALMENTS_MAX), f"1 to {SCHEDULE_INSTALMENTS_MAX:,} instalments"
    rate = read("rate")
    yield (rate < 0) | (rate > SCHEDULE_RATE_MAX), f"a rate is 0 to {SCHEDULE_RATE_MAX:,} billionths a year"
    for name, words in _WORDS.items():
        yield (read(name) < 0) | (read(name) >= len(words)), f"no such {name}"
    # Days, twice, as a month has half of 61.
    days = 2 + 12 * (unit == Unit.WEEKS) + 59 * (unit == Unit.MONTHS)
    every = read("every")
    too_long = (every > SCHEDULE_PERIOD_DAYS_MAX) | (every * days > 2 * SCHEDULE_PERIOD_DAYS_MAX)
    yield (every < 1) | too_long, f"a period has 1 to {SCHEDULE_PERIOD_DAYS_MAX:,} days"
    for name in ("principal_grace", "interest_payment_grace", "interest_free"):
        grace = read(name)
        yield (grace < 0) | (grace > count), f"{name} is 0 up to the number of instalments"
    yield read("principal_grace") >= count, "an instalment is left to pay the principal"
    multiple, balloon = read("multiple"), read("balloon")
    yield (multiple < 1) | (multiple > SCHEDULE_AMOUNT_MAX), "instalments are rounded to 1 minor unit or more"
    yield (balloon < 0) | (balloon > SCHEDULE_AMOUNT_MAX), "a balloon is not below zero"
    down = read("down_payment")
    yield (down < 0) | (down >= MILLION), "a down payment is below the whole"
    yield (read("adjusted") < 0) | (read("adjusted") > 1), "adjusted or not"
    is_equal = (read("method") == Method.EQUAL_INSTALMENTS) | (read("adjusted") == 0)
    yield ~np.asarray(is_equal, bool), "only equal instalments are adjusted"
    is_repaid = (read("method") != Method.BULLET) | (balloon == 0)
    yield ~np.asarray(is_repaid, bool), "a bullet has no balloon: all of it is one"
    for on in ("disbursement", "instalment"):
        amount, share = read(f"{on}_fee"), read(f"{on}_fee_share")
        too_much = (amount > SCHEDULE_AMOUNT_MAX) | (share > MILLION)
        yield (amount < 0) | (share < 0) | too_much, f"fees on a {on} come to at most the whole of it"
