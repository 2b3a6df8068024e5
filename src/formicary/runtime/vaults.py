"""The vault as this installation has it: ciphertexts in the database, keys in another one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

from formicary.factory.identity.vault import PostgresKeyStore, Vault
from formicary.factory.journal.access import Access
from formicary.factory.journal.server.provision import access_by_url, url_beside
from formicary.factory.journal.supervisor import Supervisor
from formicary.runtime.settings import Settings

__all__ = ["open_vault"]

_KEYS_SUFFIX: Final = "_keys"
_KEYS_DATABASE: Final = "formicary_keys"


@contextmanager
def open_vault(
    settings: Settings, access: Access, *, random: Callable[[int], bytes] = os.urandom
) -> Iterator[Vault]:
    """Yield the vault in a database that is open; that of the keys is made where it is missing.

    Raises
    ------
    JournalUnavailable, JournalTooNew, MigrationChanged, PostgresFailed
        One of the two databases cannot be used.
    """
    with (
        closing(PostgresKeyStore(_keys_access(settings))) as keys,
        closing(Vault(access, keys, random)) as vault,
    ):
        yield vault


def _keys_access(settings: Settings) -> Access:
    if settings.keys_url is not None:
        return access_by_url(settings.keys_url, setting="FORMICARY_KEYS_URL")
    if settings.database_url is not None:
        return access_by_url(url_beside(settings.database_url, _KEYS_SUFFIX))
    return Supervisor(settings.postgres_folder).access(_KEYS_DATABASE)
