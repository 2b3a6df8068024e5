"""The load during kills through HTTP: a caller that asks under one key until it knows, or hangs up."""

from __future__ import annotations

import random
import socket
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import httpx
import msgspec

from formicary.client import ApiUnreachable, Formicary, Payment, UnknownOutcome
from formicary.client.transport import Transport
from proofs.kill.load import Load

__all__ = ["HttpCaller", "Paid", "check_paid"]

_PARTIES: Final = 12
_FUNDS: Final = 10**9
_TIMEOUT_SECONDS: Final = 5.0
_ATTEMPTS: Final = 3
_PAUSE_SECONDS_MAX: Final = 0.02
_HANG_UP_SHARE: Final = 0.1


@dataclass
class Paid:
    """What the caller was told, by idempotency key: the body it sent and the answer it got."""

    acknowledged: dict[str, tuple[dict[str, Any], Payment]] = field(default_factory=dict)
    wallets: list[str] = field(default_factory=list)
    hang_ups: int = 0


class HttpCaller:
    """Pays one by one; what is not known is asked again under the same key, for as long as it takes."""

    def __init__(self, port: int, key: str, *, seed: int) -> None:
        self._port = port
        self._key = key
        self._random = random.Random(seed)
        self._paid = Paid()
        self._number = 0
        self._parties: list[str] = []
        self._load = Load(self._send)
        self._client = new_client(port, key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._load.end()
        finally:
            self._client.close()

    def open_accounts(self) -> None:
        """Register parties with money, and begin to pay."""
        for _ in range(_PARTIES):
            party = self._client.register_party("person").id
            self._paid.wallets.append(self._client.open_account(party, "GBP").id)
            order = self._client.order("top_up", party=party, amount=_FUNDS, currency="GBP")
            self._client.bank_said(order.id, "confirm")
            self._parties.append(party)
        self._load.start()

    def run_for(self, seconds: float) -> None:
        """Let the load go on."""
        self._load.run_for(seconds)

    def first_answer_after(self, moment: float, *, seconds_max: float) -> float:
        """Return the seconds from a moment to the first answer to a request that was sent after it."""
        return self._load.first_answer_after(moment, seconds_max=seconds_max)

    def stop(self) -> Paid:
        """End the load; return what it was told."""
        self._load.end()
        return self._paid

    def _send(self) -> None:
        payer, payee = self._random.sample(self._parties, 2)
        body = {
            "payer": payer,
            "payee": payee,
            "amount": self._random.randint(1, 100),
            "currency": "GBP",
        }
        self._number += 1
        key = f"kill-{self._number}"
        if self._random.random() < _HANG_UP_SHARE:
            self._hang_up(body, key)
        self._paid.acknowledged[key] = body, self._pay_until_known(body, key)

    def _pay_until_known(self, body: dict[str, Any], key: str) -> Payment:
        while True:
            sent_at = time.monotonic()
            try:
                payment = self._client.pay(**body, key=key)
            except (UnknownOutcome, ApiUnreachable):
                continue
            self._load.answers.append((sent_at, time.monotonic()))
            return payment

    def _hang_up(self, body: dict[str, Any], key: str) -> None:
        """Send a request and go away before its answer; what became of it is asked again after."""
        # The same fields as the client sends: another body would be another request.
        content = msgspec.json.encode(body | {"reference": ""})
        head = (
            f"POST /v1/payments HTTP/1.1\r\nHost: formicary\r\nAuthorization: Bearer {self._key}\r\n"
            f"Idempotency-Key: {key}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=_TIMEOUT_SECONDS) as caller:
                caller.sendall(head.encode() + content)
                # Some go before it was read, some after it was done.
                time.sleep(self._random.choice((0.0, 0.005, 0.02)))
        except OSError:
            return
        self._paid.hang_ups += 1


def new_client(port: int, key: str) -> Formicary:
    """Return a client that does not pause for long."""
    http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_TIMEOUT_SECONDS)
    return Formicary(
        Transport(
            http, key, attempts=_ATTEMPTS, sleep=lambda seconds: time.sleep(min(seconds, _PAUSE_SECONDS_MAX))
        )
    )


def check_paid(port: int, key: str, paid: Paid) -> tuple[int, int, int]:
    """Ask for every acknowledged payment again; return how many are lost, doubled, and sums unbalanced.

    Asked again under its key a payment must have the answer that it had. Doubled ones show in the
    wallets, which must hold what they began with, less and plus what was acknowledged.
    """
    lost = 0
    due = dict.fromkeys((body["payer"] for body, _ in paid.acknowledged.values()), 0)
    with new_client(port, key) as client:
        for own_key, (body, payment) in paid.acknowledged.items():
            lost += client.pay(**body, key=own_key) != payment
            due[body["payer"]] = due.get(body["payer"], 0) - body["amount"]
            due[body["payee"]] = due.get(body["payee"], 0) + body["amount"]
        accounts = [client.account(wallet) for wallet in paid.wallets]
    doubled = sum(account.balance - _FUNDS != due.get(account.party, 0) for account in accounts)
    unbalanced = int(sum(account.balance for account in accounts) != _FUNDS * len(accounts))
    return lost, doubled, unbalanced
