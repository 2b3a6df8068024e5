"""Webhooks: what is sent, to whom, how often, and to whom never."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import msgspec
import pytest

from formicary.base import limits
from formicary.client import verify_webhook
from formicary.factory.journal.events import Event
from formicary.surfaces.webhooks import store as store_module
from formicary.surfaces.webhooks.addresses import WebhookTargetForbidden, resolve, target_of
from formicary.surfaces.webhooks.courier import Courier
from formicary.surfaces.webhooks.store import Registration, TooManyWebhooks, WebhookStore

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105, the specification's example
NOON = 1_700_000_000.0


def event(position: int, kind: str = "escrow.EscrowPaid") -> Event:
    """Return an event."""
    return Event(
        position=position,
        timestamp=position * 10**9,
        kind=kind,
        version=1,
        command_id=0,
        subject=7,
        body=b'{"amount": 5}',
    )


class Post:
    """A courier, its events, its clock, and a receiver that answers as it is told."""

    def __init__(self, folder: Path, events: Sequence[Event]) -> None:
        self.store = WebhookStore(folder / "webhooks")
        self.events = list(events)
        self.now = NOON
        self.status = 200
        self.received: list[httpx.Request] = []
        self.courier = Courier(
            self.store,
            lambda after, limit: [one for one in self.events if one.position > after][:limit],
            httpx.AsyncClient(transport=httpx.MockTransport(self._receive)),
            now=lambda: self.now,
            chance=lambda: 1.0,
            is_sandbox=False,
            resolver=lambda _host, _port: ["93.184.216.34"],
        )

    def _receive(self, request: httpx.Request) -> httpx.Response:
        self.received.append(request)
        if not self.status:
            message = "nobody there"
            raise httpx.ConnectError(message)
        return httpx.Response(self.status, headers={"location": "http://127.0.0.1/"})

    def step(self) -> int:
        """Let the courier walk once."""
        return asyncio.run(self.courier.step())

    def register(self, after: int = 0, *, kinds: tuple[str, ...] = ()) -> None:
        """Register a webhook."""
        hook = Registration(id="whk_1", url="https://shop.example/hook?a=b", secret=SECRET, after=after)
        self.store.put(msgspec.structs.replace(hook, kinds=kinds))


def test_each_event_is_sent_once_and_signed(tmp_path: Path) -> None:
    """A receiver gets what happened since it registered, in order, and can believe it."""
    post = Post(tmp_path, [event(n) for n in range(1, 6)])
    assert post.step() == 0
    post.register(after=2)
    assert post.step() == 3
    assert post.step() == 0
    first = post.received[0]
    assert str(first.url) == "https://93.184.216.34/hook?a=b"
    assert first.headers["host"] == "shop.example"
    assert first.extensions["sni_hostname"] == "shop.example"
    body = json.loads(first.content)
    assert body["type"] == "escrow.EscrowPaid"
    assert body["timestamp"] == "1970-01-01T00:00:03.000000000Z"
    assert (body["data"]["position"], body["data"]["amount"]) == (3, 5)
    ids = [verify_webhook(SECRET, request.headers, request.content, now=NOON) for request in post.received]
    assert len(set(ids)) == 3
    assert post.store.progress()["whk_1"].cursor == 5


def test_only_the_kinds_asked_for(tmp_path: Path) -> None:
    """Other kinds are passed over."""
    post = Post(tmp_path, [event(1, "a.B"), event(2, "c.D"), event(3, "a.B")])
    post.register(kinds=("c.D",))
    post.step()
    assert [json.loads(request.content)["data"]["position"] for request in post.received] == [2]


@pytest.mark.parametrize("status", [0, 302, 500])
def test_what_is_not_taken_is_tried_again_until_it_is_dead(tmp_path: Path, status: int) -> None:
    """Later and later, with the same id; a redirect is not followed; the dead may be sent again."""
    post = Post(tmp_path, [event(1)])
    post.register()
    post.status = status
    pauses = []
    while not post.store.progress().get("whk_1", store_module.Progress(cursor=0)).dead:
        assert post.step() == 1
        assert post.step() == 0
        waiting = post.store.progress()["whk_1"].pending
        if waiting:
            pauses.append(waiting[0].due - post.now)
            post.now = waiting[0].due
    assert len(post.received) == limits.WEBHOOK_ATTEMPTS_MAX
    assert len({request.headers["webhook-id"] for request in post.received}) == 1
    assert pauses == sorted(pauses)
    assert 2 * 86_400 < sum(pauses) < 4 * 86_400
    post.status = 200
    hook = post.store.registrations()["whk_1"]
    post.store.put(msgspec.structs.replace(hook, replays=1))
    assert post.step() == 1
    assert post.store.progress()["whk_1"] == store_module.Progress(cursor=1, replays=1)


def test_new_events_do_not_wait_for_a_failed_one(tmp_path: Path) -> None:
    """What follows a message that was not taken is delivered meanwhile."""
    post = Post(tmp_path, [event(1)])
    post.register()
    post.status = 500
    post.step()
    post.status = 200
    post.events.append(event(2))
    assert post.step() == 1
    assert post.store.progress()["whk_1"].pending[0].position == 1


def test_a_removed_webhook_gets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is there room for more than there may be."""
    post = Post(tmp_path, [event(1)])
    post.register()
    post.store.remove("whk_1")
    post.store.remove("whk_1")
    assert post.step() == 0
    monkeypatch.setattr(store_module, "WEBHOOKS_MAX", 0)
    with pytest.raises(TooManyWebhooks):
        post.register()


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "https:///path",
        "https://user@shop.example/",
        "https://shop.example/#part",
        "https://shop.example:99999/",
        "https://[::1",
        "https://sh\u00f6p.example/",
        "https://shop.example/ \n",
        "https://shop.example/" + "a" * 2_000,
    ],
)
def test_an_address_that_is_none(url: str) -> None:
    """Only https URLs without a user, short and visible, are looked up at all."""
    with pytest.raises(WebhookTargetForbidden):
        target_of(url, is_sandbox=False, resolver=lambda _host, _port: ["93.184.216.34"])


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "224.0.0.1"),
        *("::", "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "ff02::1"),
    ],
)
def test_private_addresses(address: str) -> None:
    """Whatever a name is, nothing inside is reached by it, also not beside a public address."""
    found: Callable[[str, int], Sequence[str]] = lambda _host, _port: ["93.184.216.34", address]  # noqa: E731
    with pytest.raises(WebhookTargetForbidden):
        target_of("https://shop.example/", is_sandbox=False, resolver=found)


def test_a_sandbox_reaches_its_own_machine() -> None:
    """There, http and private addresses are what tests need."""
    target = target_of("http://localhost:8000/hook", is_sandbox=True)
    assert target.url.endswith(":8000/hook")
    assert (
        target_of("https://[2606:2800:220:1::1]/", is_sandbox=False).url
        == "https://[2606:2800:220:1::1]:443/"
    )
    with pytest.raises(WebhookTargetForbidden):
        resolve("no such name.invalid", 443)
