"""``/v1/parties``: who takes part."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final, Literal

from fastapi import APIRouter

from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.engine.requests import command_id_of, derive_id
from formicary.factory.identity.party import (
    PARTY_PRODUCT,
    CloseParty,
    EraseParty,
    PartyKind,
    PartyStatus,
    RegisterParty,
)
from formicary.surfaces.api.problems import RefusedAs
from formicary.surfaces.api.routes.shared import Asked, Body, Caller, Document, Id, read_path_id
from formicary.surfaces.api.values import time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/parties", tags=["parties"])


class PartyBody(Body):
    """A party to take up; what names it goes to its profile and never here."""

    kind: Literal["person", "merchant", "partner"]


class PartyDocument(Document):
    """A party; limits of 0 are none, the amount is in minor units."""

    id: str
    kind: str
    status: str
    daily_amount_max: int
    daily_count_max: int
    changed_at: str


@router.post("", status_code=HTTPStatus.CREATED)
async def register_party(body: PartyBody, asked: Asked) -> PartyDocument:
    """Take up a party; for the house's keys only."""
    _require_house(asked, Scope.PARTIES_WRITE)
    subject = derive_id(command_id_of(asked.principal.name, asked.key), 0)
    command = RegisterParty(subject=subject, kind=PartyKind[body.kind.upper()])
    await asked.services.command(PARTY_PRODUCT.name, command, principal=asked.principal, key=asked.key)
    return await _party(asked, subject)


@router.get("/{party_id}")
async def get_party(party_id: Id, asked: Asked) -> PartyDocument:
    """Show a party."""
    asked.principal.require(Scope.PARTIES_READ)
    subject = read_path_id(Prefix.PARTY, party_id)
    asked.principal.require_party(subject)
    return await _party(asked, subject)


@router.post("/{party_id}/close")
async def close_party(party_id: Id, asked: Asked) -> PartyDocument:
    """End a party's part in anything new, for good."""
    return await _end(asked, party_id, CloseParty)


@router.post("/{party_id}/erase")
async def erase_party(party_id: Id, asked: Asked) -> PartyDocument:
    """Destroy a party's personal data, for good; what it did stays in the books under its id."""
    try:
        document = await _end(asked, party_id, EraseParty)
    except RefusedAs:
        await _destroy_leftovers(asked, party_id)
        raise
    await _destroy_leftovers(asked, party_id)
    return document


async def _end(asked: Caller, party_id: str, command: type[CloseParty | EraseParty]) -> PartyDocument:
    _require_house(asked, Scope.PARTIES_WRITE)
    subject = read_path_id(Prefix.PARTY, party_id)
    await asked.services.command(
        PARTY_PRODUCT.name, command(subject=subject), principal=asked.principal, key=asked.key
    )
    return await _party(asked, subject)


async def _destroy_leftovers(asked: Caller, party_id: str) -> None:
    """Destroy what the vault has of a party that the journal says is erased.

    The two are not one commit: whatever came between them, asking again with any key finishes it.
    """
    subject = read_path_id(Prefix.PARTY, party_id)
    fields = (await asked.services.backend.aggregates(PARTY_PRODUCT.name, [subject]))[0]
    if fields is not None and fields["status"] == PartyStatus.ERASED:
        await asyncio.to_thread(asked.services.vault.erase, subject)


def _require_house(asked: Caller, scope: Scope) -> None:
    asked.principal.require(scope)
    asked.principal.require_house()


async def _party(asked: Caller, subject: int) -> PartyDocument:
    return _document(subject, await asked.services.aggregate(PARTY_PRODUCT.name, subject))


def _document(subject: int, fields: dict[str, Any]) -> PartyDocument:
    return PartyDocument(
        id=encode(Prefix.PARTY, subject),
        kind=PartyKind(fields["kind"]).name.lower(),
        status=PartyStatus(fields["status"]).name.lower(),
        daily_amount_max=fields["daily_amount_max"],
        daily_count_max=fields["daily_count_max"],
        changed_at=time_text(fields["timestamp"]),
    )
