"""The vault: what is stored is read, only with the key, and never after it was erased."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random
from typing import Any

import psycopg
import pytest

from formicary.factory.identity.vault import (
    PersonalDataErased,
    PersonalDataMalformed,
    PostgresKeyStore,
    Vault,
    VaultCorrupted,
)
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalUnavailable
from tests.factory.journal.kit import database_of
from tests.fixtures_postgres import PostgresServer

ADA, BOB = 2**127 + 5, 3
FIELDS = {"name": "Ada Löwe 李", "address": "7 Mill Lane\nOldtown", "email": ""}


def rows(access: Access, statement: bytes) -> list[tuple[Any, ...]]:
    """Return rows as the vault's role sees them."""
    with psycopg.connect(access.conninfo_for(Role.VAULT)) as connection:
        return connection.execute(statement).fetchall()


def test_what_is_stored_is_read(vault: Vault) -> None:
    """Of each party its own, and the latest; nothing where nothing was stored."""
    assert vault.read(ADA) is None
    vault.store(ADA, {"name": "Ada"})
    vault.store(BOB, {})
    vault.store(ADA, FIELDS)
    assert vault.read(ADA) == FIELDS
    assert vault.read(BOB) == {}


def test_what_is_erased_is_gone(vault: Vault, access: Access, keys: PostgresKeyStore) -> None:
    """The key first, then the ciphertext; nothing is stored again; the others keep theirs."""
    vault.store(ADA, FIELDS)
    vault.store(BOB, {"name": "Bob"})
    vault.erase(ADA)
    assert vault.read(ADA) is None
    assert keys.find(ADA) is None
    assert rows(access, b"SELECT party FROM vault.personal_data") == [(BOB.to_bytes(16),)]
    with pytest.raises(PersonalDataErased):
        vault.store(ADA, FIELDS)
    vault.erase(ADA)
    assert vault.read(BOB) == {"name": "Bob"}


def test_a_party_is_erased_before_anything_was_stored(vault: Vault) -> None:
    """A store that comes late, of a request that took long, brings nothing back."""
    vault.erase(ADA)
    with pytest.raises(PersonalDataErased):
        vault.store(ADA, FIELDS)
    assert vault.read(ADA) is None


def test_a_ciphertext_that_outlives_its_key_is_noise(vault: Vault, keys: PostgresKeyStore) -> None:
    """A crash between the steps of erasing leaves a row that nobody can read; erasing again removes it."""
    vault.store(ADA, FIELDS)
    keys.destroy(ADA)
    assert vault.read(ADA) is None
    with pytest.raises(PersonalDataErased):
        vault.store(ADA, FIELDS)
    vault.erase(ADA)


def test_nothing_readable_is_in_the_table(vault: Vault, access: Access, keys: PostgresKeyStore) -> None:
    """Neither text nor key; storing the same twice gives another ciphertext."""
    vault.store(ADA, FIELDS)
    first = rows(access, b"SELECT nonce, ciphertext FROM vault.personal_data")[0]
    vault.store(ADA, FIELDS)
    second = rows(access, b"SELECT nonce, ciphertext FROM vault.personal_data")[0]
    assert first[0] != second[0]
    assert first[1] != second[1]
    key = keys.find(ADA)
    assert key is not None
    for secret in (b"Mill", b"name", key):
        assert all(secret not in value for value in (*first, *second))


@pytest.mark.parametrize(
    "damage",
    [
        b"UPDATE vault.personal_data SET ciphertext = set_byte(ciphertext, 3, get_byte(ciphertext, 3) # 1)",
        b"UPDATE vault.personal_data SET nonce = set_byte(nonce, 0, get_byte(nonce, 0) # 1)",
        b"UPDATE vault.personal_data SET ciphertext = substring(ciphertext FROM 1 FOR 16)",
    ],
)
def test_damage_is_noticed(vault: Vault, access: Access, damage: bytes) -> None:
    """A changed byte anywhere does not read as somebody else's name."""
    vault.store(ADA, FIELDS)
    with psycopg.connect(access.conninfo_for(Role.VAULT)) as connection:
        connection.execute(damage)
    with pytest.raises(VaultCorrupted):
        vault.read(ADA)


