"""``/v1/keys``: API keys, shown once, kept as hashes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import Field

from formicary.base.limits import KEY_OVERLAP_SECONDS_MAX
from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope, scope_names, scopes_of
from formicary.factory.engine.requests import command_id_of, derive_id
from formicary.factory.identity.credential import (
    CREDENTIAL_PRODUCT,
    CredentialStatus,
    IssueKey,
    RevokeKey,
    RotateKey,
)
from formicary.factory.identity.keys import new_key
from formicary.products.payments.postings import HOUSE
from formicary.surfaces.api.problems import ScopeMissing
from formicary.surfaces.api.routes.shared import Asked, Body, Caller, Document, Id, read_id, read_path_id
from formicary.surfaces.api.values import read_time, time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/keys", tags=["keys"])

_SCOPES_MAX: Final = 32


class KeyBody(Body):
    """A key to make for a party, with scopes by name, until a time in RFC 3339 or for good."""

    party: str
    scopes: Annotated[list[str], Field(min_length=1, max_length=_SCOPES_MAX)]
    expires_at: Annotated[str | None, Field(default=None, max_length=40)] = None


class RotateBody(Body):
    """How long the old text stays valid beside the new one."""

    overlap_seconds: Annotated[int, Field(ge=0, le=KEY_OVERLAP_SECONDS_MAX)]


class KeyDocument(Document):
    """A key; ``key`` is its text, in the one answer that made it and in no other."""

    id: str
    party: str
    status: str
    scopes: list[str]
    expires_at: str | None
    key: str | None = None


@router.post("", status_code=HTTPStatus.CREATED)
async def issue_key(body: KeyBody, asked: Asked) -> KeyDocument:
    """Make a key. Asked again with the same key, the answer is the same without the text."""
    asked.principal.require(Scope.KEYS_WRITE)
    party = read_id(Prefix.PARTY, body.party, param="party")
    asked.principal.require_party(party)
    scopes = scopes_of(body.scopes)
    if scopes & ~asked.principal.scopes:
        # Nobody gives what they do not have.
        raise ScopeMissing
    if party == HOUSE and scopes & Scope.APPROVALS_WRITE:
        # Whoever could make a second approver for themselves would be two persons.
        raise ScopeMissing
    subject = derive_id(command_id_of(asked.principal.name, asked.key), 0)
    known = (await asked.services.backend.aggregates(CREDENTIAL_PRODUCT.name, [subject]))[0]
    if known is not None:
        return _document(subject, known)
    made = new_key("test" if asked.services.clock else "live", subject, asked.services.random)
    command = IssueKey(
        subject=subject,
        party=f"{party:032x}",
        hash_first=made.hash_first,
        hash_last=made.hash_last,
        scopes=int(scopes),
        expires=read_time(body.expires_at, param="expires_at") if body.expires_at else 0,
    )
    await asked.services.command(CREDENTIAL_PRODUCT.name, command, principal=asked.principal, key=asked.key)
    fields = await asked.services.aggregate(CREDENTIAL_PRODUCT.name, subject)
    return _document(subject, fields, text=made.text)


@router.get("/{key_id}")
async def get_key(key_id: Id, asked: Asked) -> KeyDocument:
    """Show a key, without its text."""
    asked.principal.require(Scope.KEYS_WRITE)
    subject, fields = await _own_key(asked, key_id)
    return _document(subject, fields)


@router.post("/{key_id}/rotate")
async def rotate_key(key_id: Id, body: RotateBody, asked: Asked) -> KeyDocument:
    """Put another text in the place of a key's; the old one stays valid for a while."""
    asked.principal.require(Scope.KEYS_WRITE)
    subject, fields = await _own_key(asked, key_id)
    _require_may_hold(asked, subject, fields)
    made = new_key("test" if asked.services.clock else "live", subject, asked.services.random)
    command = RotateKey(
        subject=subject,
        hash_first=made.hash_first,
        hash_last=made.hash_last,
        overlap_seconds=body.overlap_seconds,
    )
    await asked.services.command(CREDENTIAL_PRODUCT.name, command, principal=asked.principal, key=asked.key)
    fields = await asked.services.aggregate(CREDENTIAL_PRODUCT.name, subject)
    return _document(subject, fields, text=made.text)


@router.post("/{key_id}/revoke")
async def revoke_key(key_id: Id, asked: Asked) -> KeyDocument:
    """End a key: within a second no worker takes it any more."""
    asked.principal.require(Scope.KEYS_WRITE)
    subject, _ = await _own_key(asked, key_id)
    command = RevokeKey(subject=subject)
    await asked.services.command(CREDENTIAL_PRODUCT.name, command, principal=asked.principal, key=asked.key)
    return _document(subject, await asked.services.aggregate(CREDENTIAL_PRODUCT.name, subject))


def _require_may_hold(asked: Caller, subject: int, fields: dict[str, Any]) -> None:
    """Raise ``ScopeMissing`` where the new text would give the caller more than they have.

    Whoever rotates a key holds it from then on: what it may do they must be allowed to do, and the key
    of another person who approves must not become theirs.
    """
    is_approver = int(fields["party"], 16) == HOUSE and fields["scopes"] & Scope.APPROVALS_WRITE
    is_own = asked.principal.is_key and encode(Prefix.KEY, subject) == asked.principal.name
    if fields["scopes"] & ~asked.principal.scopes or (is_approver and not is_own):
        raise ScopeMissing


async def _own_key(asked: Caller, key_id: str) -> tuple[int, dict[str, Any]]:
    subject = read_path_id(Prefix.KEY, key_id)
    fields = await asked.services.aggregate(CREDENTIAL_PRODUCT.name, subject)
    asked.principal.require_party(int(fields["party"], 16))
    return subject, fields


def _document(subject: int, fields: dict[str, Any], *, text: str | None = None) -> KeyDocument:
    return KeyDocument(
        id=encode(Prefix.KEY, subject),
        party=encode(Prefix.PARTY, int(fields["party"], 16)),
        status=CredentialStatus(fields["status"]).name.lower(),
        scopes=list(scope_names(fields["scopes"])),
        expires_at=time_text(fields["expires"]) if fields["expires"] else None,
        key=text,
    )
