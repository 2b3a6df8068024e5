"""Why a schedule is refused.

::

    Refusal
    └── ScheduleRefused
        ├── TermsMalformed             terms that are negative, absurd or contradict themselves
        ├── DisbursementsMalformed     amounts or dates that do not go with the terms
        ├── RepaymentsMalformed        payments that are none, or not in order
        ├── RescheduleRefused          a day or terms with which nothing is left to reschedule
        └── EffectiveRateUnknown       flows that no rate makes equal
"""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = [
    "DisbursementsMalformed",
    "EffectiveRateUnknown",
    "RepaymentsMalformed",
    "RescheduleRefused",
    "ScheduleRefused",
    "TermsMalformed",
]


class ScheduleRefused(Refusal):
    """No schedule can be made of this."""

    code = "schedule_refused"


class TermsMalformed(ScheduleRefused):
    """The terms of a loan are negative or absurd, or contradict themselves."""

    code = "loan_terms_malformed"


class DisbursementsMalformed(ScheduleRefused):
    """The amounts or dates of a loan do not go with its terms."""

    code = "disbursements_malformed"


class RepaymentsMalformed(ScheduleRefused):
    """Payments are above zero, in order, and not before the first disbursement."""

    code = "repayments_malformed"


class RescheduleRefused(ScheduleRefused):
    """Nothing is left to reschedule on this day, or the new terms ask for what only a new loan has."""

    code = "reschedule_refused"


class EffectiveRateUnknown(ScheduleRefused):
    """No rate between zero and a hundred million percent makes what was lent equal to what is paid."""

    code = "effective_rate_unknown"
