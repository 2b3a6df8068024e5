"""Who an API key or an end user's token belongs to, as identity knows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from formicary.base.public_ids import Prefix, encode
from formicary.factory.identity.credential import CREDENTIAL_PRODUCT
from formicary.factory.identity.keys import Credential, KeyInvalid, key_id_of, verify
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, PartyStatus
from formicary.surfaces.api.auth import Principal
from formicary.surfaces.api.ports import Backend

__all__ = ["IdentityAuthenticator"]

_KEY_PREFIX: Final = "fk_"
_NEVER: Final = 2**63 - 1


class IdentityAuthenticator:
    """Looks credentials up.

    Parameters
    ----------
    backend
        The factory.
    now
        The time in nanoseconds.
    """

    def __init__(self, backend: Backend, now: Callable[[], int]) -> None:
        self._backend = backend
        self._now = now

    async def principal(self, bearer: str) -> Principal:
        """Return whose key or token it is, or raise a refusal."""
        if not bearer.startswith(_KEY_PREFIX):
            raise KeyInvalid
        fields = (await self._backend.aggregates(CREDENTIAL_PRODUCT.name, [key_id_of(bearer)]))[0]
        found = verify(bearer, None if fields is None else Credential.of(fields), self._now())
        party = (await self._backend.aggregates(PARTY_PRODUCT.name, [found.party]))[0]
        if party is None or party["status"] != PartyStatus.ACTIVE:
            raise KeyInvalid
        expires = 0 if fields is None else fields["expires"]
        return Principal(
            name=encode(Prefix.KEY, found.key_id),
            party=found.party,
            is_house=party["kind"] == PartyKind.HOUSE,
            scopes=int(found.scopes),
            expires=expires or _NEVER,
        )
