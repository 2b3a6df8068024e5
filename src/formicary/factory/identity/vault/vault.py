"""The vault: what is known about persons by name, apart from journal and ledger, which know ids only.

Each party's fields are one JSON text, encrypted with AES-256-GCM under a key of the party's own. The party's
id is authenticated with it, so a row that is copied to another party does not open. The nonce is random:
a key encrypts as often as somebody changes an address, far below the 2^32 times that are safe.

Erasing destroys the key first. From then on every copy of the ciphertext, in whatever backup, is noise;
deleting the row comes after it and may come late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import resources
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from formicary.base.errors import OperationalFault, Refusal
from formicary.factory.identity.vault._statements import Statements
from formicary.factory.identity.vault.key_store import KeyStore
from formicary.factory.identity.vault.personal_data import pack_fields, unpack_fields
from formicary.factory.journal.access import Access
from formicary.factory.journal.migrations import migrate, packaged_migrations

__all__ = ["PersonalDataErased", "Vault", "VaultCorrupted"]

_SCHEMA: Final = "vault"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_CONTEXT: Final = b"formicary personal data 1"

_STORE: Final = """
    INSERT INTO vault.personal_data (party, nonce, ciphertext) VALUES ($1, $2, $3)
    ON CONFLICT (party) DO UPDATE SET nonce = EXCLUDED.nonce, ciphertext = EXCLUDED.ciphertext
"""
_READ: Final = "SELECT nonce, ciphertext FROM vault.personal_data WHERE party = $1"
_DELETE: Final = "DELETE FROM vault.personal_data WHERE party = $1"


class PersonalDataErased(Refusal):
    """The party was erased: its data key is destroyed, and nothing is stored for it again."""

    code = "personal_data_erased"


class VaultCorrupted(OperationalFault):
    """Personal data do not open with their party's key: they were damaged, or moved from another row."""


class Vault:
    """Stores, reads and erases personal data of parties. Methods may be called again, and from any thread.

    Parameters
    ----------
    access
        The database of the ciphertexts; its schema is brought to this release.
    keys
        Where the data keys are: not in the same database, nor in its backups.
    random
        Gives as many random bytes as it is asked for, from the operating system in production.

    Raises
    ------
    JournalUnavailable, JournalTooNew, MigrationChanged
        See ``migrate``; the first one from every method.
    """

    def __init__(self, access: Access, keys: KeyStore, random: Callable[[int], bytes]) -> None:
        folder = resources.files(__package__) / "schema"
        migrate(access, schema=_SCHEMA, migrations=packaged_migrations(folder))
        self._statements = Statements(access, purpose="vault")
        self._keys = keys
        self._random = random

    def store(self, party: int, fields: Mapping[str, str]) -> None:
        """Store a party's personal data in place of what was there.

        Raises
        ------
        PersonalDataMalformed
            They are not a few short texts by name.
        PersonalDataErased
            The party was erased.
        """
        packed = pack_fields(fields)
        key = self._keys.find_or_keep(party, self._random(_KEY_BYTES))
        if key is None:
            raise PersonalDataErased
        nonce = self._random(_NONCE_BYTES)
        ciphertext = AESGCM(key).encrypt(nonce, packed, _context(party))
        self._statements.run(_STORE, [party.to_bytes(16), nonce, ciphertext])

    def read(self, party: int) -> dict[str, str] | None:
        """Return a party's personal data, or None where there are none or they were erased.

        Raises
        ------
        VaultCorrupted
            They do not open.
        """
        row = self._statements.run(_READ, [party.to_bytes(16)])
        key = None if row is None else self._keys.find(party)
        if row is None or key is None:
            return None
        nonce, ciphertext = (value or b"" for value in row)
        try:
            return unpack_fields(AESGCM(key).decrypt(nonce, ciphertext, _context(party)))
        except InvalidTag as error:
            raise VaultCorrupted from error

    def erase(self, party: int) -> None:
        """Destroy a party's key and delete what it opened; for good, also where nothing was stored yet."""
        self._keys.destroy(party)
        self._statements.run(_DELETE, [party.to_bytes(16)])

    def close(self) -> None:
        """Close the connection; a later call opens another one."""
        self._statements.close()


def _context(party: int) -> bytes:
    return _CONTEXT + party.to_bytes(16)
