"""Whether loans and ledger say the same: every loan's balance, and the sums of what is owed besides."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from formicary.factory.engine.state import FactoryState
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.postings import LoanAccount, house_account_id
from formicary.products.lending.servicing.providing import ALLOWANCES

__all__ = ["Difference", "differences"]

_LOANS: Final = "loan"
_SHOWN_MAX: Final = 100


class Difference(NamedTuple):
    """An account that does not hold what loans say, in minor units, debits less credits."""

    account: int
    currency: int
    on_the_ledger: int
    by_the_loans: int


def differences(state: FactoryState) -> list[Difference]:
    """Return where loans and ledger differ; nothing is as it should be. A look, for the engine to run."""
    loans = state.aggregates[_LOANS].records
    return [*_of_loans(state, loans), *_of_house(state, loans)]


def _of_loans(state: FactoryState, loans: Rows) -> list[Difference]:
    ids = np.column_stack([loans["id_high"], loans["id_low"]])
    held = _held(state, ids)
    wrong = np.flatnonzero(held != loans["balance"])[:_SHOWN_MAX].tolist()
    return [
        Difference(
            (int(ids[place, 0]) << 64) | int(ids[place, 1]),
            int(loans["currency"][place]),
            int(held[place]),
            int(loans["balance"][place]),
        )
        for place in wrong
    ]


def _of_house(state: FactoryState, loans: Rows) -> list[Difference]:
    found = []
    for currency in np.unique(loans["currency"]).tolist():
        of_it = loans[loans["currency"] == currency]
        owed = {
            LoanAccount.INTEREST_RECEIVABLE: of_it["interest_due"] + of_it["accrued"] - of_it["unbooked"],
            LoanAccount.FEES_RECEIVABLE: of_it["fees_due"],
        }
        # An allowance is on the other side of the books.
        for stage, allowance in ALLOWANCES.items():
            owed[allowance] = np.where(of_it["stage"] == stage, -of_it["allowance"], 0)
        for code, amounts in owed.items():
            account = house_account_id(code, currency)
            words = np.array([[account >> 64, account & (2**64 - 1)]], np.uint64)
            on_the_ledger, by_the_loans = int(_held(state, words)[0]), int(amounts.sum())
            if on_the_ledger != by_the_loans:
                found.append(Difference(account, currency, on_the_ledger, by_the_loans))
    return found


def _held(state: FactoryState, ids: Rows) -> Rows:
    accounts = state.machine.accounts_at(ids)
    held: Rows = accounts["debits_posted"] - accounts["credits_posted"]
    return held
