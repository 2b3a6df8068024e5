"""The house's book at a moment, as the limits of capital look at it: from the loans as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from formicary.factory.engine.products import Context
from formicary.products.lending.applications import refusals
from formicary.products.lending.applications.house import House, house_of
from formicary.products.lending.funding.funds import funds_of, held
from formicary.products.lending.limits import LENDING_AMOUNT_MAX
from formicary.products.lending.millionths import MILLION
from formicary.products.lending.servicing.drawing import Asking
from formicary.products.lending.servicing.exposure import OfParty, Sums, of_party, sums_of
from formicary.products.lending.servicing.joint import own_part
from formicary.products.lending.servicing.postings import LoanAccount
from formicary.products.lending.servicing.terms import day_at
from formicary.products.lending.underwriting.capital import Book, lend

__all__ = ["LOANS", "PARTY", "BookTold", "book_told", "require_capital", "told_party"]

LOANS: Final = "loan"

PARTY: Final = 1
"""The number of the party that is looked at: the book of a decision knows of no other."""

Sum = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Segment = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class BookTold(msgspec.Struct, frozen=True, kw_only=True):
    """Where the lender stood, in minor units; of concentrations those of one party and one segment."""

    own_funds: Sum
    cash: Sum
    exposure: Sum
    undrawn: Sum
    of_party: Sum
    of_segment: Sum
    segment: Segment

    def book(self) -> Book:
        """Return it as the limits of capital take it."""
        return Book(
            own_funds=self.own_funds,
            cash=self.cash,
            exposure=self.exposure,
            undrawn=self.undrawn,
            by_segment={self.segment: self.of_segment},
            by_party={PARTY: self.of_party},
        )

    def without(self, amount: int) -> BookTold:
        """Return where it would stand had an undrawn amount not been promised."""
        names = ("exposure", "undrawn", "of_party", "of_segment")
        less = {name: max(getattr(self, name) - amount, 0) for name in names}
        return msgspec.structs.replace(self, **less)


def told_party(context: Context, party: int, currency: int) -> OfParty:
    """Return what a party owes now."""
    loans = context.found(LOANS, "party", party)
    return of_party(loans, currency=currency, day=day_at(context.now))


def book_told(context: Context, house: House, owed: OfParty, segment: int) -> BookTold:
    """Return where the lender stands now, beside a party and a segment."""
    by_segment: Mapping[int, Sums] = sums_of(context.totals(LOANS), house.currency)
    sums = sum(by_segment.values(), Sums())
    funds = funds_of(context, house.currency)
    return BookTold(
        own_funds=max(funds.own, 0),
        cash=max(funds.cash, 0),
        exposure=sums.exposure,
        undrawn=sums.undrawn,
        of_party=owed.exposure,
        of_segment=by_segment.get(segment, Sums()).exposure,
        segment=segment,
    )


def require_capital(context: Context, asking: Asking) -> House:
    """Refuse unless own funds and cash carry what is about to be lent, all of it; return by what is lent.

    Of a joint loan they carry what the house retains, and the partner's money is there for the rest.

    Raises
    ------
    CreditHouseMissing, CreditExhausted
        The house does not say by what it lends; or a limit leaves less room.
    """
    house = house_of(context, asking.currency)
    if asking.amount > LENDING_AMOUNT_MAX:
        raise refusals.CreditExhausted
    owed = told_party(context, asking.party, asking.currency)
    told = book_told(context, house, owed, asking.segment)
    partner_share = house.settings.partner_share if asking.partner_share is None else asking.partner_share
    amounts = [asking.cash, asking.amount]
    own_cash, own = own_part(amounts, partner_share).tolist()
    of_partner = -held(context, asking.currency, LoanAccount.PARTNER)
    if own_cash > told.cash - house.capital.liquidity_reserve or asking.cash - own_cash > of_partner:
        raise refusals.CreditExhausted
    if asking.is_committed:
        told = told.without(own)
    lent = lend(
        house.capital,
        told.book(),
        wanted=[asking.amount],
        segments=[asking.segment],
        parties=[PARTY],
        retained=[MILLION - partner_share],
    )
    if int(lent.amounts[0]) != asking.amount:
        raise refusals.CreditExhausted
    return house
