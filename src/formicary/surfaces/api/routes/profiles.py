"""``/v1/parties/…/profile``: who somebody is by name, kept in the vault and in no log."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field

from formicary.base.limits import PERSONAL_FIELDS_MAX
from formicary.base.public_ids import Prefix
from formicary.base.scopes import Scope
from formicary.factory.identity.party import PARTY_PRODUCT, PartyStatus
from formicary.surfaces.api.problems import NotFound
from formicary.surfaces.api.routes.shared import Asked, Body, Caller, Document, Id, read_path_id

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/parties", tags=["parties"])


class ProfileBody(Body):
    """Short texts under names in snake case, in place of all that was there."""

    fields: Annotated[dict[str, str], Field(max_length=PERSONAL_FIELDS_MAX)]


class ProfileDocument(Document):
    """What is known of a party by name; nothing where nothing was stored, or it was erased."""

    party: str
    fields: dict[str, str]


@router.put("/{party_id}/profile")
async def put_profile(party_id: Id, body: ProfileBody, asked: Asked) -> ProfileDocument:
    """Store a party's personal data; sent again it is the same."""
    asked.principal.require(Scope.PARTIES_WRITE)
    subject = await _own_party(asked, party_id)
    await asyncio.to_thread(asked.services.vault.store, subject, body.fields)
    return ProfileDocument(party=party_id, fields=body.fields)


@router.get("/{party_id}/profile")
async def get_profile(party_id: Id, asked: Asked) -> ProfileDocument:
    """Show a party's personal data."""
    asked.principal.require(Scope.PARTIES_READ)
    subject = await _own_party(asked, party_id)
    fields = await asyncio.to_thread(asked.services.vault.read, subject)
    return ProfileDocument(party=party_id, fields=fields or {})


async def _own_party(asked: Caller, party_id: str) -> int:
    """Return the id of a party that is there, not erased, and the caller's to see."""
    subject = read_path_id(Prefix.PARTY, party_id)
    asked.principal.require_party(subject)
    fields = await asked.services.aggregate(PARTY_PRODUCT.name, subject)
    if fields["status"] == PartyStatus.ERASED:
        raise NotFound
    return subject
