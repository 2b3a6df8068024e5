"""``/v1/webhooks``: addresses that get events as they happen; for the house's keys only."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter
from msgspec.structs import replace
from pydantic import Field

from formicary.base.limits import WEBHOOK_URL_CHARACTERS_MAX
from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.engine.requests import command_id_of, derive_id
from formicary.surfaces.api.problems import NotFound
from formicary.surfaces.api.routes.shared import Asked, Body, Caller, Document, Id
from formicary.surfaces.webhooks.addresses import target_of
from formicary.surfaces.webhooks.store import Progress, Registration, WebhookStore

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

_SECRET_BYTES: Final = 32
_KINDS_MAX: Final = 64


class WebhookBody(Body):
    """Where to send events of some kinds, or of all; those that happen from now on."""

    url: Annotated[str, Field(max_length=WEBHOOK_URL_CHARACTERS_MAX)]
    kinds: Annotated[
        list[Annotated[str, Field(max_length=64)]], Field(default_factory=list, max_length=_KINDS_MAX)
    ]


class WebhookDocument(Document):
    """A webhook; ``secret`` is in the answer that made it, and in no other."""

    id: str
    url: str
    kinds: list[str]
    delivered_up_to: int
    pending: int
    dead_letters: list[int]
    secret: str | None = None


@router.post("", status_code=HTTPStatus.CREATED)
async def register_webhook(body: WebhookBody, asked: Asked) -> WebhookDocument:
    """Register an address. Asked again with the same key, the answer is the same without the secret."""
    store = _store(asked)
    webhook_id = encode(Prefix.WEBHOOK, derive_id(command_id_of(asked.principal.name, asked.key), 0))
    known = store.registrations().get(webhook_id)
    if known is not None:
        return _document(asked, known)
    target_of(body.url, is_sandbox=asked.services.clock is not None)
    status = await asked.services.backend.status()
    made = Registration(
        id=webhook_id,
        url=body.url,
        secret="whsec_" + base64.b64encode(asked.services.random(_SECRET_BYTES)).decode(),
        after=status["position"],
        kinds=tuple(body.kinds),
    )
    store.put(made)
    return _document(asked, made, secret=made.secret)


@router.get("")
async def list_webhooks(asked: Asked) -> list[WebhookDocument]:
    """Show all webhooks and how far each has come."""
    return [_document(asked, known) for known in _store(asked).registrations().values()]


@router.get("/{webhook_id}")
async def get_webhook(webhook_id: Id, asked: Asked) -> WebhookDocument:
    """Show a webhook, what it did not take yet, and what it never took."""
    return _document(asked, _known(asked, webhook_id))


@router.post("/{webhook_id}/redeliver")
async def redeliver(webhook_id: Id, asked: Asked) -> WebhookDocument:
    """Send its dead letters again."""
    _ = asked.key
    known = _known(asked, webhook_id)
    asked.services.webhooks.put(replace(known, replays=known.replays + 1))
    return _document(asked, known)


@router.delete("/{webhook_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_webhook(webhook_id: Id, asked: Asked) -> None:
    """Remove a webhook; what it did not take is not sent any more."""
    _store(asked).remove(_known(asked, webhook_id).id)


def _store(asked: Caller) -> WebhookStore:
    asked.principal.require(Scope.WEBHOOKS_WRITE)
    asked.principal.require_house()
    return asked.services.webhooks


def _known(asked: Caller, webhook_id: str) -> Registration:
    known = _store(asked).registrations().get(webhook_id)
    if known is None:
        raise NotFound
    return known


def _document(asked: Caller, known: Registration, *, secret: str | None = None) -> WebhookDocument:
    progress = asked.services.webhooks.progress().get(known.id) or Progress(cursor=known.after)
    return WebhookDocument(
        id=known.id,
        url=known.url,
        kinds=list(known.kinds),
        delivered_up_to=progress.cursor,
        pending=len(progress.pending),
        dead_letters=list(progress.dead),
        secret=secret,
    )
