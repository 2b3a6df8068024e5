"""Where the data keys of parties are: one key each, made once, destroyed once."""

from __future__ import annotations

from importlib import resources
from typing import Final, Protocol

from formicary.factory.identity.vault._statements import Statements
from formicary.factory.journal.access import Access
from formicary.factory.journal.migrations import migrate, packaged_migrations

__all__ = ["KeyStore", "PostgresKeyStore"]

_SCHEMA: Final = "vault_keys"
_FIND: Final = "SELECT key FROM vault_keys.data_keys WHERE party = $1"
_MAKE: Final = """
    INSERT INTO vault_keys.data_keys (party, key) VALUES ($1, $2) ON CONFLICT (party) DO NOTHING
"""
_DESTROY: Final = """
    INSERT INTO vault_keys.data_keys (party, key) VALUES ($1, NULL)
    ON CONFLICT (party) DO UPDATE SET key = NULL
"""


class KeyStore(Protocol):
    """Keeps data keys of 32 bytes by party; its backups are apart from those of what they open.

    Each method may be called again after an error, and from any thread.
    """

    def find(self, party: int) -> bytes | None:
        """Return a party's key, or None where none was made or it was destroyed."""
        ...

    def find_or_keep(self, party: int, key: bytes) -> bytes | None:
        """Return a party's key: ``key`` where it had none, None where it was destroyed."""
        ...

    def destroy(self, party: int) -> None:
        """Destroy a party's key, for good: it gets no other one."""
        ...


class PostgresKeyStore:
    """Data keys in a database of their own.

    Parameters
    ----------
    access
        That database; its schema is brought to this release.

    Raises
    ------
    JournalUnavailable, JournalTooNew, MigrationChanged
        See ``migrate``; the first one from every method.
    """

    def __init__(self, access: Access) -> None:
        folder = resources.files(__package__) / "key_schema"
        migrate(access, schema=_SCHEMA, migrations=packaged_migrations(folder))
        self._statements = Statements(access, purpose="vault keys")

    def find(self, party: int) -> bytes | None:
        """Return a party's key, or None where none was made or it was destroyed."""
        row = self._statements.run(_FIND, [party.to_bytes(16)])
        return None if row is None else row[0]

    def find_or_keep(self, party: int, key: bytes) -> bytes | None:
        """Return a party's key: ``key`` where it had none, None where it was destroyed."""
        self._statements.run(_MAKE, [party.to_bytes(16), key])
        return self.find(party)

    def destroy(self, party: int) -> None:
        """Destroy a party's key, for good: it gets no other one."""
        self._statements.run(_DESTROY, [party.to_bytes(16)])

    def close(self) -> None:
        """Close the connection; a later call opens another one."""
        self._statements.close()
