"""The books of lending at the close of a business date: what each currency's accounts hold.

They balance by themselves, as cash moves with everything that wallets get and give::

    principal + receivables + cash - allowances = own funds + borrowed + payables + what is a partner's

Own funds are what was paid in and what was earned since, less what was lost and spent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from formicary.factory.engine.products import Context
from formicary.products.lending.funding.funds import EQUITY, held
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.postings import LoanAccount

__all__ = ["Books", "books_of"]


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """What the accounts of a currency hold, in minor units, each on the side on which it grows.

    Sums since the first day: income of one day is the difference of two. ``takeovers`` and
    ``funding_payable`` are owed to whoever sold loans or lent money; ``paid_in`` is what owners brought. Of
    joint loans ``participation`` is a partner's share, and ``partner`` its money that is here.
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
    cash: int = 0
    takeovers: int = 0
    paid_in: int = 0
    borrowed: int = 0
    funding_payable: int = 0
    funding_cost: int = 0
    partner: int = 0
    participation: int = 0

    @property
    def own_funds(self) -> int:
        """What is the house's own, in minor units: paid in, and earned less lost and spent."""
        names = [code.name.lower() for code in EQUITY]
        return sum(-getattr(self, name) if name in _DEBITS else getattr(self, name) for name in names)

    @property
    def imbalance(self) -> int:
        """By how much what there is exceeds what is owed and owned; 0, or something moved past the books."""
        allowances = self.allowance_performing + self.allowance_increased + self.allowance_impaired
        there_is = self.principal + self.interest_receivable + self.fees_receivable + self.cash - allowances
        owed = self.borrowed + self.funding_payable + self.takeovers + self.partner + self.participation
        return there_is - owed - self.own_funds


_DEBITS: Final = (
    "interest_receivable",
    "fees_receivable",
    "losses",
    "impairment",
    "cash",
    "funding_cost",
)
_CREDITS: Final = (
    "interest_income",
    "fee_income",
    "recoveries",
    "allowance_performing",
    "allowance_increased",
    "allowance_impaired",
    "takeovers",
    "paid_in",
    "borrowed",
    "funding_payable",
    "partner",
    "participation",
)


def books_of(loans: Rows, funded: Sequence[int], context: Context) -> tuple[Books, ...]:
    """Return the books of every currency in which there are loans, (n,), or funds."""
    return tuple(
        Books(
            currency=currency,
            principal=int(loans["balance"][loans["currency"] == currency].sum()),
            **{name: _held(name, currency, context) for name in _DEBITS},
            **{name: -_held(name, currency, context) for name in _CREDITS},
        )
        for currency in sorted({*np.unique(loans["currency"]).tolist(), *funded})
    )


def _held(name: str, currency: int, context: Context) -> int:
    return held(context, currency, LoanAccount[name.upper()])
