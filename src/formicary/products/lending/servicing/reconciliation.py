"""Whether loans and ledger say the same: every loan's balance, the sums of what is owed, the house's cash.

Cash is right where the books balance: it is what all other accounts of lending leave.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from formicary.factory.engine.state import FactoryState
from formicary.products.lending.funding import schemas
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.joint import participations
from formicary.products.lending.servicing.postings import (
    HOUSE_ACCOUNTS,
    LoanAccount,
    account_words,
    house_account_id,
)
from formicary.products.lending.servicing.providing import ALLOWANCES

__all__ = ["Difference", "differences"]

_LOANS: Final = "loan"
_SHOWN_MAX: Final = 100
_BESIDE: Final = (LoanAccount.CASH, LoanAccount.CLIENT_MONEY)


class Difference(NamedTuple):
    """An account that does not hold what loans, or all others, say: minor units, debits less credits."""

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
    fundings = state.aggregates[schemas.NAME].records
    currencies = {*np.unique(loans["currency"]).tolist(), *fundings["id_low"].tolist()}
    return [
        Difference(house_account_id(code, currency), currency, held, told)
        for currency in sorted(currencies)
        for code, held, told in _compared(state, currency, loans, fundings)
        if held != told
    ]


def _compared(
    state: FactoryState, currency: int, loans: Rows, fundings: Rows
) -> Iterator[tuple[LoanAccount, int, int]]:
    """Yield accounts of the house in a currency, what they hold, and what they must hold."""
    of_it = loans[loans["currency"] == currency]
    owed: dict[LoanAccount, Rows] = {
        LoanAccount.INTEREST_RECEIVABLE: of_it["interest_due"] + of_it["accrued"] - of_it["unbooked"],
        LoanAccount.FEES_RECEIVABLE: of_it["fees_due"],
        LoanAccount.PARTICIPATION: -participations(of_it),
        LoanAccount.BORROWED: -fundings["balances"][fundings["id_low"] == currency],
    }
    # An allowance is on the other side of the books.
    for stage, allowance in ALLOWANCES.items():
        owed[allowance] = np.where(of_it["stage"] == stage, -of_it["allowance"], 0)
    held = _held(state, account_words(HOUSE_ACCOUNTS, currency))
    by_code: dict[LoanAccount, int] = dict(zip(HOUSE_ACCOUNTS, held.tolist(), strict=True))
    yield from ((code, by_code[code], int(amounts.sum())) for code, amounts in owed.items())
    # The books balance, so cash is what all others leave; clients' money is not the house's.
    others = [one for code, one in by_code.items() if code not in _BESIDE]
    yield LoanAccount.CASH, by_code[LoanAccount.CASH], -sum(others) - int(of_it["balance"].sum())


def _held(state: FactoryState, ids: Rows) -> Rows:
    accounts = state.machine.accounts_at(ids)
    held: Rows = accounts["debits_posted"] - accounts["credits_posted"]
    return held
