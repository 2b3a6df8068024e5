"""``/v1/credit-scores/…/authorisations`` and ``…/queries``: whom a party shows its score, and who asked."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, Literal

from fastapi import APIRouter

from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.engine.requests import command_id_of, derive_id
from formicary.products.credit.product import QUERIES, SHARING
from formicary.products.credit.schemas import (
    GiveAuthorisation,
    QueryScore,
    RevokeAuthorisation,
    SharedScope,
    authorisation_id,
)
from formicary.products.credit.terms import terms_of
from formicary.surfaces.api.problems import ScopeMissing
from formicary.surfaces.api.routes.credit_scores import own_party, require_own_act
from formicary.surfaces.api.routes.shared import (
    DEFAULT_LIMIT,
    Asked,
    Body,
    Caller,
    Cursor,
    Document,
    Id,
    Limit,
    of_party,
    read_id,
    read_path_id,
)
from formicary.surfaces.api.values import read_time, time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/credit-scores", tags=["credit score"])


class AuthorisationBody(Body):
    """Who may ask, for what, and until when in RFC 3339, within a year."""

    third_party: str
    scope: Literal["band", "score_and_band"]
    expires_at: str


class AuthorisationDocument(Document):
    """What a party lets a third party ask; ``active`` while it may."""

    party: str
    third_party: str
    scope: str
    expires_at: str
    active: bool


class AuthorisationPage(Document):
    """Authorisations, in the order in which they were first given; ``next`` is the cursor after them."""

    items: list[AuthorisationDocument]
    next: str | None


class ShownScore(Document):
    """What a third party is shown, and no more; without a score where it is authorised to see the band."""

    score: int | None
    band: str


class ScoreQueryDocument(Document):
    """A query, as its party sees it: who asked, when, and what it was shown."""

    party: str
    third_party: str
    at: str
    scope: str
    score: int | None
    band: str


class ScoreQueryPage(Document):
    """Queries, the oldest first; ``next`` is the cursor of the page after, None at the end."""

    items: list[ScoreQueryDocument]
    next: str | None


@router.post("/{party_id}/authorisations", status_code=HTTPStatus.CREATED)
async def authorise_third_party(party_id: Id, body: AuthorisationBody, asked: Asked) -> AuthorisationDocument:
    """Let a third party ask for a party's score; with the party's own token only."""
    asked.principal.require(Scope.SCORES_WRITE)
    party = await own_party(asked, party_id)
    require_own_act(asked)
    third_party = read_id(Prefix.PARTY, body.third_party, param="third_party")
    command = GiveAuthorisation(
        subject=authorisation_id(party, third_party),
        party=f"{party:032x}",
        third_party=f"{third_party:032x}",
        scope=SharedScope[body.scope.upper()],
        expires_at=read_time(body.expires_at, param="expires_at"),
    )
    await asked.services.command(SHARING.name, command, principal=asked.principal, key=asked.key)
    return await _authorisation(asked, command.subject)


@router.get("/{party_id}/authorisations")
async def list_authorisations(
    party_id: Id, asked: Asked, *, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> AuthorisationPage:
    """Show a party whom it lets ask for its score, or did."""
    asked.principal.require(Scope.SCORES_READ)
    party = await own_party(asked, party_id)
    found, after = await of_party(asked, SHARING.name, party, cursor, limit)
    now = asked.services.now()
    return AuthorisationPage(items=[_authorisation_document(one, now) for one in found], next=after)


@router.post("/{party_id}/authorisations/{third_party}/revoke")
async def revoke_authorisation(party_id: Id, third_party: Id, asked: Asked) -> AuthorisationDocument:
    """Take an authorisation back, at once and without a reason."""
    asked.principal.require(Scope.SCORES_WRITE)
    party = await own_party(asked, party_id)
    subject = authorisation_id(party, read_path_id(Prefix.PARTY, third_party))
    command = RevokeAuthorisation(subject=subject)
    await asked.services.command(SHARING.name, command, principal=asked.principal, key=asked.key)
    return await _authorisation(asked, subject)


@router.post("/{party_id}/queries", status_code=HTTPStatus.CREATED)
async def query_score(party_id: Id, asked: Asked) -> ShownScore:
    """Show a third party what the party authorised it to see; the party sees that it asked."""
    asked.principal.require(Scope.SCORES_QUERY)
    party = read_path_id(Prefix.PARTY, party_id)
    # The house is no third party, and a token acts for a person.
    if asked.principal.is_house or not asked.principal.is_key:
        raise ScopeMissing
    command = QueryScore(
        subject=derive_id(command_id_of(asked.principal.name, asked.key), 0),
        party=f"{party:032x}",
        third_party=f"{asked.principal.party:032x}",
    )
    shown = await asked.services.command(QUERIES.name, command, principal=asked.principal, key=asked.key)
    return ShownScore(score=shown["score"], band=_band(shown))


@router.get("/{party_id}/queries")
async def list_queries(
    party_id: Id, asked: Asked, *, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> ScoreQueryPage:
    """Show a party every query of its score."""
    asked.principal.require(Scope.SCORES_READ)
    party = await own_party(asked, party_id)
    found, after = await of_party(asked, QUERIES.name, party, cursor, limit)
    return ScoreQueryPage(items=[_query_document(one) for one in found], next=after)


async def _authorisation(asked: Caller, subject: int) -> AuthorisationDocument:
    fields = await asked.services.aggregate(SHARING.name, subject)
    return _authorisation_document(fields, asked.services.now())


def _authorisation_document(fields: dict[str, Any], now: int) -> AuthorisationDocument:
    return AuthorisationDocument(
        party=_party(fields, "party"),
        third_party=_party(fields, "third_party"),
        scope=SharedScope(fields["scope"]).name.lower(),
        expires_at=time_text(fields["expires_at"]),
        active=not fields["is_revoked"] and fields["expires_at"] > now,
    )


def _query_document(fields: dict[str, Any]) -> ScoreQueryDocument:
    return ScoreQueryDocument(
        party=_party(fields, "party"),
        third_party=_party(fields, "third_party"),
        at=time_text(fields["at"]),
        scope=SharedScope(fields["scope"]).name.lower(),
        score=fields["score"] or None,
        band=_band(fields),
    )


def _band(fields: dict[str, Any]) -> str:
    return terms_of(fields["terms"]).band_names[int(fields["band"])]


def _party(fields: dict[str, Any], name: str) -> str:
    return encode(Prefix.PARTY, int(fields[name], 16))
