"""``/v1/credit/offers``: what a party may have, at which price, until when; made by the house."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import Field

from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.engine.reads import record_of
from formicary.factory.engine.requests import command_id_of, derive_id
from formicary.products.lending.limits import SCHEDULE_AMOUNT_MAX
from formicary.products.lending.servicing.fields import Believed
from formicary.products.lending.servicing.offers import OFFER, OFFERS, OfferCredit, OfferState, WithdrawOffer
from formicary.products.lending.servicing.refusals import DrawOutOfRange
from formicary.products.lending.servicing.terms import day_at, quoted
from formicary.surfaces.api.routes.loan_terms import (
    Amount,
    Share,
    TermsBody,
    TermsDocument,
    terms_document,
    terms_of_body,
)
from formicary.surfaces.api.routes.shared import (
    DEFAULT_LIMIT,
    Asked,
    Body,
    Caller,
    Cursor,
    Document,
    Id,
    Limit,
    Whose,
    currency_code,
    of_party,
    read_currency,
    read_id,
    read_path_id,
)
from formicary.surfaces.api.values import read_time, time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/credit/offers", tags=["lending"])

Drawn = Annotated[int, Query(ge=1, le=SCHEDULE_AMOUNT_MAX, description="Minor units.")]


class OfferBody(Body):
    """Credit of up to ``limit`` minor units until a time, RFC 3339.

    ``default`` is the party's chance of default within 12 months and ``loss`` what is lost then, in
    millionths; 0 where nobody assessed them.
    """

    party: str
    currency: str
    limit: Amount
    terms: TermsBody
    expires_at: Annotated[str, Field(max_length=40)]
    default: Share = 0
    loss: Share = 0


class OfferDocument(Document):
    """An offer; ``effective_rate`` is what it costs a year if all of it is taken, in millionths."""

    id: str
    party: str
    currency: str
    limit: int
    terms: TermsDocument
    effective_rate: int
    state: str
    expires_at: str
    changed_at: str


class OfferPage(Document):
    """Offers; ``next`` is the cursor of the page after, None at the end."""

    items: list[OfferDocument]
    next: str | None


class QuoteDocument(Document):
    """What an amount costs: each instalment, 0 of a line, and the effective rate a year in millionths."""

    offer: str
    amount: int
    instalment: int
    effective_rate: int


@router.post("", status_code=HTTPStatus.CREATED)
async def offer_credit(body: OfferBody, asked: Asked) -> OfferDocument:
    """Offer a party credit; for the house's keys only."""
    asked.principal.require(Scope.LOANS_WRITE)
    asked.principal.require_house()
    party = read_id(Prefix.PARTY, body.party, param="party")
    number = read_currency(body.currency)
    subject = derive_id(command_id_of(asked.principal.name, asked.key), 0)
    command = OfferCredit(
        subject=subject,
        party=f"{party:032x}",
        currency=number,
        limit=body.limit,
        terms=terms_of_body(body.terms),
        expires=read_time(body.expires_at, param="expires_at"),
        believed=Believed(default=body.default, loss=body.loss),
    )
    await asked.services.command(OFFERS.name, command, principal=asked.principal, key=asked.key)
    return await _shown(asked, subject)


@router.get("")
async def list_offers(
    party: Whose, asked: Asked, *, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> OfferPage:
    """Show a party's offers, the oldest first."""
    asked.principal.require(Scope.LOANS_READ)
    identifier = read_id(Prefix.PARTY, party, param="party")
    asked.principal.require_party(identifier)
    found, after = await of_party(asked, OFFERS.name, identifier, cursor, limit)
    now = asked.services.now()
    return OfferPage(items=[_document(one, now) for one in found], next=after)


@router.get("/{offer_id}")
async def get_offer(offer_id: Id, asked: Asked) -> OfferDocument:
    """Show an offer to its party."""
    asked.principal.require(Scope.LOANS_READ)
    return await _shown(asked, read_path_id(Prefix.OFFER, offer_id))


@router.get("/{offer_id}/quote")
async def quote_offer(offer_id: Id, amount: Drawn, asked: Asked) -> QuoteDocument:
    """Say what an amount of it would cost if it were drawn today: what a party is shown before it accepts."""
    asked.principal.require(Scope.LOANS_READ)
    fields = await _own(asked, read_path_id(Prefix.OFFER, offer_id))
    if amount > fields["limit"]:
        raise DrawOutOfRange
    quote = quoted(record_of(fields, OFFER)[0], amount=amount, day=day_at(asked.services.now()))
    return QuoteDocument(
        offer=offer_id, amount=amount, instalment=quote.instalment, effective_rate=quote.effective_rate
    )


@router.post("/{offer_id}/withdraw")
async def withdraw_offer(offer_id: Id, asked: Asked) -> OfferDocument:
    """Take an open offer back; for the house's keys only."""
    asked.principal.require(Scope.LOANS_WRITE)
    asked.principal.require_house()
    subject = read_path_id(Prefix.OFFER, offer_id)
    await asked.services.aggregate(OFFERS.name, subject)
    command = WithdrawOffer(subject=subject)
    await asked.services.command(OFFERS.name, command, principal=asked.principal, key=asked.key)
    return await _shown(asked, subject)


async def _own(asked: Caller, subject: int) -> dict[str, Any]:
    fields = await asked.services.aggregate(OFFERS.name, subject)
    asked.principal.require_party(int(fields["party"], 16))
    return fields


async def _shown(asked: Caller, subject: int) -> OfferDocument:
    return _document(await _own(asked, subject), asked.services.now())


def _document(fields: dict[str, Any], now: int) -> OfferDocument:
    state = OfferState(fields["state"])
    is_over = state is OfferState.OPEN and fields["expires"] <= now
    return OfferDocument(
        id=encode(Prefix.OFFER, int(fields["id"], 16)),
        party=encode(Prefix.PARTY, int(fields["party"], 16)),
        currency=currency_code(fields["currency"]),
        limit=fields["limit"],
        terms=terms_document(fields),
        # A run over all parties keeps none: it is that of all of it, drawn today.
        effective_rate=fields["effective_rate"] or _quoted(fields, now),
        state="expired" if is_over else state.name.lower(),
        expires_at=time_text(fields["expires"]),
        changed_at=time_text(fields["timestamp"]),
    )


def _quoted(fields: dict[str, Any], now: int) -> int:
    return quoted(record_of(fields, OFFER)[0], amount=fields["limit"], day=day_at(now)).effective_rate