def test_a_row_does_not_open_for_another_party(vault: Vault, access: Access, keys_access: Access) -> None:
    """Whoever can write rows, and even keys, cannot show one party what belongs to another."""
    vault.store(ADA, FIELDS)
    move = b"UPDATE %s SET party = '\\x00000000000000000000000000000003'"
    with psycopg.connect(access.conninfo_for(Role.VAULT)) as connection:
        connection.execute(move % b"vault.personal_data")
    with psycopg.connect(keys_access.conninfo_for(Role.OWNER)) as connection:
        connection.execute(b"ALTER TABLE vault_keys.data_keys DISABLE TRIGGER ALL")
        connection.execute(move % b"vault_keys.data_keys")
    with pytest.raises(VaultCorrupted):
        vault.read(BOB)


@pytest.mark.parametrize(
    "fields",
    [
        {"": "x"},
        {"Name": "x"},
        {"a" * 65: "x"},
        {"name\n": "x"},
        {"note": "x" * 4_097},
        {"name": "\ud800"},
        {f"field_{number}": "" for number in range(65)},
        {f"field_{number}": "\N{GRINNING FACE}" * 4_096 for number in range(5)},
    ],
)
def test_personal_data_are_a_few_short_texts(vault: Vault, fields: dict[str, str]) -> None:
    """Anything else is refused before a key is made for it, and does not show in the error."""
    with pytest.raises(PersonalDataMalformed) as refused:
        vault.store(ADA, fields)
    assert refused.value.__cause__ is None
    assert "x" * 9 not in str(refused.value)
    assert vault.read(ADA) is None


def test_a_key_is_made_once(keys: PostgresKeyStore) -> None:
    """Whoever comes second gets the first one's, in whatever order they look."""
    random = Random(3)
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda key: keys.find_or_keep(ADA, key), [random.randbytes(32) for _ in range(8)])
        )
    assert found == [found[0]] * 8
    assert keys.find(ADA) == found[0]
    assert keys.find(BOB) is None


@pytest.mark.parametrize(
    "statement",
    [
        b"UPDATE vault_keys.data_keys SET key = '\\x" + 64 * b"0" + b"'",
        b"UPDATE vault_keys.data_keys SET party = '\\x" + 32 * b"0" + b"'",
        b"DELETE FROM vault_keys.data_keys",
        b"TRUNCATE vault_keys.data_keys",
    ],
)
def test_a_destroyed_key_stays_destroyed(
    keys: PostgresKeyStore, keys_access: Access, statement: bytes
) -> None:
    """The database itself refuses to bring one back, also to the tables' owner."""
    keys.find_or_keep(ADA, bytes(32))
    keys.destroy(ADA)
    for role in (Role.VAULT, Role.OWNER):
        with (
            psycopg.connect(keys_access.conninfo_for(role)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)


@pytest.mark.parametrize("role", [Role.WRITER, Role.FOLLOWER, Role.READER])
def test_nobody_else_looks_in(vault: Vault, access: Access, keys_access: Access, role: Role) -> None:
    """Engine, follower and analysts may read neither rows nor keys; the vault's role reads no journal."""
    vault.store(ADA, FIELDS)
    for place, reader, statement in (
        (access, role, b"SELECT FROM vault.personal_data"),
        (keys_access, role, b"SELECT FROM vault_keys.data_keys"),
        (access, Role.VAULT, b"SELECT FROM journal.events"),
    ):
        with (
            psycopg.connect(place.conninfo_for(reader)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="denied"),
        ):
            connection.execute(statement)


def test_a_vault_goes_on_after_the_server_came_back(
    vault: Vault, access: Access, postgres: PostgresServer
) -> None:
    """A connection that broke while nobody used it is no error of the next caller."""
    vault.store(ADA, FIELDS)
    with postgres.superuser() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'formicary_vault'"
        )
    assert vault.read(ADA) == FIELDS
    vault.close()
    assert vault.read(ADA) == FIELDS
    with postgres.superuser(database_of(access)) as connection:
        connection.execute("DROP SCHEMA vault CASCADE")
    with pytest.raises(JournalUnavailable):
        vault.read(ADA)


def test_opening_again_changes_nothing(vault: Vault, access: Access, keys_access: Access) -> None:
    """The schemas are made once; another vault on the same databases reads what the first one stored."""
    vault.store(ADA, FIELDS)
    with (
        closing(PostgresKeyStore(keys_access)) as keys,
        closing(Vault(access, keys, Random(6).randbytes)) as another,
    ):
        assert another.read(ADA) == FIELDS
