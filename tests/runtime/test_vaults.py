"""Opening the vault: where the keys are."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from formicary.factory.journal.errors import JournalUnavailable
from formicary.runtime.database import open_database
from formicary.runtime.settings import Settings
from formicary.runtime.vaults import InstalledVault

ADA = 2**127 + 5


def test_keys_beside_the_embedded_database(shared_home: Settings) -> None:
    """Without any setting there is a second database on the same server, made once."""
    with open_database(shared_home) as access:
        with closing(InstalledVault(shared_home, access)) as vault:
            vault.store(ADA, {"name": "Ada"})
        with closing(InstalledVault(shared_home, access)) as vault:
            assert vault.read(ADA) == {"name": "Ada"}


def test_keys_beside_a_database_by_its_url(hosted_home: Settings) -> None:
    """On somebody else's server the second database is named after the first; other keys open nothing."""
    with open_database(hosted_home) as access:
        for _ in range(2):
            with closing(InstalledVault(hosted_home, access)) as vault:
                vault.store(ADA, {"name": "Ada"})
        elsewhere = replace(hosted_home, keys_url=hosted_home.database_url)
        with closing(InstalledVault(elsewhere, access)) as vault:
            assert vault.read(ADA) is None


def test_keys_that_cannot_be_reached(hosted_home: Settings) -> None:
    """The message names the setting."""
    elsewhere = replace(hosted_home, keys_url="host=/nonexistent")
    with (
        open_database(hosted_home) as access,
        closing(InstalledVault(elsewhere, access)) as vault,
        pytest.raises(JournalUnavailable, match="FORMICARY_KEYS_URL"),
    ):
        vault.erase(ADA)
