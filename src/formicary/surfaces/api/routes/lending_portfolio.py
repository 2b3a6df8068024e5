"""``/v1/lending/portfolio``: what became of what was lent, for the house."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Response

from formicary.base.scopes import Scope
from formicary.surfaces.api.problems import PortfolioNotThere
from formicary.surfaces.api.routes.shared import Asked, Caller, Document

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/lending/portfolio", tags=["lending"])


class PortfolioDocument(Document):
    """What became of what was lent, as of a date, by currency: see the page of lending's portfolio."""

    as_of: str | None
    currencies: list[dict[str, Any]]


class PartDocument(Document):
    """One analysis, as of a date, by currency."""

    as_of: str | None
    currencies: dict[str, Any]


@router.get(
    "",
    response_class=Response,
    responses={200: {"model": PortfolioDocument, "description": "The portfolio"}},
)
async def get_portfolio(asked: Asked) -> Response:
    """Show all of it, as of the last business date that was closed; for the house's keys only."""
    # As it was written: it is not read here only to be written again.
    return Response(await _kept(asked), media_type="application/json")


@router.get("/vintages")
async def get_vintages(asked: Asked) -> PartDocument:
    """Show how much of the loans of each month was in default by each age; for the house's keys only."""
    return await _part(asked, "vintages")


@router.get("/roll-rates")
async def get_roll_rates(asked: Asked) -> PartDocument:
    """Show which share of each bucket was where a month later; for the house's keys only."""
    return await _part(asked, "roll_rates")


@router.get("/default-curves")
async def get_default_curves(asked: Asked) -> PartDocument:
    """Show the share of each month's loans that defaults within so many days; for the house's keys only."""
    return await _part(asked, "default_curves")


@router.get("/returns")
async def get_returns(asked: Asked) -> PartDocument:
    """Show yield, cost of risk, write-offs, return on capital of the last days; for the house's keys only."""
    return await _part(asked, "returns")


@router.get(
    "/page",
    response_class=Response,
    responses={200: {"content": {"text/html": {}}, "description": "The page"}},
)
async def get_portfolio_page(asked: Asked) -> Response:
    """Show the same as a page of HTML; for the house's keys only."""
    _require(asked)
    body = await asyncio.to_thread(asked.services.portfolio.page)
    if body is None:
        raise PortfolioNotThere
    return Response(body, media_type="text/html; charset=utf-8")


def _require(asked: Caller) -> None:
    asked.principal.require(Scope.LOANS_READ)
    asked.principal.require_house()


async def _kept(asked: Caller) -> bytes:
    _require(asked)
    body = await asyncio.to_thread(asked.services.portfolio.document)
    if body is None:
        raise PortfolioNotThere
    return body


async def _part(asked: Caller, part: str) -> PartDocument:
    told = msgspec.json.decode(await _kept(asked))
    parts = {one["currency"]: one[part] for one in told["currencies"]}
    return PartDocument(as_of=told["as_of"], currencies=parts)
