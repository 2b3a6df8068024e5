"""``/v1/score-disputes``: a party says that its score rests on something wrong, and a person looks."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from pydantic import Field

from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.products.credit.product import DISPUTES
from formicary.products.credit.schemas import (
    CorrectedFact,
    Correction,
    DisputeStatus,
    OpenDispute,
    RejectDispute,
    UpholdDispute,
)
from formicary.products.credit.terms import Dimension
from formicary.surfaces.api.routes.credit_scores import own_party
from formicary.surfaces.api.routes.shared import (
    DEFAULT_LIMIT,
    Asked,
    Body,
    Caller,
    Cursor,
    Document,
    Id,
    Limit,
    read_cursor,
)
from formicary.surfaces.api.values import read_time, time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/score-disputes", tags=["credit score"])

_CORRECTIONS_MAX: Final = 64


class DisputeBody(Body):
    """Whose score, and which dimension of it is wrong."""

    party: str
    dimension: Literal["history", "capacity", "behaviour", "identity", "relations"]


class CorrectionBody(Body):
    """A fact that was wrong, by its kind and its time in RFC 3339.

    ``was`` is what it said: whether it was late, or passed; ``is_now`` is what is right, null where there was
    nothing to tell.
    """

    fact: Literal["obligation", "identity_check"]
    at: str
    was: bool
    is_now: bool | None


class DisputeVerdictBody(Body):
    """Whether the party is right; if so, what is corrected."""

    verdict: Literal["upheld", "rejected"]
    corrections: Annotated[list[CorrectionBody], Field(max_length=_CORRECTIONS_MAX, default_factory=list)]


class DisputeDocument(Document):
    """A party's latest dispute; ``decided_by`` is the key that said who is right."""

    party: str
    status: str
    dimension: str
    corrections: int
    changed_at: str
    decided_by: str | None


class DisputePage(Document):
    """Disputes; ``next`` is the cursor of the page after, None at the end."""

    items: list[DisputeDocument]
    next: str | None


@router.post("", status_code=HTTPStatus.CREATED)
async def open_dispute(body: DisputeBody, asked: Asked) -> DisputeDocument:
    """Have a person look at what a party's score rests on; one dispute at a time."""
    asked.principal.require(Scope.SCORES_WRITE)
    party = await own_party(asked, body.party)
    command = OpenDispute(subject=party, dimension=Dimension[body.dimension.upper()])
    await asked.services.command(DISPUTES.name, command, principal=asked.principal, key=asked.key)
    return await _shown(asked, party)


@router.get("")
async def list_disputes(
    asked: Asked,
    *,
    status: Literal["open", "upheld", "rejected"] = "open",
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> DisputePage:
    """Show parties' latest disputes of a status; for the house's keys only."""
    asked.key_of_the_house(Scope.DECISIONS_WRITE)
    wanted = DisputeStatus[status.upper()]
    found = await asked.services.backend.find_aggregates(
        DISPUTES.name, "status", int(wanted), after=read_cursor(cursor), limit=limit
    )
    return DisputePage(
        items=[_document(one) for one in found.items], next=None if found.next is None else str(found.next)
    )


@router.get("/{party_id}")
async def get_dispute(party_id: Id, asked: Asked) -> DisputeDocument:
    """Show a party its latest dispute."""
    asked.principal.require(Scope.SCORES_READ)
    return await _shown(asked, await own_party(asked, party_id))


@router.post("/{party_id}/verdict")
async def decide_dispute(party_id: Id, body: DisputeVerdictBody, asked: Asked) -> DisputeDocument:
    """Say whether a party is right, and correct what was wrong; for the house's keys only."""
    by = asked.key_of_the_house(Scope.DECISIONS_WRITE)
    party = await own_party(asked, party_id)
    if body.verdict == "rejected":
        command: UpholdDispute | RejectDispute = RejectDispute(subject=party, by=by)
    else:
        command = UpholdDispute(subject=party, by=by, corrections=[_read(one) for one in body.corrections])
    await asked.services.command(DISPUTES.name, command, principal=asked.principal, key=asked.key)
    return await _shown(asked, party)


def _read(body: CorrectionBody) -> Correction:
    return Correction(
        fact=CorrectedFact[body.fact.upper()],
        at=read_time(body.at, param="corrections"),
        was=int(body.was),
        is_now=None if body.is_now is None else int(body.is_now),
    )


async def _shown(asked: Caller, party: int) -> DisputeDocument:
    return _document(await asked.services.aggregate(DISPUTES.name, party))


def _document(fields: dict[str, Any]) -> DisputeDocument:
    is_open = fields["status"] == DisputeStatus.OPEN
    return DisputeDocument(
        party=encode(Prefix.PARTY, int(fields["id"], 16)),
        status=DisputeStatus(fields["status"]).name.lower(),
        dimension=Dimension(fields["dimension"]).name.lower(),
        corrections=fields["corrections"],
        changed_at=time_text(fields["timestamp"]),
        decided_by=None if is_open else encode(Prefix.KEY, int(fields["by"], 16)),
    )
