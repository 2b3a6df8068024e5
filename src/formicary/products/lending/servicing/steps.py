"""Steps of loans, as columns: what deciders try on copies, and what events then do.

Deciding and folding come to the same because they are the same functions: a decider takes a copy of a loan,
brings it to its day, lets it be paid, and makes transfers of what that came to.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.products.lending.servicing import _servicing_kernels as kernels
from formicary.products.lending.servicing.layout import WATERFALLS, LoanState, Owed

__all__ = [
    "Parts",
    "advanced",
    "charged_off",
    "collected",
    "drawn",
    "is_within_period",
    "owed",
    "paid",
    "recovered",
    "taken_over",
    "written_back",
]

Rows = npt.NDArray[Any]
Numbers = npt.NDArray[np.int64]

_CHARGED: Final = {
    Owed.FEES: "charged_fees",
    Owed.INTEREST: "charged_interest",
    Owed.PRINCIPAL: "charged_principal",
}


class Parts(NamedTuple):
    """What payments came to, minor units (n,); ``caught`` is interest that is booked because of them."""

    fees: Numbers
    interest: Numbers
    principal: Numbers
    unbooked: Numbers
    caught: Numbers


def advanced(loans: Rows, days: Numbers) -> tuple[Numbers, Numbers]:
    """Bring loans (n,) to days (n,) in place; return the interest and the fees that are booked, (n,) each."""
    booked, charged = np.zeros(len(loans), np.int64), np.zeros(len(loans), np.int64)
    kernels.advance(loans, days, booked, charged)
    return booked, charged


def drawn(loans: Rows, days: Numbers, amounts: Numbers) -> None:
    """Let loans (n,) that are at their days pay out in place."""
    kernels.draw(loans, days, amounts)


def paid(loans: Rows, amounts: Numbers, *, goes_on: bool) -> Parts:
    """Let loans (n,) be paid in place: what is due, and where it ``goes_on`` what is not yet."""
    parts = np.zeros(len(loans) * kernels.PARTS, np.int64)
    kernels.pay(loans, amounts, int(goes_on), parts)
    table = parts.reshape(len(loans), kernels.PARTS)
    names = (kernels.FEES, kernels.INTEREST, kernels.PRINCIPAL, kernels.UNBOOKED, kernels.CAUGHT)
    return Parts(*(table[:, name] for name in names))


def collected(loans: Rows, wallets: Numbers, available: Numbers) -> Numbers:
    """Return what loans (n,) take of their wallets, places in what is ``available`` there, (m,)."""
    amounts = np.zeros(len(loans), np.int64)
    kernels.collect(loans, wallets, available.copy(), amounts)
    return amounts


def owed(loan: Rows) -> int:
    """Return all that a loan, shape () or (1,), owes at its day, in minor units."""
    names = ("fees_due", "interest_due", "accrued", "balance")
    return sum(int(loan[name].item()) for name in names)


def charged_off(loans: Rows) -> None:
    """Turn what loans (n,) owe into what they still owe after a charge-off, in place.

    Interest that was not booked is given up.
    """
    loans["charged_principal"] = loans["balance"]
    loans["charged_interest"] = loans["interest_due"] + loans["accrued"] - loans["unbooked"]
    loans["charged_fees"] = loans["fees_due"]
    for name in ("balance", "principal_due", "interest_due", "accrued", "unbooked", "fees_due"):
        loans[name] = 0
    loans["segment_interest"] = loans["segment_accrued"] = 0
    loans["state"] = LoanState.CHARGED_OFF


def recovered(loans: Rows, amounts: Numbers) -> None:
    """Let something come of loans (n,) that were charged off, in place and in their orders."""
    orders = np.array([[int(part) for part in order] for order in WATERFALLS])
    left = amounts.copy()
    turns = orders[np.minimum(loans["waterfall"], len(WATERFALLS) - 1)]
    for turn in range(len(Owed)):
        for part, name in _CHARGED.items():
            taken = np.where(turns[:, turn] == part, np.minimum(left, loans[name]), 0)
            loans[name] -= taken
            left -= taken
    loans["recovered"] += amounts - left
    is_over = sum(loans[name] for name in _CHARGED.values()) == 0
    loans["state"][is_over & (loans["state"] == LoanState.CHARGED_OFF)] = LoanState.REPAID


def written_back(loans: Rows, days: Numbers) -> None:
    """Let loans (n,) owe again what was charged off, all of it due, in place."""
    for name, charged in (
        ("balance", "charged_principal"),
        ("principal_due", "charged_principal"),
        ("interest_due", "charged_interest"),
        ("fees_due", "charged_fees"),
    ):
        loans[name] = loans[charged]
    for charged in _CHARGED.values():
        loans[charged] = 0
    loans["left"] = 0
    loans["state"] = LoanState.ACTIVE
    loans["written_back"] = days
    kernels.resume(loans, days)


def taken_over(loans: Rows, balances: Numbers, *, day: int, next_due: int) -> None:
    """Let loans (n,) begin within a period that ends at ``next_due``, in place."""
    loans["state"] = LoanState.ACTIVE
    kernels.begin_within(loans, balances.copy(), day, next_due)


def is_within_period(terms: Rows, day: int, next_due: int) -> bool:
    """Tell whether a day is one of the period of loans, (1,), that ends at ``next_due``."""
    tried = terms.copy()
    kernels.begin_within(tried, np.zeros(1, np.int64), day, next_due)
    return bool(tried["period_start"][0] <= day < next_due)
