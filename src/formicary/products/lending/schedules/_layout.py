"""How loans, movements, periods and rows lie in memory: structures of words, each a column in the kernels."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["LOAN", "MOVEMENT", "PERIOD", "ROW", "Table", "columns", "table_of"]

Table = npt.NDArray[np.int64]


def _words(*names: str) -> np.dtype[np.void]:
    return np.dtype([(name, np.int64) for name in names])


LOAN: Final = _words(
    "rate",
    "instalments",
    "every",
    "unit",
    "method",
    "interest",
    "day_count",
    "month_end",
    "rounding",
    "principal_grace",
    "interest_payment_grace",
    "interest_free",
    "multiple",
    "adjusted",
    "balloon",
    "down_payment",
    "disbursement_fee",
    "disbursement_fee_share",
    "instalment_fee",
    "instalment_fee_share",
    "start",
    "first_period_days",
    "due_day",
    "carried",
)
"""A loan: the fields of its terms, fees summed up, and its dates.

``rate`` is in billionths a year, shares in millionths. ``first_period_days`` is how long the first period
is, where it has a length of its own, else 0; ``due_day`` the day of the month on which instalments fall due,
0 for that of the day from which they are counted. ``carried`` is interest that is owed before the start and
due with the first instalment.
"""

MOVEMENT: Final = _words("day", "amount", "keeps")
"""What changes the principal: disbursed, or paid early (below zero).

``keeps`` is 1 where the instalment stays and the term changes, 0 where the instalment is computed anew.
"""

PERIOD: Final = _words("due", "gain", "whole", "numerator", "denominator", "shared")
"""A period of a resolved schedule.

Its interest is ``gain / whole`` of the principal; without the rate, ``numerator / denominator`` of a year.
Where ``shared`` is 1, a part of the period has the share of its actual days.
"""

ROW: Final = _words("due", "number", "disbursed", "principal", "interest", "fees", "balance", "deferred")
"""What is due on a day: ``number`` counts instalments from 1; 0 is a disbursement or an early payment."""


def table_of(records: npt.NDArray[np.void]) -> Table:
    """Return records (n,) as a table (n, fields) of words, without copying contiguous ones."""
    packed = np.ascontiguousarray(records)
    return packed.view(np.int64).reshape(len(packed), len(packed.dtype.names or ()))


def columns(dtype: np.dtype[np.void], *names: str) -> list[int]:
    """Return which columns of such a table have these names."""
    return [(dtype.names or ()).index(name) for name in names]
