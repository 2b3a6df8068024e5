"""Applications for credit, and by what the house lends: their part of the client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from formicary.client.pages import pages
from formicary.client.transport import Transport

__all__ = ["Borrower", "CreditApplication", "CreditApplications", "CreditPolicy"]


class CreditApplication(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about an application: granted, cut (less than was asked for) or declined."""

    id: str
    party: str
    currency: str
    amount: int
    outcome: str
    limit: int
    daily_rate: int | None
    effective_rate: int | None
    instalment: int | None
    offer: str | None
    expires_at: str | None
    reasons: list[str]
    policy: int
    model: str | None
    decided_at: str


class CreditPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """By what the house lends in a currency; amounts in minor units, shares in millionths."""

    currency: str
    version: int
    bands: list[dict[str, int]]
    terms: dict[str, Any]
    creditor: dict[str, str]
    credit: dict[str, int]
    capital: dict[str, int]
    close: dict[str, int]
    loss: int
    frauds_max: int
    partner_share: int


class Borrower(msgspec.Struct, frozen=True, kw_only=True):
    """What the house said of a party by word."""

    party: str
    segment: int
    other_debts: int
    stopped: bool


class CreditApplications:
    """Applications to make and look at; errors and ``key`` are as in ``Formicary``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def apply(
        self, party: str, amount: int, currency: str, *, wallet: str | None = None, key: str | None = None
    ) -> CreditApplication:
        """Ask for credit; the decision is in the answer."""
        body = {"party": party, "amount": amount, "currency": currency, "wallet": wallet}
        return self._transport.post(_PATH, CreditApplication, body, key=key)

    def application(self, application: str) -> CreditApplication:
        """Return what was decided."""
        return self._transport.get(f"{_PATH}/{application}", CreditApplication)

    def of_party(self, party: str) -> Iterator[CreditApplication]:
        """Yield what was decided about a party's applications, the oldest first."""
        return pages(self._transport, _PATH, CreditApplication, party=party)

    def notice(self, application: str, *, form: str = "application/json") -> str:
        """Return the notice to whoever was refused, or got less: JSON, ``text/plain`` or ``text/html``."""
        return self._transport.get_text(f"{_PATH}/{application}/notice", form)

    def set_policy(self, policy: Mapping[str, Any], *, key: str | None = None) -> CreditPolicy:
        """Say by what the house lends in a currency from now on."""
        return self._transport.post("/v1/credit/policies", CreditPolicy, dict(policy), key=key)

    def policy(self, currency: str) -> CreditPolicy:
        """Return by what the house lends in a currency."""
        return self._transport.get(f"/v1/credit/policies/{currency}", CreditPolicy)

    def describe(
        self,
        party: str,
        *,
        segment: int = 0,
        other_debts: int = 0,
        stopped: bool = False,
        key: str | None = None,
    ) -> Borrower:
        """Say what is known of a party by word."""
        body = {"segment": segment, "other_debts": other_debts, "stopped": stopped}
        return self._transport.post(f"/v1/credit/borrowers/{party}", Borrower, body, key=key)

    def borrower(self, party: str) -> Borrower:
        """Return what was said of a party."""
        return self._transport.get(f"/v1/credit/borrowers/{party}", Borrower)


_PATH = "/v1/credit/applications"
