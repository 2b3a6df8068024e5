"""``/v1/parties/…/consents``: what a party agreed to, purpose by purpose."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from formicary.base.errors import Refusal
from formicary.base.public_ids import Prefix, encode
from formicary.base.purposes import NEEDS_CONSENT, Purpose, purpose_name, purpose_named
from formicary.base.scopes import Scope
from formicary.factory.identity.consent import CONSENT_PRODUCT, ConsentAct, GrantConsent, RevokeConsent
from formicary.factory.identity.party import PARTY_PRODUCT
from formicary.surfaces.api.problems import ConsentActNotAllowed, NotFound, RefusedAs
from formicary.surfaces.api.routes.shared import Asked, Body, Caller, Document, Id, read_path_id

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/parties", tags=["parties"])

_ACTS: Final = {act.name.lower(): act for act in ConsentAct}
PurposeName = Annotated[str, Path(max_length=64, description="The name of a purpose, in snake case.")]


class ConsentBody(Body):
    """One purpose, the hash of the exact text that the party was shown, and how the party said yes.

    The hash is the first half of the text's SHA-256, 32 hexadecimal digits.
    """

    purpose: str
    wording: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    act: Literal["signed_in_party", "written", "spoken"]


class ConsentDocument(Document):
    """Whether a party agrees to a purpose now; if so, to which words and by which act."""

    party: str
    purpose: str
    granted: bool
    wording: str | None
    act: str | None


@router.get("/{party_id}/consents")
async def list_consents(party_id: Id, asked: Asked) -> list[ConsentDocument]:
    """Show for every purpose that takes consent whether a party agrees to it."""
    asked.principal.require(Scope.PARTIES_READ)
    subject = await _party(asked, party_id)
    fields = await _consent(asked, subject)
    return [_document(subject, purpose, fields) for purpose in sorted(NEEDS_CONSENT)]


@router.post("/{party_id}/consents", status_code=HTTPStatus.CREATED)
async def grant_consent(party_id: Id, body: ConsentBody, asked: Asked) -> ConsentDocument:
    """Agree to a purpose, with the party's own token; the house's keys enter a paper or a call."""
    asked.principal.require(Scope.CONSENTS_WRITE)
    subject = await _party(asked, party_id)
    act = _ACTS[body.act]
    _require_own_act(asked, act)
    try:
        purpose = purpose_named(body.purpose)
    except Refusal as refusal:
        raise RefusedAs(refusal.code, param="purpose") from refusal
    command = GrantConsent(subject=subject, purpose=purpose, wording=body.wording, act=act)
    return await _done(asked, command)


@router.post("/{party_id}/consents/{purpose}/revoke")
async def revoke_consent(party_id: Id, purpose: PurposeName, asked: Asked) -> ConsentDocument:
    """Take consent to a purpose back, at once and without a reason."""
    asked.principal.require(Scope.CONSENTS_WRITE)
    subject = await _party(asked, party_id)
    try:
        named = purpose_named(purpose)
    except Refusal as refusal:
        raise NotFound from refusal
    return await _done(asked, RevokeConsent(subject=subject, purpose=named))


def _require_own_act(asked: Caller, act: ConsentAct) -> None:
    """Raise ``ConsentActNotAllowed`` unless whoever asks can know of the act.

    A token is the party's own and was there when it pressed. The house has the paper or the recording. A
    program that has a party's API key has neither: it would agree in the party's name.
    """
    pressed = act is ConsentAct.SIGNED_IN_PARTY
    is_its_own = not asked.principal.is_key if pressed else asked.principal.is_house
    if not is_its_own:
        raise ConsentActNotAllowed


async def _party(asked: Caller, party_id: str) -> int:
    """Return the id of a party that is there, and the caller's to see."""
    subject = read_path_id(Prefix.PARTY, party_id)
    asked.principal.require_party(subject)
    await asked.services.aggregate(PARTY_PRODUCT.name, subject)
    return subject


async def _done(asked: Caller, command: GrantConsent | RevokeConsent) -> ConsentDocument:
    await asked.services.command(CONSENT_PRODUCT.name, command, principal=asked.principal, key=asked.key)
    return _document(command.subject, command.purpose, await _consent(asked, command.subject))


async def _consent(asked: Caller, subject: int) -> dict[str, Any] | None:
    """Return what a party agreed to; None where it was never asked, or never said yes."""
    return (await asked.services.backend.aggregates(CONSENT_PRODUCT.name, [subject]))[0]


def _document(subject: int, purpose: Purpose, fields: dict[str, Any] | None) -> ConsentDocument:
    granted = fields is not None and bool(fields["granted"] >> purpose & 1)
    return ConsentDocument(
        party=encode(Prefix.PARTY, subject),
        purpose=purpose_name(purpose),
        granted=granted,
        wording=fields["wordings"][purpose] if fields is not None and granted else None,
        act=ConsentAct(fields["acts"][purpose]).name.lower() if fields is not None and granted else None,
    )
