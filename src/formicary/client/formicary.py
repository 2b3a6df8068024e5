"""The client's interface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import httpx
import msgspec

from formicary.client.credit import CreditScores
from formicary.client.credit_applications import CreditApplications
from formicary.client.documents import (
    Account,
    Appeal,
    Approval,
    Balance,
    BatchResult,
    Consent,
    Escrow,
    Event,
    Key,
    Page,
    Party,
    Payment,
    Profile,
    RailOrder,
    Refund,
    Token,
    Transfer,
    Webhook,
)
from formicary.client.lending import Lending
from formicary.client.lending_funds import LendingFunds
from formicary.client.pages import PAGE_ITEMS, pages
from formicary.client.transport import Application, AsgiTransport, Transport

__all__ = ["Formicary"]

_TIMEOUT_SECONDS = 15.0


class Formicary:
    """A factory to ask. For one thread.

    Every method raises ``ApiRefused`` where the API refuses, ``ApiUnreachable`` where it does not answer and
    nothing was done, and, where something may have been done, ``UnknownOutcome``. ``key`` is an
    idempotency key: give one of your own to be able to ask again after a crash.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @classmethod
    def http(cls, url: str, key: str, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> Self:
        """Return a client of the API at a URL, with an API key or an end user's token."""
        return cls(Transport(httpx.Client(base_url=url, timeout=timeout_seconds), key))

    @classmethod
    def in_process(cls, application: Application, key: str) -> Self:
        """Return a client of an API in this process."""
        client = httpx.Client(base_url="http://in-process", transport=AsgiTransport(application))
        return cls(Transport(client, key))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    # -- parties and accounts --------------------------------------------------------------

    def register_party(self, kind: str, *, key: str | None = None) -> Party:
        """Register a ``person``, a ``merchant`` or a ``partner``."""
        return self._transport.post("/v1/parties", Party, {"kind": kind}, key=key)

    def party(self, party: str) -> Party:
        """Return a party."""
        return self._transport.get(f"/v1/parties/{party}", Party)

    def close_party(self, party: str, *, key: str | None = None) -> Party:
        """End a party's part in anything new."""
        return self._transport.post(f"/v1/parties/{party}/close", Party, key=key)

    def erase_party(self, party: str, *, key: str | None = None) -> Party:
        """Destroy a party's personal data."""
        return self._transport.post(f"/v1/parties/{party}/erase", Party, key=key)

    def profile(self, party: str) -> Profile:
        """Return a party's personal data."""
        return self._transport.get(f"/v1/parties/{party}/profile", Profile)

    def put_profile(self, party: str, fields: Mapping[str, str]) -> Profile:
        """Store a party's personal data in place of what is there."""
        return self._transport.put(f"/v1/parties/{party}/profile", Profile, {"fields": dict(fields)})

    def consents(self, party: str) -> list[Consent]:
        """Return for every purpose that takes consent whether a party agrees to it."""
        return self._transport.get(f"/v1/parties/{party}/consents", list[Consent])

    def grant_consent(
        self, party: str, purpose: str, *, wording: str, act: str, key: str | None = None
    ) -> Consent:
        """Agree to a purpose in the words of a hash, as ``wording_of`` makes it of the text shown.

        ``act`` is ``signed_in_party`` with the party's own token; a key of the house enters what is
        ``written`` or ``spoken``.
        """
        body = {"purpose": purpose, "wording": wording, "act": act}
        return self._transport.post(f"/v1/parties/{party}/consents", Consent, body, key=key)

    def revoke_consent(self, party: str, purpose: str, *, key: str | None = None) -> Consent:
        """Take consent to a purpose back."""
        return self._transport.post(f"/v1/parties/{party}/consents/{purpose}/revoke", Consent, key=key)

    def open_account(self, party: str, currency: str, *, key: str | None = None) -> Account:
        """Open a party's wallet in a currency."""
        body = {"party": party, "currency": currency}
        return self._transport.post("/v1/accounts", Account, body, key=key)

    def accounts(self, party: str) -> list[Account]:
        """Return a party's wallets."""
        return self._transport.get("/v1/accounts", list[Account], party=party)

    def account(self, account: str) -> Account:
        """Return an account as it is now."""
        return self._transport.get(f"/v1/accounts/{account}", Account)

    def balance(self, account: str, *, as_of: str | None = None) -> Balance:
        """Return an account's totals now or as of a time in RFC 3339."""
        return self._transport.get(f"/v1/accounts/{account}/balance", Balance, as_of=as_of)

    def statement(self, account: str, *, since: str, until: str, form: str = "csv") -> bytes:
        """Return what was booked in a period, both ends in RFC 3339 and included: ``csv`` or ``camt.053``."""
        return self._transport.get_bytes(
            f"/v1/accounts/{account}/statement", since=since, until=until, format=form
        )

    def transfers(self, account: str) -> Iterator[Transfer]:
        """Yield an account's transfers, newest first, page after page."""
        return pages(self._transport, f"/v1/accounts/{account}/transfers", Transfer)

    def search(self, **conditions: Any) -> Iterator[Transfer]:
        """Yield transfers that match ``account``, ``since``, ``until``, ``all`` and ``any``, newest first."""
        cursor: str | None = None
        while True:
            body = conditions | ({"cursor": cursor} if cursor else {})
            page = self._transport.post("/v1/transfers/search", Page, body)
            yield from (msgspec.json.decode(item, type=Transfer) for item in page.items)
            cursor = page.next
            if cursor is None:
                return

    # -- payments --------------------------------------------------------------------------

    def pay(
        self,
        *,
        payer: str,
        payee: str,
        amount: int,
        currency: str,
        reference: str = "",
        key: str | None = None,
    ) -> Payment:
        """Pay ``amount`` minor units from one party to another."""
        body = {
            "payer": payer,
            "payee": payee,
            "amount": amount,
            "currency": currency,
            "reference": reference,
        }
        return self._transport.post("/v1/payments", Payment, body, key=key)

    def pay_many(self, payments: Iterable[Mapping[str, Any]], *, key: str | None = None) -> BatchResult:
        """Make many payments, each by itself; each has the fields of ``pay``."""
        body = {"payments": list(payments)}
        return self._transport.post("/v1/payments/batch", BatchResult, body, key=key)

    def payment(self, payment: str) -> Payment:
        """Return a payment."""
        return self._transport.get(f"/v1/payments/{payment}", Payment)

    def refund(self, payment: str, amount: int, *, key: str | None = None) -> Refund:
        """Give back ``amount`` minor units of a payment."""
        body = {"amount": amount}
        return self._transport.post(f"/v1/payments/{payment}/refunds", Refund, body, key=key)

    def release(self, payment: str, *, note: str = "unsaid", key: str | None = None) -> Payment:
        """Pay what a decision holds; ``note`` says why in a word that the API knows."""
        return self._transport.post(f"/v1/payments/{payment}/release", Payment, {"note": note}, key=key)

    def give_back(self, payment: str, *, note: str = "unsaid", key: str | None = None) -> Payment:
        """Give back what a decision holds; ``note`` says why in a word that the API knows."""
        return self._transport.post(f"/v1/payments/{payment}/return", Payment, {"note": note}, key=key)

    def order(
        self, direction: str, *, party: str, amount: int, currency: str, key: str | None = None
    ) -> RailOrder:
        """Order a ``top_up`` from a party's bank or a ``cash_out`` to it."""
        body = {"direction": direction, "party": party, "amount": amount, "currency": currency}
        return self._transport.post("/v1/rail-orders", RailOrder, body, key=key)

    def rail_order(self, order: str) -> RailOrder:
        """Return an order and what the bank said of it so far."""
        return self._transport.get(f"/v1/rail-orders/{order}", RailOrder)

    def bank_said(self, order: str, word: str, *, key: str | None = None) -> RailOrder:
        """Enter what the bank said of an order: ``confirm``, ``fail`` or ``return``."""
        return self._transport.post(f"/v1/rail-orders/{order}/{word}", RailOrder, key=key)

    # -- escrow ----------------------------------------------------------------------------

    def open_escrow(
        self, *, buyer: str, seller: str, amount: int, currency: str, key: str | None = None
    ) -> Escrow:
        """Agree on a trade of ``amount`` minor units."""
        body = {"buyer": buyer, "seller": seller, "amount": amount, "currency": currency}
        return self._transport.post("/v1/escrows", Escrow, body, key=key)

    def escrow(self, escrow: str) -> Escrow:
        """Return an escrow."""
        return self._transport.get(f"/v1/escrows/{escrow}", Escrow)

    def move_escrow(
        self, escrow: str, verb: str, *, acting_as: str | None = None, key: str | None = None, **fields: Any
    ) -> Escrow:
        """Move an escrow on: ``pay``, ``ship``, ``confirm``, ``refund``, ``refund/agree`` and so on."""
        body = fields | ({"acting_as": acting_as} if acting_as else {})
        return self._transport.post(f"/v1/escrows/{escrow}/{verb}", Escrow, body, key=key)

    # -- two persons -----------------------------------------------------------------------

    def propose_entry(self, lines: Iterable[Mapping[str, Any]], *, key: str | None = None) -> Approval:
        """Ask for transfers by hand: ``debit_account``, ``credit_account``, ``amount``, ``currency`` each."""
        return self._transport.post("/v1/approvals/entries", Approval, {"lines": list(lines)}, key=key)

    def propose_limits(
        self, party: str, *, daily_amount_max: int, daily_count_max: int, key: str | None = None
    ) -> Approval:
        """Ask for other limits of a party, in minor units and in payments a day; 0 is no limit."""
        body = {"party": party, "daily_amount_max": daily_amount_max, "daily_count_max": daily_count_max}
        return self._transport.post("/v1/approvals/limits", Approval, body, key=key)

    def approval(self, approval: str) -> Approval:
        """Return a proposal."""
        return self._transport.get(f"/v1/approvals/{approval}", Approval)

    def approve(self, approval: str, *, key: str | None = None) -> Approval:
        """Do what was proposed; never with the API key that proposed it."""
        return self._transport.post(f"/v1/approvals/{approval}/approve", Approval, key=key)

    def reject(self, approval: str, *, key: str | None = None) -> Approval:
        """Do not do what was proposed."""
        return self._transport.post(f"/v1/approvals/{approval}/reject", Approval, key=key)

    # -- appeals ---------------------------------------------------------------------------

    def open_appeal(self, payment: str, *, key: str | None = None) -> Appeal:
        """Have a person look at the decision that held or declined a payment."""
        return self._transport.post("/v1/appeals", Appeal, {"payment": payment}, key=key)

    def appeal(self, appeal: str) -> Appeal:
        """Return an appeal."""
        return self._transport.get(f"/v1/appeals/{appeal}", Appeal)

    def appeals(self, status: str = "open") -> Iterator[Appeal]:
        """Yield the appeals that are ``open``, ``upheld`` or ``overturned``, the oldest first."""
        return pages(self._transport, "/v1/appeals", Appeal, status=status)

    def decide_appeal(self, appeal: str, verdict: str, *, key: str | None = None) -> Appeal:
        """Say that the decision is ``upheld`` or ``overturned``."""
        return self._transport.post(f"/v1/appeals/{appeal}/verdict", Appeal, {"verdict": verdict}, key=key)

    # -- credit scores -----------------------------------------------------------------------

    @property
    def credit(self) -> CreditScores:
        """Credit scores: a party's own, and what it lets others see."""
        return CreditScores(self._transport)

    @property
    def funds(self) -> LendingFunds:
        """What there is to lend from."""
        return LendingFunds(self._transport)

    @property
    def applications(self) -> CreditApplications:
        """Applications for credit, and by what the house lends."""
        return CreditApplications(self._transport)

    @property
    def lending(self) -> Lending:
        """Lending: offers, loans, the close of business."""
        return Lending(self._transport)

    # -- keys, tokens, events ----------------------------------------------------------------

    def issue_key(
        self,
        party: str,
        scopes: Sequence[str],
        *,
        expires_at: str | None = None,
        key: str | None = None,
    ) -> Key:
        """Make an API key for a party; its text is in this answer only."""
        body = {"party": party, "scopes": list(scopes), "expires_at": expires_at}
        return self._transport.post("/v1/keys", Key, body, key=key)

    def key(self, key_id: str) -> Key:
        """Return a key, without its text."""
        return self._transport.get(f"/v1/keys/{key_id}", Key)

    def rotate_key(self, key_id: str, *, overlap_seconds: int, key: str | None = None) -> Key:
        """Replace a key's text; the old one stays valid for a while."""
        body = {"overlap_seconds": overlap_seconds}
        return self._transport.post(f"/v1/keys/{key_id}/rotate", Key, body, key=key)

    def revoke_key(self, key_id: str, *, key: str | None = None) -> Key:
        """End a key."""
        return self._transport.post(f"/v1/keys/{key_id}/revoke", Key, key=key)

    def issue_token(self, party: str, scopes: Sequence[str], *, seconds: int = 900) -> Token:
        """Make a token that acts for one party."""
        body = {"party": party, "scopes": list(scopes), "seconds": seconds}
        return self._transport.post("/v1/tokens", Token, body)

    def events(self, *, after: int = 0) -> Iterator[Event]:
        """Yield what happened after a position up to now, in order."""
        cursor = str(after)
        while True:
            page = self._transport.get("/v1/events", Page, cursor=cursor, limit=PAGE_ITEMS)
            if not page.items:
                return
            yield from (msgspec.json.decode(item, type=Event) for item in page.items)
            cursor = page.next or cursor

    def register_webhook(self, url: str, *, kinds: Sequence[str] = (), key: str | None = None) -> Webhook:
        """Have events of some kinds, or of all, sent to a URL; the secret is in this answer only."""
        return self._transport.post("/v1/webhooks", Webhook, {"url": url, "kinds": list(kinds)}, key=key)

    def webhooks(self) -> list[Webhook]:
        """Return all webhooks."""
        return self._transport.get("/v1/webhooks", list[Webhook])

    def webhook(self, webhook: str) -> Webhook:
        """Return a webhook and how far it has come."""
        return self._transport.get(f"/v1/webhooks/{webhook}", Webhook)

    def redeliver(self, webhook: str, *, key: str | None = None) -> Webhook:
        """Send a webhook's dead letters again."""
        return self._transport.post(f"/v1/webhooks/{webhook}/redeliver", Webhook, key=key)

    def remove_webhook(self, webhook: str) -> None:
        """Remove a webhook."""
        self._transport.delete(f"/v1/webhooks/{webhook}")

    def clock(self) -> str:
        """Return the factory's time."""
        return self._transport.get("/v1/clock", dict[str, str])["now"]

    def advance_clock(self, seconds: int) -> str:
        """Put a sandbox's clock forward and return its time."""
        answer = self._transport.post("/v1/clock/advance", dict[str, str], {"seconds": seconds})
        return answer["now"]
