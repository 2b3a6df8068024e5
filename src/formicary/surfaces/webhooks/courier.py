"""Delivers events to webhooks: each at least once, in order but for what is tried again, until it is dead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

import httpx
import msgspec

from formicary.base.errors import OperationalFault, Refusal
from formicary.base.limits import (
    WEBHOOK_ATTEMPTS_MAX,
    WEBHOOK_PAUSE_SECONDS_MAX,
    WEBHOOK_SECONDS,
)
from formicary.base.public_ids import Prefix, encode
from formicary.client.webhooks import sign_webhook
from formicary.factory.journal.events import Event
from formicary.surfaces.api.values import time_text
from formicary.surfaces.webhooks.addresses import Resolver, resolve, target_of
from formicary.surfaces.webhooks.store import Pending, Progress, Registration, WebhookStore

__all__ = ["Courier"]

_PAGE_EVENTS: Final = 100
_FIRST_PAUSE_SECONDS: Final = 5.0
_DEAD_MAX: Final = 10_000
_PENDING_MAX: Final = 1_000
_SUCCESS: Final = range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)


class Courier:
    """Delivers.

    Parameters
    ----------
    store
        Which webhooks there are, and how far each has come.
    events
        Returns up to so many events after a position.
    client
        Sends requests; it follows no redirects.
    now
        The wall clock in seconds since 1970, as receivers compare it with theirs.
    chance
        A number between 0 and 1.
    """

    def __init__(
        self,
        store: WebhookStore,
        events: Callable[[int, int], Sequence[Event]],
        client: httpx.AsyncClient,
        *,
        now: Callable[[], float],
        chance: Callable[[], float],
        is_sandbox: bool,
        resolver: Resolver = resolve,
    ) -> None:
        self._store = store
        self._events = events
        self._client = client
        self._now = now
        self._chance = chance
        self._is_sandbox = is_sandbox
        self._resolver = resolver

    async def step(self) -> int:
        """Deliver what is new and what is due; return how many deliveries were tried."""
        known = self._store.registrations()
        before = self._store.progress()
        done = await asyncio.gather(
            *(
                self._serve(hook, before.get(hook.id) or Progress(cursor=hook.after))
                for hook in known.values()
            )
        )
        after = {hook_id: progress for hook_id, (progress, _) in zip(known, done, strict=True)}
        if after != before:
            self._store.save_progress(after)
        return sum(tried for _, tried in done)

    async def _serve(self, hook: Registration, progress: Progress) -> tuple[Progress, int]:
        pending = list(progress.pending)
        dead = list(progress.dead)
        if hook.replays != progress.replays:
            pending += [Pending(position=position, attempts=0, due=0.0) for position in dead]
            dead = []
        tried = 0
        still: list[Pending] = []
        for one in pending:
            if one.due > self._now():
                still.append(one)
                continue
            tried += 1
            found = self._events(one.position - 1, 1)
            if found and not await self._is_delivered(hook, found[0]):
                self._note_failure(one.position, one.attempts + 1, still, dead)
        cursor = progress.cursor
        # A receiver that takes nothing gets nothing new until what waits has died or gone.
        if len(still) < _PENDING_MAX:
            for event in self._events(cursor, _PAGE_EVENTS):
                cursor = event.position
                if hook.kinds and event.kind not in hook.kinds:
                    continue
                tried += 1
                if not await self._is_delivered(hook, event):
                    self._note_failure(event.position, 1, still, dead)
        after = Progress(
            cursor=cursor, pending=tuple(still), dead=tuple(dead[-_DEAD_MAX:]), replays=hook.replays
        )
        return after, tried

    def _note_failure(self, position: int, attempts: int, pending: list[Pending], dead: list[int]) -> None:
        if attempts >= WEBHOOK_ATTEMPTS_MAX:
            dead.append(position)
            return
        longest = min(WEBHOOK_PAUSE_SECONDS_MAX, _FIRST_PAUSE_SECONDS * 8**attempts)
        # Between half and all of it: receivers that fail together are not all asked at once.
        due = self._now() + longest * (1 + self._chance()) / 2
        pending.append(Pending(position=position, attempts=attempts, due=due))

    async def _is_delivered(self, hook: Registration, event: Event) -> bool:
        try:
            target = target_of(hook.url, is_sandbox=self._is_sandbox, resolver=self._resolver)
            async with asyncio.timeout(WEBHOOK_SECONDS):
                answer = await self._client.post(
                    target.url,
                    content=(body := _body(event)),
                    headers=self._headers(hook, event, body) | {"host": target.host_header},
                    extensions={"sni_hostname": target.host},
                )
        except (Refusal, OperationalFault, httpx.HTTPError, TimeoutError):
            return False
        return answer.status_code in _SUCCESS

    def _headers(self, hook: Registration, event: Event, body: bytes) -> dict[str, str]:
        message_id, timestamp = encode(Prefix.EVENT, event.position), int(self._now())
        signature = sign_webhook(hook.secret, message_id=message_id, timestamp=timestamp, body=body)
        return {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature,
        }


def _body(event: Event) -> bytes:
    message: dict[str, Any] = {
        "type": event.kind,
        "timestamp": time_text(event.timestamp),
        "data": {
            "position": event.position,
            "subject": f"{event.subject:032x}",
            "version": event.version,
            **msgspec.json.decode(event.body),
        },
    }
    return msgspec.json.encode(message)
