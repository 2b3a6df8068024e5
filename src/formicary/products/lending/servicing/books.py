"""The books of lending at the close of a business date: what each currency's accounts hold."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from formicary.factory.engine.products import Context
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.postings import LoanAccount, house_account_id

__all__ = ["Books", "books_of"]


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """What the accounts of a currency hold, in minor units, each on the side on which it grows.

    Sums since the first day: income of one day is the difference of two.
    """

    currency: int
    principal: int
    interest_receivable: int
    fees_receivable: int
    interest_income: int
    fee_income: int
    losses: int
    recoveries: int
    allowance_performing: int
    allowance_increased: int
    allowance_impaired: int
    impairment: int


_DEBITS: Final = ("interest_receivable", "fees_receivable", "losses", "impairment")
_CREDITS: Final = (
    "interest_income",
    "fee_income",
    "recoveries",
    "allowance_performing",
    "allowance_increased",
    "allowance_impaired",
)


def books_of(loans: Rows, context: Context) -> tuple[Books, ...]:
    """Return the books of every currency in which there are loans, (n,)."""
    return tuple(
        Books(
            currency=currency,
            principal=int(loans["balance"][loans["currency"] == currency].sum()),
            **{name: _held(name, currency, context) for name in _DEBITS},
            **{name: -_held(name, currency, context) for name in _CREDITS},
        )
        for currency in np.unique(loans["currency"]).tolist()
    )


def _held(name: str, currency: int, context: Context) -> int:
    """Return debits less credits of the house's account, 0 where it is not open yet."""
    account = context.account(house_account_id(LoanAccount[name.upper()], currency))
    return 0 if account is None else int(account["debits_posted"]) - int(account["credits_posted"])
