"""The Python client: a factory over HTTP or in this process, behind one interface.

    with Formicary.http("http://127.0.0.1:8420", key) as formicary:
        payment = formicary.pay(payer=alice, payee=shop, amount=1250, currency="GBP")

A request that fails on its way is sent again with the same idempotency key, so it is done once. Where even
that does not tell what became of it, ``UnknownOutcome`` says so, and its ``resolve`` finds out later.
"""

from formicary.base.purposes import wording_of
from formicary.client.documents import (
    Account,
    Approval,
    Balance,
    BatchItem,
    BatchResult,
    Consent,
    EntryLine,
    Escrow,
    Event,
    Key,
    Party,
    Payment,
    Profile,
    RailOrder,
    Refund,
    Token,
    Transfer,
    Webhook,
)
from formicary.client.errors import ApiRefused, ApiUnreachable, UnknownOutcome, WebhookInvalid
from formicary.client.formicary import Formicary
from formicary.client.webhooks import verify_webhook

__all__ = [
    "Account",
    "ApiRefused",
    "ApiUnreachable",
    "Approval",
    "Balance",
    "BatchItem",
    "BatchResult",
    "Consent",
    "EntryLine",
    "Escrow",
    "Event",
    "Formicary",
    "Key",
    "Party",
    "Payment",
    "Profile",
    "RailOrder",
    "Refund",
    "Token",
    "Transfer",
    "UnknownOutcome",
    "Webhook",
    "WebhookInvalid",
    "verify_webhook",
    "wording_of",
]
