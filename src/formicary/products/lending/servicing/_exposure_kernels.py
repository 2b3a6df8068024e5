"""What loans ask for in 30 days, exactly and in whole minor units."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import kernel
from formicary.products.lending.schedules._wide_kernels import divided, product

__all__ = ["ask"]

_BILLION: Final = 1_000_000_000
_MILLION: Final = 1_000_000
_MONTH_DAYS: Final = 30
_WEEK_DAYS: Final = 7
_YEAR_DAYS: Final = 365
_WEEKS: Final = 1
_MONTHS: Final = 2
_LINE: Final = 1
_ACCEPTED: Final = 1
_ACTIVE: Final = 2


@kernel
def _part_ceiling(amount: int, part: int, whole: int) -> int:
    """Return an amount times a part of a whole, rounded up; the product may pass a word."""
    high, low = product(amount, part)
    quotient, rest = divided(high, low, whole)
    return quotient + (1 if rest > 0 else 0)


@kernel
def ask(loans: npt.NDArray[Any], amounts: npt.NDArray[np.int64]) -> None:
    """Write what each loan (n,) asks for in the next 30 days into ``amounts`` (n,), rounded up.

    An instalment counts as often as it falls due in 30 days; of a line it is the share of what is drawn. What
    is undrawn is asked for as if it were drawn: it may be tomorrow. What is due already counts once.
    """
    for place in range(len(loans)):
        loan = loans[place]
        amounts[place] = 0
        is_accepted = loan["state"] == _ACCEPTED
        if not is_accepted and loan["state"] != _ACTIVE:
            continue
        is_line = loan["kind"] == _LINE
        owed = int(loan["limit"]) if is_line or is_accepted else int(loan["balance"])
        if is_line:
            part = _part_ceiling(owed, int(loan["share"]), _MILLION)
        elif is_accepted:
            part = _part_ceiling(owed, 1, max(int(loan["left"]), 1))
        else:
            part = int(loan["instalment"])
        unit = int(loan["unit"])
        days = int(loan["every"]) * (
            _MONTH_DAYS if unit == _MONTHS else (_WEEK_DAYS if unit == _WEEKS else 1)
        )
        asked = _part_ceiling(part, _MONTH_DAYS, max(days, 1)) + int(loan["fee"])
        asked += int(loan["fees_due"]) + int(loan["interest_due"]) + int(loan["principal_due"])
        # A level instalment has its interest within it, once it is known.
        if is_line or is_accepted or loan["is_level"] == 0:
            asked += _part_ceiling(owed, int(loan["rate"]) * _MONTH_DAYS, _BILLION * _YEAR_DAYS)
        amounts[place] = asked
