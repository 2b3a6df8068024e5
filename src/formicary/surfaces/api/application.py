"""The API as one ASGI application: hot routes first, everything else through FastAPI."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from formicary.base.errors import OperationalFault, Refusal
from formicary.base.limits import (
    API_BODY_BYTES_MAX,
    API_CONNECTIONS_MAX,
    API_REQUESTS_BURST,
    API_REQUESTS_PER_SECOND,
    DEADLINE_SECONDS,
)
from formicary.factory.engine.client import OutcomeUnknown
from formicary.factory.engine.requests import EngineBusy
from formicary.surfaces.api.auth import CachedAuthenticator, Principal
from formicary.surfaces.api.exchange import Answer, CallerLeft, Exchange, Receive, Scope, Send
from formicary.surfaces.api.gatherer import Gatherer
from formicary.surfaces.api.payments import PaymentRoutes
from formicary.surfaces.api.problems import BodyTooSlow
from formicary.surfaces.api.rate_limits import RateLimits
from formicary.surfaces.api.rest import build_rest
from formicary.surfaces.api.routes.shared import Caller
from formicary.surfaces.api.services import Services
from formicary.surfaces.api.velocity import VelocityLimits

__all__ = ["Api"]

HotRoute = Callable[[Exchange, Principal], Awaitable[Answer]]

_PUBLIC: Final = ("/healthz", "/readyz", "/metrics")


class Api:
    """Answers requests.

    Parameters
    ----------
    services
        What the routes share.
    authenticator
        Finds out who asks.
    requests_per_second, requests_burst
        How often one caller may ask.
    """

    def __init__(
        self,
        services: Services,
        authenticator: CachedAuthenticator,
        *,
        requests_per_second: float = API_REQUESTS_PER_SECOND,
        requests_burst: float = API_REQUESTS_BURST,
    ) -> None:
        self._services = services
        self._authenticator = authenticator
        self._metrics = services.metrics
        self._rate_limits = RateLimits(
            per_second=requests_per_second, burst=requests_burst, monotonic=time.monotonic
        )
        self._payments = PaymentRoutes(
            services.backend,
            Gatherer(services.backend.create_transfers),
            services.kinds,
            services.payment_outcomes,
            metrics=services.metrics,
            rate_limits=self._rate_limits,
            velocity_limits=VelocityLimits(services.backend, now=services.now, monotonic=time.monotonic),
        )
        self._hot: Mapping[tuple[str, str], HotRoute] = {
            ("POST", "/v1/payments"): self._payments.create,
            ("POST", "/v1/payments/batch"): self._payments.create_batch,
        }
        self._rest = build_rest(services)
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; of what a server asks besides, nothing is needed."""
        if scope["type"] != "http":
            return
        began = time.monotonic()
        exchange = Exchange(scope, receive, send)
        self._under_way += 1
        try:
            route, status = await self._answer(scope, exchange)
        except CallerLeft:
            return
        finally:
            self._under_way -= 1
        self._metrics.note(route, status, time.monotonic() - began)

    async def _answer(self, scope: Scope, exchange: Exchange) -> tuple[str, int]:
        """Answer, and return under which name that is counted, and the status."""
        path = scope["path"]
        hot = self._hot.get((scope["method"], path))
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                if path in _PUBLIC:
                    return await self._answer_rest(scope, exchange, None)
                if self._under_way > API_CONNECTIONS_MAX:
                    raise EngineBusy
                principal = await self._authenticator.principal(exchange.headers.get(b"authorization"))
                self._rate_limits.take(principal.name)
                if hot is None:
                    return await self._answer_rest(scope, exchange, principal)
                answer = await hot(exchange, principal)
        except CallerLeft:
            raise
        except TimeoutError:
            error: Refusal | OperationalFault = OutcomeUnknown() if exchange.has_body else BodyTooSlow()
            return path if hot is not None else "refused late", await exchange.refuse(error)
        except (Refusal, OperationalFault) as refusal:
            return path if hot is not None else "refused early", await exchange.refuse(refusal)
        await exchange.answer(answer)
        return path, answer.status

    async def _answer_rest(
        self, scope: Scope, exchange: Exchange, principal: Principal | None
    ) -> tuple[str, int]:
        body = await exchange.body(bytes_max=API_BODY_BYTES_MAX)
        # A body is JSON, whatever the caller's tool calls it: `curl -d` says it is a form.
        others = [header for header in scope["headers"] if header[0] != b"content-type"]
        scope["headers"] = [*others, (b"content-type", b"application/json")]
        scope["formicary.exchange"] = exchange
        if principal is not None:
            scope["formicary.caller"] = Caller(exchange, principal, self._services)
        status = 0

        async def receive_again() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", exchange.request_id.encode())]
            await exchange.send(message)

        await self._rest(scope, receive_again, send)
        route = scope.get("route")
        return getattr(route, "path", "no such route"), status
