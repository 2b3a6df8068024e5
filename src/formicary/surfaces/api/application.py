"""The API as one ASGI application: hot routes first, everything else through FastAPI."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from formicary.base.errors import OperationalFault, Refusal
from formicary.base.limits import DEADLINE_SECONDS
from formicary.factory.engine.client import OutcomeUnknown
from formicary.surfaces.api.auth import CachedAuthenticator, Principal
from formicary.surfaces.api.exchange import Answer, CallerLeft, Exchange, Receive, Scope, Send
from formicary.surfaces.api.metrics import Metrics
from formicary.surfaces.api.rate_limits import RateLimits

__all__ = ["Api", "HotRoute"]

_LOG: Final = logging.getLogger(__name__)

HotRoute = Callable[[Exchange, Principal], Awaitable[Answer]]


class Api:
    """Answers requests.

    Parameters
    ----------
    hot
        Routes without a framework, by method and path.
    rest
        Everything else.
    """

    def __init__(
        self,
        hot: Mapping[tuple[str, str], HotRoute],
        rest: Callable[[Scope, Receive, Send], Awaitable[None]],
        *,
        authenticator: CachedAuthenticator,
        rate_limits: RateLimits,
        metrics: Metrics,
    ) -> None:
        self._hot = dict(hot)
        self._rest = rest
        self._authenticator = authenticator
        self._rate_limits = rate_limits
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            route = self._hot.get((scope["method"], scope["path"]))
            if route is not None:
                await self._answer_hot(route, Exchange(scope, receive, send), scope["path"])
                return
        await self._rest(scope, receive, send)

    async def _answer_hot(self, route: HotRoute, exchange: Exchange, name: str) -> None:
        began = time.monotonic()
        try:
            principal = await self._authenticator.principal(exchange.headers.get(b"authorization"))
            self._rate_limits.take(principal.name)
            try:
                async with asyncio.timeout(DEADLINE_SECONDS):
                    answer = await route(exchange, principal)
            except TimeoutError as error:
                raise OutcomeUnknown from error
        except CallerLeft:
            return
        except (Refusal, OperationalFault) as error:
            status = await exchange.refuse(error)
        else:
            await exchange.answer(answer)
            status = answer.status
        self._metrics.note(name, status, time.monotonic() - began)
