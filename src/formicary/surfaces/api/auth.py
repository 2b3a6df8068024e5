"""Who asks, and what they may do."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from formicary.base.limits import API_RATE_KEYS_MAX
from formicary.surfaces.api.problems import AuthenticationRequired, NotFound, ScopeMissing

__all__ = ["Authenticator", "CachedAuthenticator", "Principal"]

_BEARER: Final = b"Bearer "
_BEARER_CHARACTERS_MAX: Final = 2_048
_SECONDS_KEPT: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks.

    Attributes
    ----------
    name
        Under which idempotency keys are kept apart: the id of the API key, or of the token's party.
    party
        Whose affairs they may see and move.
    is_house
        Whether that is the house, and so everyone's.
    scopes
        What they may do, as a bit mask.
    expires
        When this ends, in nanoseconds since 1970.
    is_key
        Whether they came with an API key, not with an end user's token.
    """

    name: str
    party: int
    is_house: bool
    scopes: int
    expires: int
    is_key: bool = True

    def require(self, scope: int) -> None:
        """Raise ``ScopeMissing`` unless they have a scope."""
        if not self.scopes & scope:
            raise ScopeMissing

    def require_house(self) -> None:
        """Raise ``ScopeMissing`` unless this is a key of the house."""
        if not self.is_house:
            raise ScopeMissing

    def acts_for(self, party: int) -> bool:
        """Tell whether they may see and move a party's affairs."""
        return self.is_house or party == self.party

    def require_party(self, party: int) -> None:
        """Raise ``NotFound`` unless they act for a party: what is forbidden looks like what is not there."""
        if not self.acts_for(party):
            raise NotFound


class Authenticator(Protocol):
    """Finds out who asks."""

    async def principal(self, bearer: str) -> Principal:
        """Return whose secret or token it is, or raise a refusal."""
        ...


class CachedAuthenticator:
    """Asks once a second who it is, not on every request; a key that is revoked ends within that second.

    Parameters
    ----------
    authenticator
        Who is asked.
    now
        The time in nanoseconds: what expires in between ends on time.
    monotonic
        A clock in seconds that never goes back.
    """

    def __init__(
        self, authenticator: Authenticator, *, now: Callable[[], int], monotonic: Callable[[], float]
    ) -> None:
        self._authenticator = authenticator
        self._now = now
        self._monotonic = monotonic
        # By a hash: no secret stays in memory.
        self._known: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()

    async def principal(self, authorization: bytes | None) -> Principal:
        """Return who sent a header ``Authorization``.

        Raises
        ------
        AuthenticationRequired
            There is none, or it is of no one.
        Refusal
            The token is not valid any more.
        """
        if authorization is None or len(authorization) > _BEARER_CHARACTERS_MAX:
            raise AuthenticationRequired
        digest = hashlib.sha256(authorization).digest()
        known = self._known.get(digest)
        if known is not None and known[1] > self._monotonic():
            principal = known[0]
        else:
            principal = await self._ask(authorization)
            self._known[digest] = principal, self._monotonic() + _SECONDS_KEPT
            self._known.move_to_end(digest)
            if len(self._known) > API_RATE_KEYS_MAX:
                self._known.popitem(last=False)
        if principal.expires <= self._now():
            raise AuthenticationRequired
        return principal

    async def _ask(self, authorization: bytes) -> Principal:
        if not authorization.startswith(_BEARER) or not authorization.isascii():
            raise AuthenticationRequired
        return await self._authenticator.principal(authorization[len(_BEARER) :].decode())
