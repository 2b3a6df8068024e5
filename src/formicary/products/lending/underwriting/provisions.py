"""What is put aside for credit losses that are expected, loan by loan, and how it moved since the day before.

IFRS 9 has three stages (5.5.3, 5.5.5, appendix A):

====  =======================================================  =============================================
stage  a loan is in it                                          what is put aside
====  =======================================================  =============================================
1      unless it is in another                                  losses of defaults within 12 months
2      the risk rose significantly since the loan was made      losses of defaults within its whole life
3      it is in default: 90 days past due, or found to be       the loss given default
====  =======================================================  =============================================

The allowance is PD x LGD x EAD with EAD = drawn + undrawn x the share of it that is drawn by default. Chances
beyond a year compound year by year, and within a year defaults are spread evenly (the actuaries' uniform
distribution of deaths): 1 - (1 - p)^y (1 - p d / 365). Losses given default are present values at the loan's
effective rate, as of the day: discounting is part of the loss, and no second one is made here.

Everything is integers, rounded to the minor unit once, half even.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.products.lending.limits import LENDING_YEARS_MAX
from formicary.products.lending.millionths import (
    MILLION,
    Words,
    checked_amounts,
    checked_shares,
    part_half_even,
    part_of_part_half_even,
    quotient_half_even,
)
from formicary.products.lending.underwriting.errors import CreditPolicyMalformed

__all__ = ["PROVISION", "Loans", "ProvisionPolicy", "Stage", "chances_within", "provisions"]

Flags: TypeAlias = npt.NDArray[np.bool_]

_DAYS_OF_A_YEAR: Final = 365
_RATIO_MIN: Final = 100


class Stage(IntEnum):
    """Stages of IFRS 9."""

    PERFORMING = 1
    INCREASED = 2
    IMPAIRED = 3


@dataclass(frozen=True, kw_only=True)
class ProvisionPolicy:
    """When a loan changes its stage.

    Attributes
    ----------
    increased_days
        From how many days past due on the risk has risen. The standard presumes it above 30 (5.5.11); from
        the thirtieth on is a day more careful.
    impaired_days
        From how many days past due on a loan is in default (B5.5.37 presumes 90 at the latest).
    ratio_percent
        So many times its chance of default when it was made, in percent, and the risk has risen: 200 for
        twice.
    rise_min_millionths
        And by so much at least, so that twice next to nothing counts for nothing.
    drawn_millionths
        The share of an undrawn line that is drawn by default.

    Raises
    ------
    CreditPolicyMalformed
        See ``findings``.
    """

    increased_days: int = 30
    impaired_days: int = 90
    ratio_percent: int = 200
    rise_min_millionths: int = 0
    drawn_millionths: int = 500_000

    def __post_init__(self) -> None:
        if wrong := list(self.findings()):
            raise CreditPolicyMalformed("; ".join(wrong))

    def findings(self) -> Iterator[str]:
        """Go through what is wrong with it."""
        if not 0 < self.increased_days < self.impaired_days:
            yield "the risk has risen before a loan is in default, and after a day"
        if self.ratio_percent <= _RATIO_MIN:
            yield f"a risk has risen above {_RATIO_MIN} percent of what it was"
        for name in ("rise_min_millionths", "drawn_millionths"):
            if not 0 <= getattr(self, name) <= MILLION:
                yield f"{name} lies from 0 to {MILLION:,}"


PROVISION: Final = np.dtype(
    [
        ("loan", np.uint64, (2,)),
        ("currency", np.uint16),
        ("stage", np.uint8),
        ("chance", np.int32),
        ("exposure", np.int64),
        ("allowance", np.int64),
    ]
)
"""What is put aside for a loan: its id of two words, the number of its currency, the ``Stage``, the chance
that was counted in millionths, the exposure at default and the allowance in minor units."""


@dataclass(frozen=True, kw_only=True)
class Loans:
    """Loans as they stand on a day, in columns of one order.

    Attributes
    ----------
    loan
        Ids of two words, (n, 2), each once.
    currency
        The number of its currency, (n,).
    drawn, undrawn
        What is owed, interest that has accrued included, and what can still be drawn, in minor units, (n,).
    days_past_due
        Of its oldest unpaid amount, 0 for none, (n,).
    days_left
        Until the last payment is due, (n,); of a line until it can be ended. 0 counts as one day.
    default, default_at_start
        The chance of default within 12 months, now and when the loan was made, in millionths, (n,).
    loss
        The loss given default in millionths, as a present value, (n,).
    is_impaired
        Whether it was found to be in default for another reason, as an insolvency, (n,).
    """

    loan: npt.NDArray[np.uint64]
    currency: npt.NDArray[np.uint16]
    drawn: Words
    undrawn: Words
    days_past_due: Words
    days_left: Words
    default: Words
    default_at_start: Words
    loss: Words
    is_impaired: Flags

    def __post_init__(self) -> None:
        """Refuse columns that do not belong together with a ``ProgrammingError``."""
        shapes = {field.name: np.shape(getattr(self, field.name)) for field in fields(self)}
        ids = shapes.pop("loan")
        if len(set(shapes.values())) > 1 or ids != (len(self.default), 2):
            message = f"columns of loans differ in shape: {ids}, {shapes}"
            raise ProgrammingError(message)


def chances_within(default: Words, days: Words) -> Words:
    """Return the chances (n,) of default within so many days, in millionths, of those within 12 months.

    They do not fall where ``default`` or ``days`` rises; of 365 days they are ``default``. Each year's
    survival is rounded to a millionth, half even.

    Parameters
    ----------
    default
        Within 12 months, (n,), in millionths.
    days
        At least 0, at most ``LENDING_YEARS_MAX`` years, (n,).
    """
    chances = checked_shares(default)
    years, rest = np.divmod(np.asarray(days, np.int64), _DAYS_OF_A_YEAR)
    if len(years) and not 0 <= int(years.min()) <= int(years.max()) <= LENDING_YEARS_MAX:
        message = f"days are 0 up to those of {LENDING_YEARS_MAX} years"
        raise ProgrammingError(message)
    survived = np.full(len(chances), MILLION)
    for year in range(int(years.max(initial=0))):
        survived = np.where(year < years, part_half_even(survived, MILLION - chances), survived)
    in_rest = _DAYS_OF_A_YEAR * MILLION - chances * rest
    return MILLION - quotient_half_even(survived * in_rest, _DAYS_OF_A_YEAR * MILLION)


def provisions(policy: ProvisionPolicy, loans: Loans) -> npt.NDArray[Any]:
    """Return what is put aside for each loan, (n,) of ``PROVISION``, in the order of loans."""
    drawn, loss = checked_amounts(loans.drawn), checked_shares(loans.loss)
    stages = _stages(policy, loans)
    exposure = drawn + part_half_even(checked_amounts(loans.undrawn), policy.drawn_millionths)
    left = np.maximum(loans.days_left, 1)
    within_a_year = chances_within(loans.default, np.minimum(left, _DAYS_OF_A_YEAR))
    for_life = chances_within(loans.default, left)
    chances = np.select(
        [stages == Stage.IMPAIRED, stages == Stage.INCREASED],
        [np.int64(MILLION), for_life],
        within_a_year,
    )
    told = np.zeros(len(loans.default), PROVISION)
    told["loan"], told["currency"], told["stage"] = loans.loan, loans.currency, stages
    told["chance"], told["exposure"] = chances, exposure
    told["allowance"] = part_of_part_half_even(exposure, chances, loss)
    return told


def _stages(policy: ProvisionPolicy, loans: Loans) -> npt.NDArray[np.uint8]:
    late, now = loans.days_past_due, checked_shares(loans.default)
    start = checked_shares(loans.default_at_start)
    is_impaired = loans.is_impaired | (late >= policy.impaired_days)
    has_doubled = (now * _RATIO_MIN >= start * policy.ratio_percent) & (now > start)
    has_risen = (late >= policy.increased_days) | (has_doubled & (now - start >= policy.rise_min_millionths))
    found = np.select([is_impaired, has_risen], [Stage.IMPAIRED, Stage.INCREASED], Stage.PERFORMING)
    return found.astype(np.uint8)
