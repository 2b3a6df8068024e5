"""Load the kernels of lending before the first request, so that nobody waits for a compiler."""

from __future__ import annotations

import numpy as np

from formicary.products.lending.servicing import exposure, steps
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.layout import LOAN
from formicary.products.lending.servicing.terms import quoted

__all__ = ["load_kernels"]

_DAY = 20_000
_AMOUNT = 1_000_00


def load_kernels() -> None:
    """Load the kernels of loans and of their schedules, compiling those that are not in the cache."""
    loans = np.zeros(1, LOAN)
    LoanTerms(kind=2, rate=120_000_000, instalments=2).put(loans)
    amounts, days = np.array([_AMOUNT], np.int64), np.array([_DAY], np.int64)
    loans["instalment"] = quoted(loans[0], amount=_AMOUNT, day=_DAY).instalment
    exposure.of_party(loans, currency=0, day=_DAY)
    steps.drawn(loans, days, amounts)
    steps.advanced(loans, days + 32)
    due = steps.collected(loans, np.zeros(1, np.int64), amounts)
    steps.paid(loans, due, goes_on=False)
    steps.charged_off(loans)
    steps.written_back(loans, days + 32)
    steps.is_within_period(loans, _DAY, _DAY + 1)
