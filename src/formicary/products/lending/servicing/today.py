"""A loan on a copy, brought to today: what a decider tries things on before it decides them.

Today is the day of the command's stamp in UTC, or the day that the loan was brought to, if that is later.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from formicary.factory.engine.products import Context, Decision, DomainEvent
from formicary.products.lending.servicing import joint, steps
from formicary.products.lending.servicing.fields import Rows, id_of
from formicary.products.lending.servicing.lines import accrual_lines, payment_lines
from formicary.products.lending.servicing.postings import cash_line, missing_accounts, transfers
from formicary.products.lending.servicing.terms import day_at

__all__ = ["Today"]


class Today:
    """A loan at its day, and the lines of the ledger that this and what follows take.

    Attributes
    ----------
    loan
        The copy, (1,) of ``LOAN``.
    day
        Days since 1970-01-01.
    lines
        What moves so far.
    """

    def __init__(self, record: Rows, context: Context) -> None:
        # Of one record numpy makes a view where it is asked for an array.
        self.loan = np.zeros(1, record.dtype)
        self.loan[0] = record
        self._context = context
        self.currency = int(record["currency"])
        self.id, self.wallet = id_of(record, "id"), id_of(record, "wallet")
        self.day = max(day_at(context.now), int(record["until"]))
        interest, fees = steps.advanced(self.loan, np.array([self.day], np.int64))
        self.lines = accrual_lines(self.currency, interest=int(interest[0]), fees=int(fees[0]))
        self.shares(joint.earned(self.loan, interest + fees))

    @property
    def record(self) -> Rows:
        """The copy, shape ()."""
        record: Rows = self.loan[0]
        return record

    def pays(self, amount: int, payer: int) -> None:
        """Let it be paid an amount from an account."""
        parts = steps.paid(self.loan, np.array([amount], np.int64), goes_on=True)
        self.lines += payment_lines(payer, self.id, self.currency, parts)
        self.shares(joint.paid(self.loan, parts))

    def draws(self, amount: int) -> None:
        """Let it pay an amount out; who gets it is for the caller to say."""
        drawn = np.array([amount], np.int64)
        steps.drawn(self.loan, np.array([self.day], np.int64), drawn)
        self.shares(joint.drawn(self.loan, drawn))

    def shares(self, moves: joint.Moves) -> None:
        """Let a partner have its share."""
        self.lines += [line for _, line in moves]

    def decision(self, *events: DomainEvent, **answer: Any) -> Decision:
        """Return what is decided; the house's cash moves by what its wallet gets or gives in all."""
        gets = sum(line.amount for line in self.lines if line.credit == self.wallet)
        gives = sum(line.amount for line in self.lines if line.debit == self.wallet)
        lines = [*self.lines, cash_line(self.currency, gets - gives)]
        return Decision(
            events=events,
            # A journal that is older than an account has none of it yet.
            accounts=missing_accounts(self._context, self.currency),
            transfers=transfers(lines, loan=self.id, currency=self.currency),
            answer=answer,
        )
