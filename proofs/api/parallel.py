"""A hundred requests at once with one key, for many keys: one effect and one answer each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any, Final

import msgspec

from formicary.client import Formicary
from formicary.surfaces.api.application import Api

__all__ = ["parallel_requests"]

_AT_ONCE: Final = 100
_CREATED: Final = 201
_AMOUNT: Final = 3


async def _post(api: Api, key: str, idempotency_key: str, body: bytes) -> tuple[int, bytes]:
    """Return status and body of one payment, asked of the application without a socket."""
    answer: list[Any] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/payments",
        "headers": [
            (b"authorization", f"Bearer {key}".encode()),
            (b"idempotency-key", idempotency_key.encode()),
        ],
    }

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        answer.append(message)

    await api(scope, receive, send)
    return answer[0]["status"], answer[1]["body"]


def parallel_requests(api: Api, key: str, *, keys: int, say: Callable[[str], None]) -> list[str]:
    """Pay under so many keys, each sent a hundred times at once; return what should not have been."""
    findings: list[str] = []
    with Formicary.in_process(api, key) as formicary:
        payer, payee = formicary.register_party("person").id, formicary.register_party("person").id
        wallets = [formicary.open_account(party, "GBP").id for party in (payer, payee)]
        order = formicary.order("top_up", party=payer, amount=keys * _AMOUNT, currency="GBP")
        formicary.bank_said(order.id, "confirm")
        body = msgspec.json.encode({"payer": payer, "payee": payee, "amount": _AMOUNT, "currency": "GBP"})

        async def together(name: str) -> list[tuple[int, bytes]]:
            return await asyncio.gather(*[_post(api, key, name, body) for _ in range(_AT_ONCE)])

        async def all_keys() -> None:
            for number in range(keys):
                answers = await together(f"parallel-{number}")
                if len(set(answers)) != 1 or answers[0][0] != _CREATED:
                    findings.append(f"key {number} has {len(set(answers))} answers, such as {answers[0]}")
                if number % 100 == 0:
                    say(f"{number} keys, each a hundred times at once")

        asyncio.run(all_keys())
        balances = [formicary.account(wallet).balance for wallet in wallets]
        if balances != [0, keys * _AMOUNT]:
            findings.append(f"the wallets hold {balances}")
    return findings
