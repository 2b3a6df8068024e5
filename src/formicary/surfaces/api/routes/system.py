"""Health, metrics, and the sandbox's clock."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import Field

from formicary.base.errors import OperationalFault
from formicary.base.scopes import Scope
from formicary.surfaces.api.problems import NotFound
from formicary.surfaces.api.routes.shared import Asked, Body, Document
from formicary.surfaces.api.services import Services
from formicary.surfaces.api.values import time_text

__all__ = ["public_router", "router"]

router: Final = APIRouter(prefix="/v1/clock", tags=["clock"])

_ADVANCE_SECONDS_MAX: Final = 400 * 86_400
_NANOSECONDS_PER_SECOND: Final = 1_000_000_000


class AdvanceBody(Body):
    """By how much to put the clock forward."""

    seconds: Annotated[int, Field(ge=1, le=_ADVANCE_SECONDS_MAX)]


class ClockDocument(Document):
    """What time it is."""

    now: str


@router.get("")
async def get_clock(asked: Asked) -> ClockDocument:
    """Show the time."""
    return ClockDocument(now=time_text(asked.services.now()))


@router.post("/advance")
async def advance_clock(body: AdvanceBody, asked: Asked) -> ClockDocument:
    """Put the sandbox's clock forward: what falls due in between happens. There is none outside a sandbox."""
    asked.principal.require(Scope.CLOCK_WRITE)
    asked.principal.require_house()
    if asked.services.clock is None:
        raise NotFound
    return ClockDocument(now=time_text(asked.services.clock.advance(body.seconds * _NANOSECONDS_PER_SECOND)))


public_router: Final = APIRouter(tags=["health"])


@public_router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that this worker is alive."""
    return {"status": "ok"}


@public_router.get("/readyz", responses={503: {"description": "The engine does not answer."}})
async def readyz(request: Request) -> Response:
    """Say whether requests can be answered: the engine is asked."""
    services: Services = request.app.state.services
    try:
        status: dict[str, Any] = await services.backend.status()
    except OperationalFault:
        return Response(
            '{"status":"not ready"}', HTTPStatus.SERVICE_UNAVAILABLE, media_type="application/json"
        )
    services.metrics.position.set(status["position"])
    return Response('{"status":"ready"}', media_type="application/json")


@public_router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return this worker's figures in Prometheus' text format."""
    services: Services = request.app.state.services
    # Without an engine the worker's own figures are what tells of it.
    with suppress(OperationalFault):
        for name, features in (await services.backend.feature_quality()).items():
            services.metrics.features.show(name, features)
    return Response(services.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
