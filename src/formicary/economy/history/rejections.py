"""Rejected rows: why, and where each stands; collected as values, so that one bad row stops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["REJECTIONS", "Marks", "Reason", "rejections"]


class Reason(StrEnum):
    """Why a row was not imported."""

    MISSING_VALUE = "missing_value"
    """A column that the mapping needs is empty."""
    NOT_A_NUMBER = "not_a_number"
    """A column that is to be a number is none."""
    TOO_MANY_DECIMALS = "too_many_decimals"
    """An amount has more decimals than its currency, and the mapping names no rounding."""
    NUMBER_TOO_LARGE = "number_too_large"
    """A number has more than 63 bits, or a binary fraction is too large to be exact."""
    NEGATIVE_AMOUNT = "negative_amount"
    """An amount is negative, and the mapping does not say what that means."""
    UNKNOWN_CURRENCY = "unknown_currency"
    """A currency is no active one of ISO 4217."""
    UNPARSABLE_TIME = "unparsable_time"
    """A time cannot be read as the mapping says."""
    BEFORE_1970 = "before_1970"
    """A time is not after the beginning of 1970."""
    IN_THE_FUTURE = "in_the_future"
    """A row would happen only after now."""
    NOT_KNOWN_YET = "not_known_yet"
    """A fact happened, but with the delay of ``known_after`` it becomes known only after now."""
    DUPLICATE_KEY = "duplicate_key"
    """An earlier row of the same event has the same key."""
    PAYER_IS_PAYEE = "payer_is_payee"
    """Both sides of a transfer are the same."""
    UNKNOWN_PARTY = "unknown_party"
    """A key is none of those in the file that declares the parties."""
    LINES_DIFFER = "lines_differ"
    """Lines of one key have other sides or another currency."""
    LINE_REJECTED = "line_rejected"
    """Another line of the same key was rejected, so that the sum would be wrong."""
    OLDER_THAN_JOURNAL = "older_than_journal"
    """A transfer is not later than the ledger's last one, and was not imported before."""
    CHANGED = "changed"
    """The same key was imported before with another content."""
    REFUSED = "refused"
    """The ledger or a product refused it for another reason; the column is its code."""


REJECTIONS: Final = pl.Schema(
    {"event": pl.String, "file": pl.String, "row": pl.UInt32, "column": pl.String, "reason": pl.String}
)
"""Rejected rows: the event or party, the file as the mapping names it, the row's number from 1.

No value of the row: a report is passed on, and values may be personal data.
"""


def rejections(event: str, file: str, row: pl.Series, column: pl.Series, reason: pl.Series) -> pl.DataFrame:
    """Return rejected rows (n,) of one event as a frame of ``REJECTIONS``."""
    columns = {"row": row.cast(pl.UInt32), "column": column.cast(pl.String), "reason": reason.cast(pl.String)}
    named = pl.DataFrame(columns).with_columns(event=pl.lit(event), file=pl.lit(file))
    return named.select(REJECTIONS.names())


class Marks:
    """The first thing that is wrong with each of n rows."""

    def __init__(self, rows: int) -> None:
        self._codes: npt.NDArray[np.int32] = np.zeros(rows, np.int32)
        self._kinds: list[tuple[str, Reason]] = []

    def mark(self, mask: pl.Series | npt.NDArray[Any], column: str, reason: Reason) -> None:
        """Reject the rows of a mask (n) that nothing was wrong with before; null is no."""
        wrong = mask.fill_null(value=False).to_numpy() if isinstance(mask, pl.Series) else mask
        self._kinds.append((column, reason))
        self._codes[wrong & (self._codes == 0)] = len(self._kinds)

    @property
    def good(self) -> pl.Series:
        """Which rows nothing is wrong with (n)."""
        return pl.Series(self._codes == 0)

    def wrong(self) -> Iterator[tuple[pl.Series, str, Reason]]:
        """Yield what is wrong: the mask of its rows (n), the column and the reason."""
        for code, (column, reason) in enumerate(self._kinds):
            yield pl.Series(self._codes == code + 1), column, reason

    def rejected(self, event: str, file: str, row: pl.Series) -> pl.DataFrame:
        """Return the rejected among the rows with these numbers (n)."""
        kinds = [self._kinds[code - 1] for code in self._codes[self._codes != 0].tolist()]
        columns, reasons = ([kind[at] for kind in kinds] for at in (0, 1))
        numbers = row.filter(~self.good)
        return rejections(
            event, file, numbers, pl.Series(columns, dtype=pl.String), pl.Series(reasons, dtype=pl.String)
        )
