"""Why a run of early warning does not go on."""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = ["CreditWatchEnded", "CreditWatchNotDue"]


class CreditWatchNotDue(Refusal):
    """A week's run of early warning begins within the week, when the one before is over."""

    code = "credit_watch_not_due"


class CreditWatchEnded(Refusal):
    """All lines have been looked at in this run of early warning."""

    code = "credit_watch_ended"
