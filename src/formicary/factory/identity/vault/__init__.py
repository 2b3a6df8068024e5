"""Personal data apart: encrypted per party here, the keys elsewhere, so that destroying a key is erasure."""

from formicary.factory.identity.vault.key_store import KeyStore, PostgresKeyStore
from formicary.factory.identity.vault.personal_data import PersonalDataMalformed
from formicary.factory.identity.vault.vault import PersonalDataErased, Vault, VaultCorrupted

__all__ = [
    "KeyStore",
    "PersonalDataErased",
    "PersonalDataMalformed",
    "PostgresKeyStore",
    "Vault",
    "VaultCorrupted",
]
