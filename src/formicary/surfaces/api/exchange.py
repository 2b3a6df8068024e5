"""One request and its answer, without a framework: what every route shares and hot routes are made of."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Final

from formicary.base.errors import OperationalFault, Refusal
from formicary.surfaces.api.problems import (
    BodyTooLarge,
    IdempotencyKeyMalformed,
    IdempotencyKeyMissing,
    problem_of,
)

__all__ = ["Answer", "CallerLeft", "Exchange", "Receive", "Scope", "Send"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_JSON: Final = (b"content-type", b"application/json")
_PROBLEM: Final = (b"content-type", b"application/problem+json")
_KEY_CHARACTERS_MAX: Final = 255


class CallerLeft(OperationalFault):
    """The caller went away before the whole request had come; nothing was done."""


class Answer:
    """What goes back: a status, a JSON body, more headers."""

    __slots__ = ("body", "headers", "status")

    def __init__(
        self, body: bytes, *, status: int = HTTPStatus.OK, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        self.body = body
        self.status = status
        self.headers = headers


class Exchange:
    """A request as it comes in, with an id that its answer, its problem document and the log share."""

    __slots__ = ("_receive", "_scope", "has_body", "headers", "request_id", "send")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self.send = send
        self.has_body = False
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.request_id = f"req_{os.urandom(12).hex()}"

    async def body(self, *, bytes_max: int) -> bytes:
        """Return the body; how long it may take is whoever's who answers, by ``has_body``.

        Raises
        ------
        BodyTooLarge, CallerLeft
            It is too long, or never came.
        """
        announced = self.headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced[:20]) > bytes_max:
            raise BodyTooLarge
        parts, size = [], 0
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                raise CallerLeft
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > bytes_max:
                raise BodyTooLarge
            if not message.get("more_body", False):
                self.has_body = True
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def idempotency_key(self) -> str:
        """Return the header ``Idempotency-Key``.

        Raises
        ------
        IdempotencyKeyMissing, IdempotencyKeyMalformed
            There is none, or it is too long or not visible ASCII.
        """
        key = self.headers.get(b"idempotency-key")
        if key is None:
            raise IdempotencyKeyMissing
        text = key.decode("latin-1")
        if not (0 < len(text) <= _KEY_CHARACTERS_MAX and text.isascii() and text.isprintable()):
            raise IdempotencyKeyMalformed
        return text

    async def answer(self, answer: Answer) -> None:
        """Send an answer."""
        await self._finish(answer.status, [_JSON, *answer.headers], answer.body)

    async def refuse(self, error: Refusal | OperationalFault) -> int:
        """Send a problem document and return its status."""
        problem = problem_of(error, self.request_id)
        await self._finish(problem.status, [_PROBLEM, *problem.headers], problem.body())
        return problem.status

    async def _finish(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        headers.append((b"content-length", b"%d" % len(body)))
        headers.append((b"x-request-id", self.request_id.encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})
