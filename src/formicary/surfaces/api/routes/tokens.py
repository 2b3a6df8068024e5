"""``/v1/tokens``: short-lived tokens of end users, each bound to one party."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field

from formicary.base.limits import TOKEN_SECONDS_MAX
from formicary.base.public_ids import Prefix, decode
from formicary.base.scopes import Scope, scopes_of
from formicary.factory.identity.party import PARTY_PRODUCT, PartyStatus
from formicary.factory.identity.tokens import issue
from formicary.surfaces.api.problems import NotFound, ScopeMissing
from formicary.surfaces.api.routes.shared import Asked, Body, Document, read_id
from formicary.surfaces.api.values import time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/tokens", tags=["tokens"])

_SCOPES_MAX: Final = 32
_NANOSECONDS_PER_SECOND: Final = 1_000_000_000


class TokenBody(Body):
    """A token to make for a party, with scopes by name, for so many seconds."""

    party: str
    scopes: Annotated[list[str], Field(min_length=1, max_length=_SCOPES_MAX)]
    seconds: Annotated[int, Field(default=TOKEN_SECONDS_MAX, ge=1, le=TOKEN_SECONDS_MAX)] = TOKEN_SECONDS_MAX


class TokenDocument(Document):
    """A token: who has it acts for the party until it expires."""

    token: str
    party: str
    scopes: list[str]
    expires_at: str


@router.post("", status_code=HTTPStatus.CREATED)
async def issue_token(body: TokenBody, asked: Asked) -> TokenDocument:
    """Make a token; with an API key only. Nothing is kept of it, so each call makes another."""
    asked.principal.require(Scope.TOKENS_WRITE)
    party = read_id(Prefix.PARTY, body.party, param="party")
    asked.principal.require_party(party)
    scopes = scopes_of(body.scopes)
    if scopes & ~asked.principal.scopes or not asked.principal.is_key:
        raise ScopeMissing
    fields = await asked.services.aggregate(PARTY_PRODUCT.name, party)
    if fields["status"] != PartyStatus.ACTIVE:
        raise NotFound
    now = asked.services.now()
    text = issue(
        asked.services.token_secret,
        party=party,
        scopes=scopes,
        key_id=decode(Prefix.KEY, asked.principal.name),
        now=now,
        seconds=body.seconds,
    )
    return TokenDocument(
        token=text,
        party=body.party,
        scopes=body.scopes,
        expires_at=time_text(now + body.seconds * _NANOSECONDS_PER_SECOND),
    )
