"""``/v1/events``: what happened, in order, for the house."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from fastapi import APIRouter

from formicary.base.scopes import Scope
from formicary.surfaces.api.routes.shared import DEFAULT_LIMIT, Asked, Cursor, Document, Limit, read_cursor
from formicary.surfaces.api.values import time_text

__all__ = ["EventDocument", "event_document", "router"]

router: Final = APIRouter(prefix="/v1/events", tags=["events"])


class EventDocument(Document):
    """An event: its place in the journal, its kind, the aggregate it is about, and its data."""

    position: int
    kind: str
    version: int
    subject: str
    at: str
    data: dict[str, Any]


class EventPage(Document):
    """Events; ``next`` is the cursor to go on from, also where there is nothing yet."""

    items: list[EventDocument]
    next: str


@router.get("")
async def list_events(asked: Asked, *, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT) -> EventPage:
    """Show what happened after a cursor, each event once, none left out; for the house's keys only."""
    asked.principal.require(Scope.EVENTS_READ)
    asked.principal.require_house()
    after = read_cursor(cursor)
    found = await asked.services.backend.remember(lambda history: history.events(after=after, limit=limit))
    items = [event_document(event) for event in found]
    return EventPage(items=items, next=str(items[-1].position if items else after))


def event_document(event: Any) -> EventDocument:
    """Return an event of the journal as callers see it."""
    return EventDocument(
        position=event.position,
        kind=event.kind,
        version=event.version,
        subject=f"{event.subject:032x}",
        at=time_text(event.timestamp),
        data=msgspec.json.decode(event.body),
    )
