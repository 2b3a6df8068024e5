"""The vault as this installation has it: ciphertexts in the database, keys in another one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from typing import Final

from formicary.factory.identity.vault import PostgresKeyStore, Vault
from formicary.factory.journal.access import Access
from formicary.factory.journal.server.provision import access_by_url, url_beside
from formicary.factory.journal.supervisor import Supervisor
from formicary.runtime.settings import Settings

__all__ = ["InstalledVault"]

_KEYS_SUFFIX: Final = "_keys"
_KEYS_DATABASE: Final = "formicary_keys"


class InstalledVault:
    """The vault, opened when it is first needed: whoever has nothing to do with it does not wait for it.

    Parameters
    ----------
    settings
        Say where the keys are; that database is made where it is missing.
    access
        The database of the ciphertexts, which is open.
    random
        As many random bytes as asked for, for keys and nonces.

    Raises
    ------
    JournalUnavailable, JournalTooNew, MigrationChanged, PostgresFailed
        One of the two databases cannot be used; from every method, and the next call tries again.
    """

    def __init__(
        self, settings: Settings, access: Access, *, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._settings = settings
        self._access = access
        self._random = random
        self._opening = threading.Lock()
        self._opened: Vault | None = None
        self._stack = ExitStack()

    def store(self, party: int, fields: Mapping[str, str]) -> None:
        """Store a party's personal data in place of what was there; see ``Vault.store``."""
        self._vault().store(party, fields)

    def read(self, party: int) -> dict[str, str] | None:
        """Return a party's personal data, or None where there are none or they were erased."""
        return self._vault().read(party)

    def erase(self, party: int) -> None:
        """Destroy a party's key and delete what it opened, for good."""
        self._vault().erase(party)

    def close(self) -> None:
        """Close the connections, if there are any."""
        self._stack.close()

    def _vault(self) -> Vault:
        with self._opening:
            if self._opened is None:
                keys = self._stack.enter_context(closing(PostgresKeyStore(_keys_access(self._settings))))
                made = Vault(self._access, keys, self._random)
                self._opened = self._stack.enter_context(closing(made))
            return self._opened


def _keys_access(settings: Settings) -> Access:
    if settings.keys_url is not None:
        return access_by_url(settings.keys_url, setting="FORMICARY_KEYS_URL")
    if settings.database_url is not None:
        return access_by_url(url_beside(settings.database_url, _KEYS_SUFFIX))
    return Supervisor(settings.postgres_folder).access(_KEYS_DATABASE)
