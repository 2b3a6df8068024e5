"""A party that was erased is nowhere: not in the journal, a snapshot, a dump, or the database's files."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import psycopg
from psycopg.conninfo import make_conninfo

from formicary.base.clock import SimulatedClock
from formicary.factory.identity import IDENTITY
from formicary.factory.identity.credential import IssueKey
from formicary.factory.identity.keys import new_key
from formicary.factory.identity.party import EraseParty, PartyKind, RegisterParty
from formicary.factory.journal.server.binaries import find_binaries
from formicary.factory.journal.supervisor import Supervisor
from formicary.runtime.settings import Settings
from formicary.runtime.vaults import InstalledVault
from formicary.runtime.wiring import Factory, open_factory

ADA = 2**127 + 0xADA
FIELDS = {"name": "Ada Lovelace-Ünique", "address": "7 Millrace Lane"}


def spellings(secret: bytes) -> list[bytes]:
    """Return how a secret would look in a dump or a file."""
    return [secret, secret.hex().encode(), base64.b64encode(secret)]


def dump_of(database: str) -> bytes:
    """Return everything in a database, as a backup would hold it."""
    program = find_binaries({}).folder / "pg_dump"
    return subprocess.run([program, f"--dbname={database}"], check=True, capture_output=True, cwd="/").stdout


def files_of(database: str, data_folder: Path) -> Iterator[bytes]:
    """Yield the contents of the files that the server keeps a database in, free space and all."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    assert row is not None
    for path in (data_folder / "base" / str(row[0])).iterdir():
        yield path.read_bytes()


def act(factory: Factory) -> bytes:
    """Let the party take part, and return the text of its API key."""
    factory.command("party", RegisterParty(subject=ADA, kind=PartyKind.PERSON), principal="p", key="1")
    made = new_key("test", 5, Random(1).randbytes)
    issue = IssueKey(
        subject=5,
        party=f"{ADA:032x}",
        hash_first=made.hash_first,
        hash_last=made.hash_last,
        scopes=1,
    )
    assert factory.command("credential", issue, principal="p", key="2").code == ""
    factory.follower.open()
    factory.follower.catch_up()
    factory.follower.write_snapshot()
    return made.text.encode()


def test_an_erased_party_is_nowhere(hosted_home: Settings, shared_home: Settings) -> None:
    """Neither its personal data nor its data key nor the text of its API key; its id is where it was."""
    assert hosted_home.database_url is not None
    main = hosted_home.database_url
    keys = make_conninfo(main, dbname=f"{hosted_home.home.name}_keys")
    data_folder = Supervisor(shared_home.postgres_folder).data_folder
    with (
        open_factory(hosted_home, clock=SimulatedClock(10**18), products=IDENTITY) as factory,
        closing(InstalledVault(hosted_home, factory.access)) as vault,
    ):
        api_key = act(factory)
        vault.store(ADA, FIELDS)
        assert vault.read(ADA) == FIELDS
        with psycopg.connect(keys) as connection:
            row = connection.execute("SELECT key FROM vault_keys.data_keys").fetchone()
        assert row is not None
        data_key = bytes(row[0])
        # The search finds what is there: the key where keys are, and the id where ids are.
        assert any(spelling in dump_of(keys) for spelling in spellings(data_key))

        factory.command("party", EraseParty(subject=ADA), principal="p", key="3")
        vault.erase(ADA)
        factory.follower.catch_up()
        factory.follower.write_snapshot()
        assert vault.read(ADA) is None

        dump = dump_of(main)
        assert f"{ADA:032x}".encode() in dump
        snapshots = [path.read_bytes() for path in hosted_home.home.rglob("*") if path.is_file()]
        assert any(ADA.to_bytes(16)[:8][::-1] in snapshot for snapshot in snapshots)
        places = [dump, dump_of(keys), *snapshots, *files_of(main, data_folder)]
        places.append((shared_home.postgres_folder / "server.log").read_bytes())
    for secret in (*(text.encode() for text in FIELDS.values()), data_key, api_key):
        assert [len(place) for place in places for one in spellings(secret) if one in place] == []
