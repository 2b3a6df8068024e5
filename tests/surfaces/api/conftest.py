"""An API over a real factory in this process: its journal, its history, its identity."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from formicary.base.public_ids import Prefix, decode
from formicary.base.scopes import Scope
from formicary.factory.identity.credential import CREDENTIAL_PRODUCT, IssueKey
from formicary.factory.identity.keys import new_key
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, RegisterParty
from formicary.factory.ledger import Transfer, transfer_array
from formicary.products.payments.postings import (
    HOUSE,
    AccountCode,
    TransferCode,
    account_id,
    house_account_id,
)
from formicary.runtime.api_backend import InProcessBackend
from formicary.runtime.api_process import build_api
from formicary.runtime.engine_process import warm_up
from formicary.runtime.products import PRODUCTS
from formicary.runtime.sandbox_clock import FileClock
from formicary.runtime.settings import Settings
from formicary.runtime.vaults import InstalledVault
from formicary.runtime.wiring import Factory, open_factory
from formicary.surfaces.api.application import Api
from tests.runtime.conftest import hosted_home, new_home, shared_home

__all__ = ["Desk", "hosted_home", "new_home", "shared_home"]

POUNDS = 826


@dataclass
class Desk:
    """Callers of an API; every request has its own idempotency key unless it brings one."""

    api: Api
    factory: Factory
    house_key: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def ask(self, method: str, path: str, *, key: str | None = None, **more: Any) -> httpx.Response:
        """Send one request, as the house unless another ``key`` is given, and return the answer."""
        headers = {
            "Authorization": f"Bearer {key or self.house_key}",
            "Idempotency-Key": f"key-{next(self._numbers)}",
        }
        headers |= more.pop("headers", {})

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.api, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(send())

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """Post JSON, see that it is done, and return the answer's document."""
        answer = self.ask("POST", path, json={} if body is None else body, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str, **more: Any) -> Any:
        """Get a document."""
        answer = self.ask("GET", path, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def code(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        """Return the status and the code of a request that is refused."""
        answer = self.ask(method, path, json=body, **more)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["request_id"] == answer.headers["x-request-id"]
        return answer.status_code, problem["code"]

    def party(self, kind: str = "person", *, pounds: int = 0) -> str:
        """Register a party with a wallet that holds so many pence."""
        party: str = self.post("/v1/parties", {"kind": kind})["id"]
        self.post("/v1/accounts", {"party": party, "currency": "GBP"})
        if pounds:
            self.fund(party, pounds)
        return party

    def fund(self, party: str, amount: int) -> None:
        """Put money into a wallet, from the bank's account."""
        transfer = Transfer(
            id=int.from_bytes(os.urandom(15)),
            debit_account_id=house_account_id(AccountCode.NOSTRO, POUNDS),
            credit_account_id=account_id(decode(Prefix.PARTY, party), POUNDS),
            amount=amount,
            ledger=POUNDS,
            code=TransferCode.TOP_UP_CREDITED,
        )
        assert self.factory.execute([transfer_array([transfer])])[0]["status"].tolist() == [0]

    def second_house_key(self) -> str:
        """Issue another key of the house past the API, as an administrator does."""
        return _issue_house_key(self.factory, 2)

    def key_of(self, party: str, scopes: list[str] | None = None) -> str:
        """Issue a key to a party."""
        wanted = scopes or ["parties:read", "payments:write", "accounts:read", "escrows:write", "keys:write"]
        key: str = self.post("/v1/keys", {"party": party, "scopes": wanted})["key"]
        return key


@pytest.fixture
def desk(hosted_home: Settings) -> Iterator[Desk]:
    """Give an API in a sandbox, and the house's key to everything."""
    warm_up()
    clock = FileClock(hosted_home.clock_file)
    with open_factory(hosted_home, clock=clock, products=PRODUCTS) as factory:
        factory.command(
            PARTY_PRODUCT.name, RegisterParty(subject=HOUSE, kind=PartyKind.HOUSE), principal="test", key="1"
        )
        key = _issue_house_key(factory, 1)
        with closing(InstalledVault(hosted_home, factory.access)) as vault:
            yield Desk(build_api(hosted_home, InProcessBackend(factory), clock, vault), factory, key)


def _issue_house_key(factory: Factory, number: int) -> str:
    made = new_key("test", number, os.urandom)
    issue = IssueKey(
        subject=number,
        party=f"{HOUSE:032x}",
        hash_first=made.hash_first,
        hash_last=made.hash_last,
        scopes=int(sum(Scope)),
    )
    factory.command(CREDENTIAL_PRODUCT.name, issue, principal="test", key=f"key {number}")
    return made.text
