"""A lender and its parties, for tests: whoever nothing is changed of gets a line."""

from __future__ import annotations

from typing import Any

import numpy as np

from formicary.products.lending.millionths import MILLION
from formicary.products.lending.underwriting.capital import Book, CapitalPolicy
from formicary.products.lending.underwriting.policy import CreditPolicy, TurnoverBand
from formicary.products.lending.underwriting.preapproval import Parties

POLICY = CreditPolicy(
    currency="CNY",
    bands=(
        TurnoverBand(default_millionths=20_000, sales_millionths=1_500_000),
        TurnoverBand(default_millionths=80_000, sales_millionths=600_000),
    ),
)
CAPITAL = CapitalPolicy()
RICH = Book(own_funds=10**12, cash=10**12)
POOR = Book(own_funds=0, cash=10**12)

GOOD = {
    "default": 15_000,
    "loss": 400_000,
    "sales_30d": 2_000_000,
    "sales_90d": 6_600_000,
    "debt_service": 50_000,
    "history_days": 400,
    "arrears_days": 0,
    "warned_days": -1,
    "is_stopped": False,
    "segments": 3,
    "groups": 1,
    "retained": MILLION,
}


def parties(*changes: dict[str, Any]) -> Parties:
    """Return parties, each as good as there are but for its changes; each is a group of its own."""
    rows = [{**GOOD, "groups": place, **changed} for place, changed in enumerate(changes)]
    columns = {name: np.array([row[name] for row in rows]) for name in GOOD}
    return Parties(
        **{
            name: column.astype(bool if name == "is_stopped" else np.int64)
            for name, column in columns.items()
        }
    )
