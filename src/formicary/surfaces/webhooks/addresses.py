"""Where a webhook may go: to the public internet, over TLS; to nobody's inside.

A name is resolved once, every address behind it is looked at, and the connection goes to the one that was
looked at: a name that means another machine a moment later leads nowhere.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from formicary.base.errors import Refusal
from formicary.base.limits import WEBHOOK_URL_CHARACTERS_MAX

__all__ = ["Target", "WebhookTargetForbidden", "resolve", "target_of"]

_PORTS: Final = {"https": 443, "http": 80}

Resolver = Callable[[str, int], Sequence[str]]


class WebhookTargetForbidden(Refusal):
    """A webhook goes to an https address of the public internet; in a sandbox to any http address."""

    code = "webhook_target_forbidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One address: what to connect to, and what to call it."""

    url: str
    host: str
    host_header: str


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses behind a name."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WebhookTargetForbidden from error
    return [str(entry[4][0]) for entry in found]


def target_of(url: str, *, is_sandbox: bool, resolver: Resolver = resolve) -> Target:
    """Return where to connect for a URL.

    Raises
    ------
    WebhookTargetForbidden
        It is no http URL, names a user, has no address, or has one that is not public.
    """
    if len(url) > WEBHOOK_URL_CHARACTERS_MAX or not url.isascii() or not url.isprintable():
        raise WebhookTargetForbidden
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise WebhookTargetForbidden from error
    host = parts.hostname or ""
    allowed = ("https", "http") if is_sandbox else ("https",)
    if parts.scheme not in allowed or not host or parts.username is not None or parts.fragment:
        raise WebhookTargetForbidden
    addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in resolver(host, port)]
    if not addresses or not (is_sandbox or all(map(_is_public, addresses))):
        raise WebhookTargetForbidden
    chosen = addresses[0]
    literal = f"[{chosen}]" if chosen.version == ipaddress.IPv6Address(0).version else str(chosen)
    query = f"?{parts.query}" if parts.query else ""
    return Target(
        url=f"{parts.scheme}://{literal}:{port}{parts.path or '/'}{query}",
        host=host,
        host_header=parts.netloc,
    )


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    # Multicast counts as global for the library, and is nobody's receiver.
    return (mapped or address).is_global and not address.is_multicast
