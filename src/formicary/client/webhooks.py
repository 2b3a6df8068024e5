"""Webhooks after the Standard Webhooks specification: signing and believing them.

The signature is HMAC-SHA256 over ``<id>.<timestamp>.<body>``, in base 64, as ``v1,<signature>``; a header may
hold several, apart by spaces, while a secret is being replaced. A secret is ``whsec_`` and base 64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from formicary.client.errors import WebhookInvalid

__all__ = ["sign_webhook", "verify_webhook"]

_SECRET_PREFIX: Final = "whsec_"  # noqa: S105, what every secret begins with
_VERSION: Final = "v1"
_TOLERANCE_SECONDS: Final = 300


def sign_webhook(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header ``webhook-signature`` of a message sent at a time in seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.digest(_secret_bytes(secret), signed, hashlib.sha256)
    return f"{_VERSION},{base64.b64encode(digest).decode()}"


def verify_webhook(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    tolerance_seconds: int = _TOLERANCE_SECONDS,
) -> str:
    """Return the id of a message that can be believed; remember it, for a message may come twice.

    Parameters
    ----------
    secret
        ``whsec_…``, as it was shown when the webhook was registered.
    headers
        Of the request, names in lower case.
    body
        Of the request, byte for byte.
    now
        Seconds since 1970.

    Raises
    ------
    WebhookInvalid
        The signature is none of this secret, or the message is older or newer than the tolerance.
    """
    message_id = headers.get("webhook-id", "")
    sent = headers.get("webhook-timestamp", "")
    if not (sent.isascii() and sent.isdigit()) or abs(now - int(sent)) > tolerance_seconds:
        raise WebhookInvalid
    expected = sign_webhook(secret, message_id=message_id, timestamp=int(sent), body=body)
    for signature in headers.get("webhook-signature", "").split(" "):
        if hmac.compare_digest(signature.encode(), expected.encode()):
            return message_id
    raise WebhookInvalid


def _secret_bytes(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise WebhookInvalid from error
