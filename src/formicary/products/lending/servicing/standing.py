"""How a loan stands on a day, and what is still to fall due: tried on a copy, as deciders do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from formicary.products.lending.schedules import Disbursement, resolve, valued
from formicary.products.lending.servicing import steps
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.layout import LoanKind, LoanState
from formicary.products.lending.servicing.terms import terms_of

__all__ = ["Instalment", "ahead", "standing"]

_LINE_PERIODS: Final = 12


class Instalment(NamedTuple):
    """What falls due on a day since 1970-01-01, in minor units, and what is owed of the principal then."""

    due: int
    principal: int
    interest: int
    fees: int
    balance: int


def standing(loan: Rows, day: int) -> Rows:
    """Return a copy of a loan, (1,), as it stands on a day, or on the later one that it was brought to."""
    copy = loan.copy()
    steps.advanced(copy, np.maximum(copy["until"].astype(np.int64), day))
    return copy


def ahead(loan: Rows, day: int) -> Iterator[Instalment]:
    """Yield what falls due after a day of a loan, (1,), if all that is due by then is paid on that day.

    Of a loan that is not drawn it is its schedule if all of it were drawn on that day; of a line what is
    drawn, for twelve periods at most.
    """
    is_line = loan["kind"].item() == LoanKind.LINE
    if loan["state"].item() == LoanState.ACCEPTED:
        if not is_line:
            yield from _as_if_drawn(loan[0], day)
        return
    copy = standing(loan, day)
    _pay(copy)
    periods = _LINE_PERIODS if is_line else int(copy["left"].item()) + 1
    for _ in range(periods):
        if copy["state"].item() != LoanState.ACTIVE or not copy["balance"].item() + copy["accrued"].item():
            return
        due = int(copy["next_due"].item())
        steps.advanced(copy, np.array([due], np.int64))
        fees, interest, principal = _pay(copy)
        yield Instalment(due, principal, interest, fees, int(copy["balance"].item()))


def _as_if_drawn(loan: Rows, day: int) -> Iterator[Instalment]:
    told = valued(resolve(terms_of(loan), [Disbursement(day, int(loan["limit"]))]))
    for row in told.instalments:
        yield Instalment(row.due, row.principal, row.interest, row.fees, row.balance)


def _pay(loan: Rows) -> tuple[int, int, int]:
    """Let what is due of a loan, (1,), be paid in place; return fees, interest and principal of it."""
    fees, interest, principal = (
        int(loan[f"{name}_due"].item()) for name in ("fees", "interest", "principal")
    )
    steps.paid(loan, np.array([fees + interest + principal], np.int64), goes_on=False)
    return fees, interest, principal
