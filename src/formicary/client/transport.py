"""One request until it has an answer: sent again with the same key, with pauses that callers do not share."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Final, TypeVar

import httpx
import msgspec

from formicary.client.errors import ApiRefused, ApiUnreachable, UnknownOutcome

__all__ = ["AsgiTransport", "Transport"]

Answer = TypeVar("Answer")
Application = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]

_ATTEMPTS: Final = 8
_PAUSE_SECONDS: Final = 0.05
_PAUSE_SECONDS_MAX: Final = 2.0
_AGAIN: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, 502, 503, 504})
_UNKNOWN_CODE: Final = "outcome_unknown"


class _Problem(msgspec.Struct, frozen=True):
    code: str = "unexpected_answer"
    detail: str = ""
    request_id: str = ""
    param: str = ""
    payment: str = ""
    check: str = ""
    reasons: tuple[str, ...] = ()


class Transport:
    """Sends requests.

    Parameters
    ----------
    client
        Where to.
    key
        The API key or token.
    attempts
        How often a request is sent at most.
    sleep
        Waits so many seconds.
    """

    def __init__(
        self,
        client: httpx.Client,
        key: str,
        *,
        attempts: int = _ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._authorization = f"Bearer {key}"
        self._attempts = attempts
        self._sleep = sleep

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def get(self, path: str, kind: type[Answer], **parameters: Any) -> Answer:
        """Get a document."""
        return self._send("GET", path, _reader(kind), parameters=parameters)

    def get_bytes(self, path: str, **parameters: Any) -> bytes:
        """Get what is not JSON, as it is."""
        return self._send("GET", path, bytes, parameters=parameters)

    def get_text(self, path: str, form: str) -> str:
        """Get a document in a form, as a media type, as it is."""
        return self._send("GET", path, bytes, accept=form).decode()

    def post(self, path: str, kind: type[Answer], body: Any = None, *, key: str | None = None) -> Answer:
        """Post a document; under a key of its own unless one is given."""
        return self._send("POST", path, _reader(kind), key=key or str(uuid.uuid4()), body=body or {})

    def put(self, path: str, kind: type[Answer], body: Any) -> Answer:
        """Put a document in place of what is there."""
        return self._send("PUT", path, _reader(kind), body=body)

    def delete(self, path: str) -> None:
        """Delete what is there."""
        self._send("DELETE", path, bytes)

    def _send(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], Answer],
        *,
        key: str = "",
        accept: str = "",
        body: Any = None,
        parameters: dict[str, Any] | None = None,
    ) -> Answer:
        headers = {"Authorization": self._authorization}
        if accept:
            headers["Accept"] = accept
        content = None
        if key:
            headers["Idempotency-Key"] = key
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(body)
        given = {name: value for name, value in (parameters or {}).items() if value is not None}
        # Whatever went unanswered once may have been done, whatever comes after.
        unknown = False
        cause: httpx.TransportError | None = None
        for attempt in range(self._attempts):
            if attempt:
                self._pause(attempt)
            try:
                answer = self._client.request(method, path, headers=headers, content=content, params=given)
            except httpx.TransportError as error:
                unknown = unknown or not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                cause = error
                continue
            if answer.is_success:
                return read(answer.content)
            problem = _problem(answer)
            if answer.status_code not in _AGAIN:
                raise _refused(answer, problem)
            unknown = unknown or problem.code in (_UNKNOWN_CODE, _Problem().code)
            self._wait_as_told(answer)
        if unknown and method != "GET":
            raise UnknownOutcome(
                key, lambda: self._send(method, path, read, key=key, body=body, parameters=parameters)
            ) from cause
        raise ApiUnreachable from cause

    def _pause(self, attempt: int) -> None:
        # Full jitter: callers that failed together do not come back together.
        longest = min(_PAUSE_SECONDS_MAX, _PAUSE_SECONDS * 2**attempt)
        self._sleep(random.uniform(0, longest))  # noqa: S311, no secret

    def _wait_as_told(self, answer: httpx.Response) -> None:
        told = answer.headers.get("retry-after", "")
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS and told.isascii() and told.isdigit():
            self._sleep(min(float(told), _PAUSE_SECONDS_MAX))


def _reader(kind: type[Answer]) -> Callable[[bytes], Answer]:
    return lambda content: msgspec.json.decode(content, type=kind)


def _problem(answer: httpx.Response) -> _Problem:
    try:
        return msgspec.json.decode(answer.content, type=_Problem)
    except msgspec.MsgspecError:
        return _Problem()


def _refused(answer: httpx.Response, problem: _Problem) -> ApiRefused:
    return ApiRefused(
        problem.code,
        problem.detail,
        status=answer.status_code,
        param=problem.param,
        request_id=problem.request_id,
        payment=problem.payment,
        check=problem.check,
        reasons=problem.reasons,
    )


class AsgiTransport(httpx.BaseTransport):
    """Asks an application in this process, without a socket; for one thread."""

    def __init__(self, application: Application) -> None:
        self._inner = httpx.ASGITransport(app=application)
        self._runner = asyncio.Runner()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the application's answer."""

        async def ask() -> httpx.Response:
            asked = httpx.Request(
                request.method, request.url, headers=request.headers, content=request.read()
            )
            answer = await self._inner.handle_async_request(asked)
            content = await answer.aread()
            return httpx.Response(answer.status_code, headers=answer.headers, content=content)

        return self._runner.run(ask())

    def close(self) -> None:
        """Close the loop."""
        self._runner.close()
