"""Schedules of loans: terms, resolved with dates and amounts, valued in whole minor units.

``Terms`` say what was agreed, ``resolve`` gives them the dates and amounts of one loan, ``valued`` what is
due on each day. ``repaid`` follows what is really paid, ``rescheduled`` begins new terms,
``effective_annual_rate`` tells what it all costs. ``valued_rows`` does the same for columns of loans. No
number here is ever a float.
"""

from __future__ import annotations

from formicary.products.lending.schedules._layout import LOAN, MOVEMENT, ROW
from formicary.products.lending.schedules.batch import Rows, check_loans, valued_rows
from formicary.products.lending.schedules.conventions import (
    DayCount,
    FeeOn,
    InterestBy,
    Method,
    MonthEnd,
    Rounding,
    Unit,
    day_count_fraction,
)
from formicary.products.lending.schedules.effective_rate import Intervals, effective_annual_rate
from formicary.products.lending.schedules.errors import (
    DisbursementsMalformed,
    EffectiveRateUnknown,
    RepaymentsMalformed,
    RescheduleRefused,
    ScheduleRefused,
    TermsMalformed,
)
from formicary.products.lending.schedules.repayments import (
    Allocation,
    Excess,
    Payment,
    Repaid,
    paid_as_due,
    repaid,
)
from formicary.products.lending.schedules.rescheduling import rescheduled
from formicary.products.lending.schedules.schedule import Disbursement, Movement, Period, Schedule, resolve
from formicary.products.lending.schedules.terms import Fee, Terms
from formicary.products.lending.schedules.valuation import Row, Settlement, Valuation, settlement, valued

__all__ = [
    "LOAN",
    "MOVEMENT",
    "ROW",
    "Allocation",
    "DayCount",
    "Disbursement",
    "DisbursementsMalformed",
    "EffectiveRateUnknown",
    "Excess",
    "Fee",
    "FeeOn",
    "InterestBy",
    "Intervals",
    "Method",
    "MonthEnd",
    "Movement",
    "Payment",
    "Period",
    "Repaid",
    "RepaymentsMalformed",
    "RescheduleRefused",
    "Rounding",
    "Row",
    "Rows",
    "Schedule",
    "ScheduleRefused",
    "Settlement",
    "Terms",
    "TermsMalformed",
    "Unit",
    "Valuation",
    "check_loans",
    "day_count_fraction",
    "effective_annual_rate",
    "paid_as_due",
    "repaid",
    "rescheduled",
    "resolve",
    "settlement",
    "valued",
    "valued_rows",
]
