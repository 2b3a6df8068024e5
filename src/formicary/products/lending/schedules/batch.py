"""Schedules of many loans at once, through the kernel that one loan goes through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from formicary.products.lending.limits import SCHEDULE_DAYS_MAX
from formicary.products.lending.schedules._instalment_kernels import limbs_for
from formicary.products.lending.schedules._layout import LOAN, MOVEMENT, PERIOD, ROW, table_of
from formicary.products.lending.schedules._schedule_kernels import TOO_LATE, value
from formicary.products.lending.schedules.dates import Records, findings_of_dates
from formicary.products.lending.schedules.errors import DisbursementsMalformed, TermsMalformed
from formicary.products.lending.schedules.terms import findings_of

__all__ = ["Rows", "check_loans", "valued_rows"]


@dataclass(frozen=True)
class Rows:
    """The rows of many loans.

    Attributes
    ----------
    records
        Rows as ``ROW``; behind those of a loan that ends early there is room that means nothing.
    starts
        Where each loan's rows begin, (n,).
    counts
        How many rows it has, (n,).
    """

    records: Records
    starts: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    def of(self, loan: int) -> Records:
        """Return the rows of a loan by its place."""
        start = int(self.starts[loan])
        rows: Records = self.records[start : start + int(self.counts[loan])]
        return rows


def valued_rows(loans: Records, movements: Records, movement_starts: npt.NDArray[np.int64]) -> Rows:
    """Return what is due of each loan, of which ``check_loans`` told before that it is what it must be.

    Parameters
    ----------
    loans
        As ``LOAN``, (n,).
    movements
        As ``MOVEMENT``: what is paid out and paid early, in order of days for each loan.
    movement_starts
        Where each loan's movements begin, and the end of the last, (n + 1,).

    Raises
    ------
    DisbursementsMalformed
        A loan lasts too long, or is paid out when its last instalment is due.
    """
    room = loans["instalments"] + np.diff(movement_starts)
    starts = np.concatenate([[0], np.cumsum(room)]).astype(np.int64)
    longest = int(loans["instalments"].max(initial=0))
    records: Records = np.zeros(int(starts[-1]), ROW)
    counts = np.zeros(len(loans), np.int64)
    periods = np.zeros((longest, len(PERIOD.names or ())), np.int64)
    value(
        table_of(loans),
        table_of(movements),
        movement_starts,
        starts[:-1],
        periods,
        limbs_for(longest),
        table_of(records),
        counts,
    )
    if (counts < 0).any():
        loan = int(counts.argmin())
        wrong = (
            "is paid out too late" if counts[loan] == TOO_LATE else f"lasts over {SCHEDULE_DAYS_MAX:,} days"
        )
        message = f"loan {loan} {wrong}"
        raise DisbursementsMalformed(message)
    return Rows(records, starts[:-1], counts)


def check_loans(loans: Records, movements: Records, movement_starts: npt.NDArray[np.int64]) -> None:
    """Refuse loans that are not what they must be, by the rules of ``Terms`` and ``resolve``, over columns.

    Raises
    ------
    TermsMalformed, DisbursementsMalformed
        With the place of the first loan of which it is so.
    """
    if loans.dtype != LOAN or movements.dtype != MOVEMENT:
        message = "loans and movements are records of their own types"
        raise TermsMalformed(message)
    sizes = np.diff(movement_starts)
    ends = (int(movement_starts[0]), int(movement_starts[-1])) if len(movement_starts) else ()
    if len(sizes) != len(loans) or ends != (0, len(movements)) or (sizes < 1).any():
        message = "each loan is paid out, and movements have a beginning for each and one end"
        raise DisbursementsMalformed(message)
    for is_wrong, why in findings_of(loans.__getitem__):
        if np.any(is_wrong):
            message = f"loan {int(np.argmax(is_wrong))}: {why}"
            raise TermsMalformed(message)
    for is_wrong, why in findings_of_dates(loans, movements, movement_starts):
        if np.any(is_wrong):
            message = f"loan {int(np.argmax(is_wrong))}: {why}"
            raise DisbursementsMalformed(message)
