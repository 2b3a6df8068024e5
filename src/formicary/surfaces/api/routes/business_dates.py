"""``/v1/business-dates``: the close of business over all loans, for the house."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import Field

from formicary.base.civil import date_text, parse_date
from formicary.base.errors import Refusal
from formicary.base.scopes import Scope
from formicary.products.lending.limits import COLLECTIONS_MAX
from formicary.products.lending.product import BUSINESS_DATES
from formicary.products.lending.servicing.close import CloseBusinessDate
from formicary.surfaces.api.problems import NotFound
from formicary.surfaces.api.routes.shared import Asked, Body, Caller, Document, currency_code
from formicary.surfaces.api.values import time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/business-dates", tags=["lending"])

Date = Annotated[str, Path(max_length=64, description="As 2025-01-31.")]
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_STEPS: Final = ("accrued", "collected", "charged_off", "provided", "told")


class PartBody(Body):
    """How the next part is done: of how many loans at most it moves money, and whether it passes the next."""

    most: Annotated[int, Field(ge=1, le=COLLECTIONS_MAX)] = COLLECTIONS_MAX
    passes: bool = False


class DateDocument(Document):
    """A business date: over how many loans it goes, and how far each step of it came; ``closed`` at the end.

    ``payments`` were collected, ``losses`` taken, of ``skipped`` loans the ledger would move nothing,
    ``reminders`` are told.
    """

    date: str
    closed: bool
    loans: int
    accrued: int
    collected: int
    charged_off: int
    provided: int
    told: int
    payments: int
    losses: int
    skipped: int
    reminders: int
    changed_at: str


class MovedDocument(Document):
    """How the allowances of a currency and stage moved, in minor units, in the lines of IFRS 7, 35H."""

    currency: str
    stage: int
    opening: int
    new: int
    moved_in: int
    moved_out: int
    remeasured: int
    gone: int
    closing: int


class ProvisionsDocument(Document):
    """How allowances moved on a business date."""

    date: str
    items: list[MovedDocument]


@router.get("/{date}")
async def get_business_date(date: Date, asked: Asked) -> DateDocument:
    """Show how far the close of a date came; for the house's keys only."""
    asked.principal.require(Scope.LOANS_READ)
    asked.principal.require_house()
    return await _shown(asked, _day(date))


@router.get("/{date}/provisions")
async def get_provisions(date: Date, asked: Asked) -> ProvisionsDocument:
    """Show how allowances moved on a date; for the house's keys only."""
    asked.principal.require(Scope.LOANS_READ)
    asked.principal.require_house()
    day = _day(date)
    await asked.services.aggregate(BUSINESS_DATES.name, day)
    items = [
        MovedDocument(
            currency=currency_code(row.currency),
            **{name: getattr(row, name) for name in row.__struct_fields__ if name != "currency"},
        )
        for row in await asked.services.movements.on(day)
    ]
    return ProvisionsDocument(date=date, items=items)


@router.post("/{date}/close")
async def close_business_date(date: Date, asked: Asked, body: PartBody | None = None) -> DateDocument:
    """Do the next part of the close of a date; ask until it is closed; for the house's keys only."""
    asked.principal.require(Scope.LOANS_WRITE)
    asked.principal.require_house()
    how = PartBody() if body is None else body
    command = CloseBusinessDate(subject=_day(date), most=how.most, passes=how.passes)
    await asked.services.command(BUSINESS_DATES.name, command, principal=asked.principal, key=asked.key)
    return await _shown(asked, command.subject)


def _day(date: str) -> int:
    """Return the day that a path names; one that is none names nothing."""
    if not _DATE.fullmatch(date):
        raise NotFound
    try:
        return max(parse_date(date), 0)
    except Refusal as refusal:
        raise NotFound from refusal


async def _shown(asked: Caller, day: int) -> DateDocument:
    fields: dict[str, Any] = await asked.services.aggregate(BUSINESS_DATES.name, day)
    return DateDocument(
        date=date_text(day),
        closed=fields["told"] >= fields["loans"],
        changed_at=time_text(fields["timestamp"]),
        **{name: fields[name] for name in ("loans", *_STEPS, "payments", "losses", "skipped", "reminders")},
    )
