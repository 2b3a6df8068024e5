"""Credentials in the engine: issued, rotated, revoked."""

from __future__ import annotations

import pytest

from formicary.base.scopes import Scope
from formicary.factory.identity.credential import CredentialStatus, IssueKey, RevokeKey, RotateKey
from formicary.factory.identity.party import CloseParty
from tests.factory.identity.kit import DAY, START, House, hexed

KEY, PARTY = 2**127 + 5, 2**126 + 3


def issue(party: int = PARTY, scopes: int = 1, expires: int = 0) -> IssueKey:
    """Return the command that issues the key."""
    return IssueKey(
        subject=KEY,
        party=hexed(party),
        hash_first=hexed(1),
        hash_last=hexed(2),
        scopes=scopes,
        expires=expires,
    )


ROTATE = RotateKey(subject=KEY, hash_first=hexed(3), hash_last=hexed(4), overlap_seconds=60)


def test_a_key_is_issued_to_an_active_party(house: House) -> None:
    """Nobody else gets one, and an id is used once."""
    assert house.refused("credential", issue()) == "party_not_found"
    house.party(PARTY)
    house.done("credential", issue(scopes=Scope.KEYS_WRITE))
    assert house.refused("credential", issue()) == "key_exists"
    known = house.has("credential", KEY)
    assert (known["party"], known["scopes"]) == (hexed(PARTY), Scope.KEYS_WRITE)
    assert (known["hash_first"], known["hash_last"]) == (hexed(1), hexed(2))
    house.done("party", CloseParty(subject=PARTY))
    another = IssueKey(subject=6, party=hexed(PARTY), hash_first=hexed(1), hash_last=hexed(2), scopes=1)
    assert house.refused("credential", another) == "party_not_active"
    house.require_refolds()


@pytest.mark.parametrize("scopes", [0, sum(Scope) + 1, 2**63 - 1])
def test_only_scopes_that_there_are(house: House, scopes: int) -> None:
    """A number that means nothing today might mean something tomorrow."""
    house.party(PARTY)
    assert house.refused("credential", issue(scopes=scopes)) == "unknown_scope"


def test_a_key_is_not_issued_expired(house: House) -> None:
    """An expiry in the past is a mistake of the caller."""
    house.party(PARTY)
    assert house.refused("credential", issue(expires=START)) == "expiry_passed"
    house.done("credential", issue(expires=START + DAY))
    assert house.has("credential", KEY)["expires"] == START + DAY


def test_rotation_keeps_the_older_secret_for_a_while(house: House) -> None:
    """The hash that was moves aside with its end; one more rotation forgets it."""
    house.party(PARTY)
    house.done("credential", issue())
    until = house.done("credential", ROTATE)["previous_until"]
    known = house.has("credential", KEY)
    assert (known["hash_first"], known["hash_last"]) == (hexed(3), hexed(4))
    assert (known["previous_first"], known["previous_last"]) == (hexed(1), hexed(2))
    assert START + 60 * 10**9 <= known["previous_until"] == until
    house.done(
        "credential", RotateKey(subject=KEY, hash_first=hexed(5), hash_last=hexed(6), overlap_seconds=0)
    )
    known = house.has("credential", KEY)
    assert (known["previous_first"], known["rotations"]) == (hexed(3), 2)
    house.require_refolds()


def test_an_expired_key_is_not_rotated(house: House) -> None:
    """Otherwise whoever holds the old secret could go on for ever."""
    house.party(PARTY)
    house.done("credential", issue(expires=START + DAY))
    house.done("credential", ROTATE)
    house.clock.advance(DAY)
    assert house.refused("credential", ROTATE) == "key_not_active"


def test_a_revoked_key_stays_revoked(house: House) -> None:
    """Neither rotating nor revoking again does anything; the id is not used again."""
    house.party(PARTY)
    house.done("credential", issue())
    house.done("credential", RevokeKey(subject=KEY))
    assert house.has("credential", KEY)["status"] == CredentialStatus.REVOKED
    assert house.refused("credential", RevokeKey(subject=KEY)) == "key_not_active"
    assert house.refused("credential", ROTATE) == "key_not_active"
    assert house.refused("credential", issue()) == "key_exists"
    house.require_refolds()
