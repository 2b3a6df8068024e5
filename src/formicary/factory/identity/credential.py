"""Credentials: API keys of a party. The engine sees the hash of a secret and never the secret."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from formicary.base.errors import Refusal
from formicary.base.limits import KEY_OVERLAP_SECONDS_MAX
from formicary.base.scopes import Scope, UnknownScope
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.identity._fields import HexId, Rows, Time, put_ids, require_well_formed
from formicary.factory.identity.party import PARTY_PRODUCT, require_active_party

__all__ = [
    "CREDENTIAL",
    "CREDENTIAL_PRODUCT",
    "CredentialStatus",
    "ExpiryPassed",
    "IssueKey",
    "KeyExists",
    "KeyIssued",
    "KeyNotActive",
    "KeyRevoked",
    "KeyRotated",
    "RevokeKey",
    "RotateKey",
]

CREDENTIAL: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("status", "<u4"),
        ("rotations", "<u4"),
        ("party_high", "<u8"),
        ("party_low", "<u8"),
        ("hash_first_high", "<u8"),
        ("hash_first_low", "<u8"),
        ("hash_last_high", "<u8"),
        ("hash_last_low", "<u8"),
        ("previous_first_high", "<u8"),
        ("previous_first_low", "<u8"),
        ("previous_last_high", "<u8"),
        ("previous_last_low", "<u8"),
        ("previous_until", "<i8"),
        ("scopes", "<u8"),
        ("expires", "<i8"),
    ]
)
"""An API key: the halves of the SHA-256 of its text, and of the text before the last rotation.

Times are nanoseconds; ``expires`` of 0 is never, ``previous_until`` of 0 says that there is no older text.
"""

_ALL_SCOPES: Final = sum(Scope)
_SECOND: Final = 10**9
_HASHES: Final = ("first", "last")


class CredentialStatus(IntEnum):
    """Whether a key opens anything."""

    ACTIVE = 1
    REVOKED = 2


class KeyExists(Refusal):
    """There is a key with this id."""

    code = "key_exists"


class KeyNotActive(Refusal):
    """There is no such key, or it was revoked or has expired."""

    code = "key_not_active"


class ExpiryPassed(Refusal):
    """The expiry of a key lies in the past."""

    code = "expiry_passed"


Scopes = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
OverlapSeconds = Annotated[int, msgspec.Meta(ge=0, le=KEY_OVERLAP_SECONDS_MAX)]


class IssueKey(Command, frozen=True):
    """Give a party a key; ``expires`` in nanoseconds, 0 for never."""

    party: HexId
    hash_first: HexId
    hash_last: HexId
    scopes: Scopes
    expires: Time = 0


class RotateKey(Command, frozen=True):
    """Replace a key's secret; the old one stays valid for ``overlap_seconds``."""

    hash_first: HexId
    hash_last: HexId
    overlap_seconds: OverlapSeconds


class RevokeKey(Command, frozen=True):
    """End a key at once, and with it what is left of its older secret."""


class KeyIssued(DomainEvent, frozen=True):
    """A party has a new key."""

    party: HexId
    hash_first: HexId
    hash_last: HexId
    scopes: Scopes
    expires: Time


class KeyRotated(DomainEvent, frozen=True):
    """A key has a new secret; the old one is valid until then."""

    hash_first: HexId
    hash_last: HexId
    previous_until: Time


class KeyRevoked(DomainEvent, frozen=True):
    """A key opens nothing any more."""


def decide(command: Command | TimerFired, key: Rows | None, context: Context) -> Decision:
    """Decide a command about a key."""
    require_well_formed(command)
    if isinstance(command, IssueKey):
        return _issue(command, key, context)
    if key is None or key["status"] != CredentialStatus.ACTIVE:
        raise KeyNotActive
    if isinstance(command, RotateKey):
        return _rotate(command, key, context)
    return Decision(events=[KeyRevoked()])


def evolve(kind: str, keys: Rows, events: Sequence[Any]) -> None:
    """Change keys (n,) as events (n,) of one kind say."""
    _EVOLVE[kind](keys, events)


def _issue(command: IssueKey, key: Rows | None, context: Context) -> Decision:
    if key is not None:
        raise KeyExists
    if not 0 < command.scopes <= _ALL_SCOPES:
        raise UnknownScope
    if command.expires and command.expires <= context.now:
        raise ExpiryPassed
    require_active_party(context, int(command.party, 16))
    issued = KeyIssued(
        party=command.party,
        hash_first=command.hash_first,
        hash_last=command.hash_last,
        scopes=command.scopes,
        expires=command.expires,
    )
    return Decision(events=[issued])


def _rotate(command: RotateKey, key: Rows, context: Context) -> Decision:
    expires = int(key["expires"])
    if expires and expires <= context.now:
        raise KeyNotActive
    until = context.now + command.overlap_seconds * _SECOND
    rotated = KeyRotated(hash_first=command.hash_first, hash_last=command.hash_last, previous_until=until)
    return Decision(events=[rotated], answer={"previous_until": until})


def _issued(keys: Rows, events: Sequence[KeyIssued]) -> None:
    keys["status"] = CredentialStatus.ACTIVE
    keys["scopes"] = [event.scopes for event in events]
    keys["expires"] = [event.expires for event in events]
    put_ids(keys, "party", [event.party for event in events])
    _put_hashes(keys, events)


def _rotated(keys: Rows, events: Sequence[KeyRotated]) -> None:
    for half in _HASHES:
        for word in ("high", "low"):
            keys[f"previous_{half}_{word}"] = keys[f"hash_{half}_{word}"]
    keys["previous_until"] = [event.previous_until for event in events]
    keys["rotations"] += 1
    _put_hashes(keys, events)


def _revoked(keys: Rows, _: Sequence[KeyRevoked]) -> None:
    keys["status"] = CredentialStatus.REVOKED


def _put_hashes(keys: Rows, events: Sequence[KeyIssued] | Sequence[KeyRotated]) -> None:
    put_ids(keys, "hash_first", [event.hash_first for event in events])
    put_ids(keys, "hash_last", [event.hash_last for event in events])


_EVOLVE: Final[dict[str, Callable[[Rows, Sequence[Any]], None]]] = {
    "KeyIssued": _issued,
    "KeyRotated": _rotated,
    "KeyRevoked": _revoked,
}

CREDENTIAL_PRODUCT: Final = Product(
    name="credential",
    aggregate=CREDENTIAL,
    commands=(IssueKey, RotateKey, RevokeKey),
    events=(KeyIssued, KeyRotated, KeyRevoked),
    decide=decide,
    evolve=evolve,
    neighbours=(PARTY_PRODUCT,),
)
