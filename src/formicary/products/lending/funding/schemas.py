"""Commands and events of a house's own money; ``subject`` is the currency's ISO 4217 number."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import numpy as np

from formicary.factory.engine.products import AGGREGATE_HEADER, Command, DomainEvent
from formicary.products.lending.limits import BORROWED_RATES_MAX, FUNDING_AMOUNT_MAX, FUNDING_RATE_MAX
from formicary.products.lending.servicing.fields import Day

__all__ = [
    "COMMANDS",
    "EVENTS",
    "FUNDING",
    "NAME",
    "Borrow",
    "FundingAmount",
    "FundingCostAccrued",
    "FundingCostPaid",
    "FundingRate",
    "FundsBorrowed",
    "FundsPaidBack",
    "OwnFundsPaidIn",
    "OwnFundsTakenOut",
    "PartnerPaid",
    "PartnerPaidIn",
    "PayBack",
    "PayFundingCost",
    "PayInOwnFunds",
    "PayInPartner",
    "PayPartner",
    "PaySellers",
    "SellersPaid",
    "TakeOutOwnFunds",
]

NAME: Final = "funding"

FUNDING: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("until", "<u4"),
        ("rest", "<i8"),
        ("rates", "<i8", (BORROWED_RATES_MAX,)),
        ("balances", "<i8", (BORROWED_RATES_MAX,)),
    ]
)
"""What is borrowed in a currency, and up to which day it was accounted for what that costs.

At the rate of each place, billionths a year, its balance is borrowed, in minor units; a place of nothing is
free. ``rest`` is what the costs so far were rounded by, in minor units by 365 billion.
"""

FundingAmount = Annotated[int, msgspec.Meta(ge=1, le=FUNDING_AMOUNT_MAX)]
FundingRate = Annotated[int, msgspec.Meta(ge=0, le=FUNDING_RATE_MAX)]
Word = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]


class PayInOwnFunds(Command, frozen=True, kw_only=True):
    """Owners pay money in."""

    amount: FundingAmount


class TakeOutOwnFunds(Command, frozen=True, kw_only=True):
    """Owners take money out: paid in before, or earned since."""

    amount: FundingAmount


class Borrow(Command, frozen=True, kw_only=True):
    """Borrow money at a rate in billionths a year of 365 days, until it is paid back."""

    amount: FundingAmount
    rate: FundingRate


class PayBack(Command, frozen=True, kw_only=True):
    """Pay back what was borrowed at a rate."""

    amount: FundingAmount
    rate: FundingRate


class PayFundingCost(Command, frozen=True, kw_only=True):
    """Pay interest that borrowed money has cost so far."""

    amount: FundingAmount


class PaySellers(Command, frozen=True, kw_only=True):
    """Pay for loans that were taken over from other books."""

    amount: FundingAmount


class PayInPartner(Command, frozen=True, kw_only=True):
    """A partner pays money in, out of which its share of joint loans is lent."""

    amount: FundingAmount


class PayPartner(Command, frozen=True, kw_only=True):
    """Pay a partner of its money: not lent yet, paid back, or earned."""

    amount: FundingAmount


class OwnFundsPaidIn(DomainEvent, frozen=True, kw_only=True):
    """Own funds are more."""

    day: Day
    amount: FundingAmount


class OwnFundsTakenOut(DomainEvent, frozen=True, kw_only=True):
    """Own funds are less."""

    day: Day
    amount: FundingAmount


class FundsBorrowed(DomainEvent, frozen=True, kw_only=True):
    """More is borrowed at a rate."""

    day: Day
    amount: FundingAmount
    rate: FundingRate


class FundsPaidBack(DomainEvent, frozen=True, kw_only=True):
    """Less is borrowed at a rate."""

    day: Day
    amount: FundingAmount
    rate: FundingRate


class FundingCostAccrued(DomainEvent, frozen=True, kw_only=True):
    """Borrowed money cost this up to the end of a day; what it was rounded by is carried on."""

    day: Day
    cost: Word
    rest: Word


class FundingCostPaid(DomainEvent, frozen=True, kw_only=True):
    """Less is owed of what borrowed money cost."""

    day: Day
    amount: FundingAmount


class SellersPaid(DomainEvent, frozen=True, kw_only=True):
    """Less is owed for loans that were taken over."""

    day: Day
    amount: FundingAmount


class PartnerPaidIn(DomainEvent, frozen=True, kw_only=True):
    """A partner has more money here."""

    day: Day
    amount: FundingAmount


class PartnerPaid(DomainEvent, frozen=True, kw_only=True):
    """A partner has less money here."""

    day: Day
    amount: FundingAmount


COMMANDS: Final = (
    PayInOwnFunds,
    TakeOutOwnFunds,
    Borrow,
    PayBack,
    PayFundingCost,
    PaySellers,
    PayInPartner,
    PayPartner,
)
EVENTS: Final = (
    OwnFundsPaidIn,
    OwnFundsTakenOut,
    FundsBorrowed,
    FundsPaidBack,
    FundingCostAccrued,
    FundingCostPaid,
    SellersPaid,
    PartnerPaidIn,
    PartnerPaid,
)
