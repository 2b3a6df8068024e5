"""Answers that are lost after their commit: the client asks again under the same key, and it is done once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import cycle
from typing import Any, Final

import httpx

from formicary.client import Formicary
from formicary.client.transport import Application, AsgiTransport, Transport

__all__ = ["dropped_answers"]

_AMOUNT: Final = 3
_BATCH: Final = 5
_FUNDS: Final = 100


class _Dropping(httpx.BaseTransport):
    """Lets the API do what it is asked, then loses the first answer to every key."""

    def __init__(self, application: Application) -> None:
        self._inner = AsgiTransport(application)
        self._seen: set[str] = set()

    @property
    def dropped(self) -> int:
        """How many answers were lost."""
        return len(self._seen)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the API's answer, or fail as a connection does that broke while it was read."""
        answer = self._inner.handle_request(request)
        key = request.headers.get("idempotency-key", "")
        if key and key not in self._seen:
            self._seen.add(key)
            message = "the answer was lost"
            raise httpx.ReadError(message, request=request)
        return answer

    def close(self) -> None:
        """Close the API's loop."""
        self._inner.close()


class _Caller:
    """Asks for what changes something, each under a key of its own, and counts what has to come of it."""

    def __init__(self, formicary: Formicary) -> None:
        self._formicary = formicary
        self.events: Counter[str] = Counter()
        self.balance = 0
        self.payer, self.payee = (formicary.register_party("person").id for _ in range(2))
        self.wallet = formicary.open_account(self.payer, "GBP").id
        formicary.open_account(self.payee, "GBP")

    def register(self) -> None:
        """Register somebody."""
        self._formicary.register_party("person")
        self.events["party.PartyRegistered"] += 1

    def top_up(self) -> None:
        """Order money from the bank, and let the bank confirm it."""
        order = self._formicary.order("top_up", party=self.payer, amount=_FUNDS, currency="GBP")
        self._formicary.bank_said(order.id, "confirm")
        self.events.update(("rail_order.OrderRequested", "rail_order.OrderConfirmed"))
        self.balance += _FUNDS

    def pay(self) -> None:
        """Pay, and get a part of it back."""
        payment = self._formicary.pay(amount=_AMOUNT, **self._parties())
        self._formicary.refund(payment.id, 1)
        self.events["payment_refund.PaymentRefunded"] += 1
        self.balance -= _AMOUNT - 1

    def pay_many(self) -> None:
        """Pay a few times at once."""
        self._formicary.pay_many([self._parties() | {"amount": 1}] * _BATCH)
        self.balance -= _BATCH

    def trade(self) -> None:
        """Buy something in escrow and get it."""
        escrow = self._formicary.open_escrow(buyer=self.payer, seller=self.payee, amount=1, currency="GBP")
        for verb, side in (("pay", "buyer"), ("ship", "seller"), ("confirm", "buyer")):
            self._formicary.move_escrow(escrow.id, verb, acting_as=side)
        self.events.update(f"escrow.Escrow{word}" for word in ("Opened", "Paid", "Shipped", "Finished"))
        self.balance -= 1

    def _parties(self) -> dict[str, Any]:
        return {"payer": self.payer, "payee": self.payee, "currency": "GBP"}


def dropped_answers(api: Application, key: str, *, count: int, say: Callable[[str], None]) -> list[str]:
    """Lose at least so many answers after their commit; return what was done twice, or not at all."""
    transport = _Dropping(api)
    client = httpx.Client(base_url="http://api", transport=transport)
    with Formicary(Transport(client, key, sleep=lambda _: None)) as formicary:
        caller = _Caller(formicary)
        before = Counter(event.kind for event in formicary.events())
        steps = cycle((caller.top_up, caller.pay, caller.pay_many, caller.register, caller.trade))
        while transport.dropped < count:
            next(steps)()
        say(f"{transport.dropped} answers were lost after their commit")
        happened = Counter(event.kind for event in formicary.events()) - before
        balance = formicary.account(caller.wallet).balance
    findings = [
        f"{kind} happened {happened[kind]} times, {caller.events[kind]} were asked for"
        for kind in sorted(happened.keys() | caller.events.keys())
        if happened[kind] != caller.events[kind]
    ]
    if balance != caller.balance:
        findings.append(f"the payer has {balance}, not {caller.balance}")
    return findings
