"""The vault's tests run on a real PostgreSQL: two databases of one server, as by default."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from formicary.factory.identity.vault import PostgresKeyStore, Vault
from formicary.factory.journal.access import Access
from tests.fixtures_postgres import PostgresServer, access, postgres, postgres_source

__all__ = ["access", "postgres", "postgres_source"]


@pytest.fixture
def keys_access(postgres: PostgresServer) -> Iterator[Access]:
    """Give access to an empty database for keys."""
    yield postgres.supervisor.access("test_keys")
    postgres.drop("test_keys")


@pytest.fixture
def keys(keys_access: Access) -> Iterator[PostgresKeyStore]:
    """Give an empty key store."""
    store = PostgresKeyStore(keys_access)
    yield store
    store.close()


@pytest.fixture
def vault(access: Access, keys: PostgresKeyStore) -> Iterator[Vault]:
    """Give an empty vault, whose keys and nonces are drawn from a seed."""
    made = Vault(access, keys, Random(5).randbytes)
    yield made
    made.close()
