"""Offers of credit: who may lend how much at which terms, until when.

An offer is what pre-approval and a live decision leave behind. It is no money and no promise of the party;
the loan that is accepted takes its terms. Without a consent to decisions on credit nothing is offered.

What pre-approval and decisions offer is a party's *standing* offer of a currency, one at most, under an id
that follows from both: it is found at once, and each takes the place of the one before, whatever became of
that. Offers by hand have other ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from formicary.base.currencies import currency_of_ledger
from formicary.base.purposes import Purpose
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.engine.requests import MalformedCommand, derive_id, require_well_formed
from formicary.factory.identity.consent import CONSENT_PRODUCT
from formicary.factory.identity.party import PARTY_PRODUCT, require_active_party
from formicary.factory.ledger import ID_MAX
from formicary.products.lending.servicing import refusals
from formicary.products.lending.servicing.fields import (
    Amount,
    Believed,
    CurrencyNumber,
    HexId,
    LoanTerms,
    Rows,
    Time,
    put_ids,
)
from formicary.products.lending.servicing.layout import BELIEVED, LoanKind, OfferState
from formicary.products.lending.servicing.standing_offers import OFFER_TOTALS, STANDING_SWEEPS, sweep
from formicary.products.lending.servicing.terms import day_at, quoted

__all__ = [
    "OFFER",
    "OFFERS",
    "OfferAccepted",
    "OfferCredit",
    "OfferMade",
    "OfferState",
    "OfferWithdrawn",
    "WithdrawOffer",
    "require_consent",
    "standing_offer_id",
]

OFFER: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("currency", "<u4"),
        ("party_high", "<u8"),
        ("party_low", "<u8"),
        ("limit", "<i8"),
        ("rate", "<i8"),
        ("fee", "<i8"),
        ("draw_fee", "<i8"),
        ("expires", "<i8"),
        ("effective_rate", "<i8"),
        ("balloon", "<i8"),
        ("grace", "<i8"),
        ("share", "<u4"),
        ("left", "<u4"),
        ("every", "<u2"),
        ("kind", "u1"),
        ("unit", "u1"),
        ("day_count", "u1"),
        ("waterfall", "u1"),
        ("is_level", "u1"),
        ("state", "u1"),
        *BELIEVED,
    ]
)
"""One offer, 18 words: its terms as a loan has them, when it ends in nanoseconds, and what it costs a year.

``state`` is 0 for none, then open, accepted, withdrawn.
"""

OPEN: Final = OfferState.OPEN


class OfferCredit(Command, frozen=True, kw_only=True):
    """Offer a party credit of up to ``limit`` minor units until ``expires`` nanoseconds.

    What is put aside for the loan goes by what is ``believed`` of the party.
    """

    party: HexId
    currency: CurrencyNumber
    limit: Amount
    terms: LoanTerms
    expires: Time
    believed: Believed = Believed()


class WithdrawOffer(Command, frozen=True):
    """Take an open offer back."""


class OfferMade(DomainEvent, frozen=True, kw_only=True):
    """A party may have credit; ``effective_rate`` is in millionths a year.

    A standing offer takes the place of the one before.
    """

    party: HexId
    currency: CurrencyNumber
    limit: Amount
    terms: LoanTerms
    expires: Time
    effective_rate: Amount
    believed: Believed = Believed()


class OfferAccepted(DomainEvent, frozen=True):
    """The party took it; the loan has its terms."""


class OfferWithdrawn(DomainEvent, frozen=True):
    """It was taken back."""


def standing_offer_id(party: int, currency: int) -> int:
    """Return the id of a party's standing offer in a currency, by its ISO 4217 number."""
    return derive_id(party, currency)


def require_consent(context: Context, party: int) -> None:
    """Refuse unless a party is active and agrees that its data are used to decide on credit.

    Raises
    ------
    PartyNotFound, PartyNotActive, CreditConsentMissing
        It is not, or does not, or not any more.
    """
    require_active_party(context, party)
    consent = context.aggregate(CONSENT_PRODUCT.name, party)
    if consent is None or not int(consent["granted"]) >> Purpose.CREDIT & 1:
        raise refusals.CreditConsentMissing


def decide(command: Command | TimerFired, offer: Rows | None, context: Context) -> Decision:
    """Decide a command about an offer."""
    require_well_formed(command)
    if isinstance(command, OfferCredit):
        return _make(command, offer, context)
    if offer is None or not offer["state"]:
        raise refusals.OfferNotFound
    if offer["state"] != OPEN:
        raise refusals.OfferTaken
    return Decision(events=[OfferWithdrawn()])


def _make(command: OfferCredit, offer: Rows | None, context: Context) -> Decision:
    if offer is not None and offer["state"]:
        raise refusals.OfferExists
    if not 1 <= command.subject <= ID_MAX:
        raise MalformedCommand
    currency_of_ledger(command.currency)
    require_consent(context, int(command.party, 16))
    is_line = command.terms.kind == LoanKind.LINE
    if command.expires <= context.now or command.limit < 1 or is_line != (command.terms.instalments == 0):
        raise refusals.OfferMalformed
    if is_line and (command.terms.grace or command.terms.balloon):
        raise refusals.OfferMalformed
    told = np.zeros(1, OFFER)
    command.terms.put(told)
    quote = quoted(told[0], amount=command.limit, day=day_at(context.now))
    made = OfferMade(
        party=command.party,
        currency=command.currency,
        limit=command.limit,
        terms=command.terms,
        expires=command.expires,
        effective_rate=quote.effective_rate,
        believed=command.believed,
    )
    return Decision(
        events=[made],
        answer={"effective_rate": quote.effective_rate, "instalment": quote.instalment},
    )


def evolve(kind: str, offers: Rows, events: Sequence[Any]) -> None:
    """Change offers (n,) as events (n,) of one kind say."""
    if kind != "OfferMade":
        offers["state"] = OfferState.ACCEPTED if kind == "OfferAccepted" else OfferState.WITHDRAWN
        return
    for name in ("currency", "limit", "expires", "effective_rate"):
        offers[name] = [getattr(event, name) for event in events]
    put_ids(offers, "party", [event.party for event in events])
    for place, event in enumerate(events):
        event.terms.put(offers[place : place + 1])
        event.believed.put(offers[place : place + 1])
    offers["state"] = OPEN


OFFERS: Final = Product(
    name="credit_offer",
    aggregate=OFFER,
    commands=(OfferCredit, WithdrawOffer),
    events=(OfferMade, OfferAccepted, OfferWithdrawn, *STANDING_SWEEPS),
    decide=decide,
    evolve=evolve,
    is_columnar=True,
    sweeps=STANDING_SWEEPS,
    sweep=sweep,
    totals=OFFER_TOTALS,
    neighbours=(PARTY_PRODUCT, CONSENT_PRODUCT),
)
"""Credit that parties may have: limit, price and terms, until they expire."""
