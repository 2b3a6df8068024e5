"""Why nothing is decided about an application, or nothing more is lent.

::

    Refusal
    ├── CreditHouseMissing, CreditHouseMalformed    the house said by what it lends, or not, or not rightly
    ├── ApplicationExists                           which is meant
    ├── NoticeNotDue                                what was asked for was granted whole
    ├── CreditModelMissing, CreditExhausted         nothing new is lent for now; what was lent is served
    └── CreditWarned                                nothing new is lent to this party for now

That a party gets no credit is no refusal: it is a decision, with its reasons.
"""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = [
    "ApplicationExists",
    "CreditExhausted",
    "CreditHouseMalformed",
    "CreditHouseMissing",
    "CreditModelMissing",
    "CreditWarned",
    "NoticeNotDue",
]


class CreditHouseMissing(Refusal):
    """The house has not said by which policy it lends in this currency: nothing is lent."""

    code = "credit_house_missing"


class CreditHouseMalformed(Refusal):
    """What the house says contradicts itself: the policy, the terms of its loans, or its name and address."""

    code = "credit_house_malformed"


class ApplicationExists(Refusal):
    """There is an application with this id."""

    code = "application_exists"


class NoticeNotDue(Refusal):
    """What was asked for was granted whole, so there is nothing to give reasons for."""

    code = "credit_notice_not_due"


class CreditModelMissing(Refusal):
    """No model tells the risk at the moment, so nothing new is lent; what was lent is served."""

    code = "credit_model_missing"


class CreditWarned(Refusal):
    """Early warning found, not long ago, that the party's sales fell: it can take no new credit for now."""

    code = "credit_warned"


class CreditExhausted(Refusal):
    """Own funds, cash, or what may be owed by one party or segment carry no more for now."""

    code = "credit_exhausted"
