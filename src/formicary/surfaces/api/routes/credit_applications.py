"""``/v1/credit/applications``: decided about at once, and whoever is refused is told why."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from fastapi import APIRouter, Response
from pydantic import Field

from formicary.base.currencies import currency_of_ledger
from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.engine.requests import command_id_of, derive_id
from formicary.factory.history import History
from formicary.products.lending.applications.recorded import notice_told
from formicary.products.lending.applications.schemas import NAME, ApplyForCredit, CreditDecided
from formicary.products.lending.limits import LENDING_AMOUNT_MAX
from formicary.products.lending.product import APPLICATIONS
from formicary.surfaces.api.problems import NotFound
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
    Whose,
    of_party,
    read_currency,
    read_id,
    read_path_id,
)
from formicary.surfaces.api.values import time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/credit/applications", tags=["credit"])


_KIND: Final = f"{NAME}.{CreditDecided.__name__}"
_FORMS: Final = {"text/html": "as_html", "text/plain": "as_text", "application/json": "as_json"}
_JSON: Final = "application/json"


class ApplicationBody(Body):
    """Who asks for how much: ``amount`` minor units of ``currency``, for which wallet if that is known."""

    party: str
    currency: str
    amount: Annotated[int, Field(ge=1, le=LENDING_AMOUNT_MAX)]
    wallet: str | None = None


class ApplicationDocument(Document):
    """A decision: ``outcome`` is granted, cut (less than was asked for) or declined.

    ``limit`` and ``instalment`` in minor units, ``daily_rate`` in millionths a day, ``effective_rate`` in
    millionths a year. ``offer`` is what can be accepted until ``expires_at``. ``reasons`` are at most four,
    the most important first; ``policy`` is the version of the house's settings, ``model`` the hash of the
    model that was asked, null where none could be.
    """

    id: str
    party: str
    currency: str
    amount: int
    outcome: str
    limit: int
    daily_rate: int | None
    effective_rate: int | None
    instalment: int | None
    offer: str | None
    expires_at: str | None
    reasons: list[str]
    policy: int
    model: str | None
    decided_at: str


class ApplicationPage(Document):
    """Decisions; ``next`` is the cursor of the page after, None at the end."""

    items: list[ApplicationDocument]
    next: str | None


class _Recorded(NamedTuple):
    """A decision as the journal has it."""

    event: CreditDecided
    at: int


@router.post("", status_code=HTTPStatus.CREATED)
async def apply_for_credit(body: ApplicationBody, asked: Asked) -> ApplicationDocument:
    """Decide about an application at once: an offer, or reasons."""
    asked.principal.require(Scope.APPLICATIONS_WRITE)
    party = await own_party(asked, body.party)
    number = read_currency(body.currency)
    wallet = None if body.wallet is None else read_id(Prefix.ACCOUNT, body.wallet, param="wallet")
    subject = derive_id(command_id_of(asked.principal.name, asked.key), 0)
    command = ApplyForCredit(
        subject=subject,
        party=f"{party:032x}",
        currency=number,
        wanted=body.amount,
        wallet=None if wallet is None else f"{wallet:032x}",
    )
    answer = await asked.services.command(
        APPLICATIONS.name, command, principal=asked.principal, key=asked.key
    )
    return _answered(subject, party, body, answer)


@router.get("")
async def list_applications(
    party: Whose, asked: Asked, *, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> ApplicationPage:
    """Show what was decided about a party's applications, the oldest first."""
    asked.principal.require(Scope.APPLICATIONS_READ)
    identifier = read_id(Prefix.PARTY, party, param="party")
    asked.principal.require_party(identifier)
    found, after = await of_party(asked, APPLICATIONS.name, identifier, cursor, limit)
    subjects = {int(one["id"], 16): one["position"] for one in found}
    recorded = await _all_recorded(asked, subjects)
    return ApplicationPage(items=[_document(*one) for one in recorded.items()], next=after)


@router.get("/{application_id}")
async def get_application(application_id: Id, asked: Asked) -> ApplicationDocument:
    """Show a party what was decided about its application."""
    asked.principal.require(Scope.APPLICATIONS_READ)
    subject = read_path_id(Prefix.APPLICATION, application_id)
    return _document(subject, await _recorded(asked, subject))


