"""What there is to lend from, as the ledger has it at the moment of a decision."""

from __future__ import annotations

from typing import Final, NamedTuple

from formicary.factory.engine.products import Context
from formicary.products.lending.servicing.postings import LoanAccount, account_words

__all__ = ["EQUITY", "Funds", "funds_of", "held"]

EQUITY: Final = (
    LoanAccount.PAID_IN,
    LoanAccount.INTEREST_INCOME,
    LoanAccount.FEE_INCOME,
    LoanAccount.RECOVERIES,
    LoanAccount.LOSSES,
    LoanAccount.IMPAIRMENT,
    LoanAccount.FUNDING_COST,
)
"""Own funds are what owners paid in, and what was earned with it less what was spent."""


class Funds(NamedTuple):
    """Own funds and cash of the house's own, in minor units.

    Own funds are below zero where losses ate more than there was. Cash that a partner's money stands for is
    the partner's.
    """

    own: int
    cash: int


def funds_of(context: Context, currency: int) -> Funds:
    """Return the house's funds in a currency, by its ISO 4217 number."""
    return Funds(
        own=-held(context, currency, *EQUITY),
        cash=held(context, currency, LoanAccount.CASH, LoanAccount.PARTNER),
    )


def held(context: Context, currency: int, *codes: LoanAccount) -> int:
    """Return debits less credits of the house's accounts together; one that is not open holds nothing."""
    accounts = context.accounts(account_words(codes, currency))
    sides = zip(accounts["debits_posted"].tolist(), accounts["credits_posted"].tolist(), strict=True)
    return sum(debits - credits_ for debits, credits_ in sides)
