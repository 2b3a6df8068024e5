"""Who an API key or an end user's token belongs to, as identity knows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from formicary.base.public_ids import Prefix, encode
from formicary.factory.identity import tokens
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
    token_secret
        Under which end users' tokens are signed.
    """

    def __init__(self, backend: Backend, now: Callable[[], int], token_secret: bytes) -> None:
        self._backend = backend
        self._now = now
        self._token_secret = token_secret

    async def principal(self, bearer: str) -> Principal:
        """Return whose key or token it is, or raise a refusal."""
        if not bearer.startswith(_KEY_PREFIX):
            return await self._of_token(bearer)
        fields = (await self._backend.aggregates(CREDENTIAL_PRODUCT.name, [key_id_of(bearer)]))[0]
        found = verify(bearer, None if fields is None else Credential.of(fields), self._now())
        party = await self._active_party(found.party)
        expires = 0 if fields is None else fields["expires"]
        return Principal(
            name=encode(Prefix.KEY, found.key_id),
            party=found.party,
            is_house=party["kind"] == PartyKind.HOUSE,
            scopes=int(found.scopes),
            expires=expires or _NEVER,
        )

    async def _of_token(self, bearer: str) -> Principal:
        found = tokens.verify(self._token_secret, bearer, self._now())
        party = int(found.party, 16)
        await self._active_party(party)
        # A token is one party's and never the house's, whoever asked for it.
        return Principal(
            name=encode(Prefix.PARTY, party),
            party=party,
            is_house=False,
            scopes=found.scopes,
            expires=found.expires,
            is_key=False,
        )

    async def _active_party(self, party: int) -> dict[str, Any]:
        fields = (await self._backend.aggregates(PARTY_PRODUCT.name, [party]))[0]
        if fields is None or fields["status"] != PartyStatus.ACTIVE:
            raise KeyInvalid
        return fields
