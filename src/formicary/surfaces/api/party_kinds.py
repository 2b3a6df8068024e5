"""What kind of party somebody is: asked once and kept, since it never changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from formicary.base.limits import AGGREGATES_READ_MAX
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind
from formicary.surfaces.api.ports import Backend

__all__ = ["PartyKinds"]

_KEPT_MAX: Final = 1 << 20


class PartyKinds:
    """The kinds of parties.

    Parameters
    ----------
    backend
        Where parties are looked up that nobody asked for yet.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._merchants: set[int] = set()
        self._others: set[int] = set()

    async def merchants(self, parties: Iterable[int]) -> set[int]:
        """Return every known merchant, among them all that there are in ``parties``."""
        unknown = [
            party for party in set(parties) if party not in self._merchants and party not in self._others
        ]
        for at in range(0, len(unknown), AGGREGATES_READ_MAX):
            await self._look_up(unknown[at : at + AGGREGATES_READ_MAX])
        return self._merchants

    async def is_merchant(self, party: int) -> bool:
        """Tell whether a party is a merchant."""
        if party in self._merchants:
            return True
        if party in self._others:
            return False
        return party in await self.merchants([party])

    async def _look_up(self, parties: list[int]) -> None:
        if len(self._merchants) + len(self._others) > _KEPT_MAX:
            self._merchants.clear()
            self._others.clear()
        found = await self._backend.aggregates(PARTY_PRODUCT.name, parties)
        for party, fields in zip(parties, found, strict=True):
            # One that is not there may come: it is not kept.
            if fields is not None:
                kept = self._merchants if fields["kind"] == PartyKind.MERCHANT else self._others
                kept.add(party)