@router.get(
    "/{application_id}/notice",
    response_class=Response,
    responses={
        HTTPStatus.OK.value: {
            "description": "The notice; JSON unless `Accept` asks for another form",
            "content": {form: {"schema": {"type": "string"}} for form in _FORMS},
        }
    },
)
async def get_notice(application_id: Id, asked: Asked) -> Response:
    """Show whoever was refused, or got less, why: as a page, as text or as JSON, by ``Accept``."""
    asked.principal.require(Scope.APPLICATIONS_READ)
    subject = read_path_id(Prefix.APPLICATION, application_id)
    recorded = await _recorded(asked, subject)
    notice = notice_told(recorded.event, application=subject, decided_at=recorded.at)
    form = _form(asked.exchange.headers.get(b"accept", b""))
    return Response(getattr(notice, _FORMS[form])(), media_type=form)


def _form(accept: bytes) -> str:
    """Return the first form of a notice that a caller names, JSON for none of them."""
    named = [one.partition(";")[0].strip() for one in accept.decode("latin-1").lower().split(",")]
    return next((one for one in named if one in _FORMS), _JSON)


async def _recorded(asked: Caller, subject: int) -> _Recorded:
    """Return a decision of a party that the caller may see."""
    fields = await asked.services.aggregate(APPLICATIONS.name, subject)
    asked.principal.require_party(int(fields["party"], 16))
    return (await _all_recorded(asked, {subject: fields["position"]}))[subject]


async def _all_recorded(asked: Caller, subjects: Mapping[int, int]) -> dict[int, _Recorded]:
    """Return decisions by their subjects, each of which goes with the position that it read at."""

    def remembered(history: History) -> dict[int, _Recorded]:
        return {subject: _remembered(history, subject, after) for subject, after in subjects.items()}

    return await asked.services.backend.remember(remembered)


def _remembered(history: History, subject: int, after: int) -> _Recorded:
    # What it read was all there was; the decision came next.
    found, _ = history.events_of([_KIND], after=after, positions=1)
    if not found or found[0].subject != subject:
        raise NotFound
    return _Recorded(msgspec.json.decode(found[0].body, type=CreditDecided), found[0].timestamp)


def _answered(subject: int, party: int, body: ApplicationBody, answer: dict[str, Any]) -> ApplicationDocument:
    return ApplicationDocument(
        id=encode(Prefix.APPLICATION, subject),
        party=encode(Prefix.PARTY, party),
        currency=body.currency,
        amount=body.amount,
        reasons=answer["reasons"],
        policy=answer["policy"],
        model=answer["model"],
        decided_at=time_text(answer["at"]),
        **_outcome(answer, int(answer["offer"], 16) if answer["offer"] else None),
    )


def _document(subject: int, recorded: _Recorded) -> ApplicationDocument:
    event = recorded.event
    offered = event.offered
    fields = {"limit": event.limit, "rate": event.rate, "is_cut": event.is_cut}
    if offered is not None:
        fields |= {name: getattr(offered, name) for name in ("effective_rate", "instalment", "expires")}
    return ApplicationDocument(
        id=encode(Prefix.APPLICATION, subject),
        party=encode(Prefix.PARTY, int(event.party, 16)),
        currency=currency_of_ledger(event.currency).code,
        amount=event.wanted,
        reasons=[reason.said for reason in event.reasons],
        policy=event.policy,
        model=None if event.scored is None else event.scored.model,
        decided_at=time_text(recorded.at),
        **_outcome(fields, None if offered is None else int(offered.offer, 16)),
    )


def _outcome(fields: dict[str, Any], offer: int | None) -> dict[str, Any]:
    if offer is None:
        nothing = ("daily_rate", "effective_rate", "instalment", "offer", "expires_at")
        return {"outcome": "declined", "limit": 0} | dict.fromkeys(nothing)
    return {
        "outcome": "cut" if fields["is_cut"] else "granted",
        "limit": fields["limit"],
        "daily_rate": fields["rate"],
        "effective_rate": fields["effective_rate"],
        "instalment": fields["instalment"],
        "offer": encode(Prefix.OFFER, offer),
        "expires_at": time_text(fields["expires"]),
    }
