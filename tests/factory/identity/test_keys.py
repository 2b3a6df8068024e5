"""The text of a key: its form, what is stored of it, and who it opens for."""

from __future__ import annotations

import hashlib
import re
from random import Random

import msgspec
import pytest

from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope, UnknownScope, scope_names, scopes_of
from formicary.factory.identity.credential import RevokeKey, RotateKey
from formicary.factory.identity.keys import KeyExpired, KeyInvalid, key_id_of, new_key, verify
from tests.factory.identity.kit import DAY, SECOND, START, House

KEY, PARTY = 2**127 + 5, 2**126 + 3


def test_the_form_of_a_key() -> None:
    """A scanner of leaked secrets finds it by its prefix; its id is that of the credential."""
    made = new_key("live", KEY, Random(1).randbytes)
    assert re.fullmatch(r"fk_live_[0-9a-z]{26}_[0-9a-z]{52}", made.text)
    assert made.text.split("_")[2] == encode(Prefix.KEY, KEY).split("_")[1]
    assert key_id_of(made.text) == KEY
    assert made.hash_first + made.hash_last == hashlib.sha256(made.text.encode()).hexdigest()
    assert new_key("live", KEY, Random(2).randbytes).text != made.text


def test_a_key_does_not_print_itself() -> None:
    """Logs and tracebacks print objects."""
    made = new_key("live", KEY, Random(1).randbytes)
    assert made.text.split("_")[3] not in repr(made)


@pytest.mark.parametrize("character", range(52))
def test_every_bit_of_the_secret_is_in_the_text(character: int) -> None:
    """Two secrets that differ anywhere have different texts: nothing is cut off."""
    secret = 1 << min(255, 5 * character)
    texts = {new_key("test", KEY, lambda _, made=made: made.to_bytes(32)).text for made in (0, secret)}  # type: ignore[misc]
    assert len(texts) == 2


def test_the_right_key_opens(house: House) -> None:
    """Who asks is the party of the credential, with its scopes."""
    house.party(PARTY)
    made = house.key(KEY, PARTY, Scope.PARTIES_READ | Scope.EVENTS_READ)
    principal = verify(made.text, house.credential(KEY), START + 1)
    assert (principal.key_id, principal.party) == (KEY, PARTY)
    assert principal.scopes == Scope.PARTIES_READ | Scope.EVENTS_READ


def test_a_wrong_key_opens_nothing(house: House) -> None:
    """Another secret, another environment, no credential, no key at all: the same refusal."""
    house.party(PARTY)
    made = house.key(KEY, PARTY)
    credential = house.credential(KEY)
    other = new_key("test", KEY, house.random.randbytes)
    for text in (other.text, made.text.replace("test", "live"), made.text[:-1], "", "fk_\ud800"):
        with pytest.raises(KeyInvalid):
            verify(text, credential, START + 1)
    with pytest.raises(KeyInvalid):
        verify(made.text, None, START + 1)
    with pytest.raises(KeyInvalid):
        verify(made.text, msgspec.structs.replace(credential, status=0), START + 1)


@pytest.mark.parametrize("text", ["", "fk_live_0_0", "fk_prod_" + 26 * "0" + "_" + 52 * "0", "Bearer x"])
def test_what_is_no_key_has_no_id(text: str) -> None:
    """It is refused before anything is looked up."""
    with pytest.raises(KeyInvalid):
        key_id_of(text)
    with pytest.raises(KeyInvalid):
        key_id_of("fk_live_8" + 25 * "0" + "_" + 52 * "0")


def test_both_secrets_open_during_the_overlap(house: House) -> None:
    """The old one until its end and not a nanosecond longer, the new one from the start."""
    house.party(PARTY)
    old = house.key(KEY, PARTY)
    new = new_key("test", KEY, house.random.randbytes)
    rotate = RotateKey(subject=KEY, hash_first=new.hash_first, hash_last=new.hash_last, overlap_seconds=60)
    until = house.done("credential", rotate)["previous_until"]
    credential = house.credential(KEY)
    for made in (old, new):
        assert verify(made.text, credential, until - 1).party == PARTY
    with pytest.raises(KeyInvalid):
        verify(old.text, credential, until)
    assert verify(new.text, credential, until + DAY).party == PARTY


def test_expired_and_revoked_keys_open_nothing(house: House) -> None:
    """Only who knows the secret is told that its time is over."""
    house.party(PARTY)
    made = house.key(KEY, PARTY, expires=START + DAY)
    credential = house.credential(KEY)
    assert verify(made.text, credential, START + DAY - SECOND).party == PARTY
    with pytest.raises(KeyExpired):
        verify(made.text, credential, START + DAY)
    with pytest.raises(KeyInvalid):
        verify(made.text + "0", credential, START + DAY)
    house.done("credential", RevokeKey(subject=KEY))
    with pytest.raises(KeyInvalid):
        verify(made.text, house.credential(KEY), START + 1)


def test_scopes_have_names() -> None:
    """Every set of scopes comes back from its names; a name that there is not is refused."""
    assert scope_names(Scope.PARTIES_READ | Scope.CLOCK_WRITE) == ("parties:read", "clock:write")
    assert scopes_of(["clock:write", "parties:read"]) == Scope.PARTIES_READ | Scope.CLOCK_WRITE
    assert scopes_of(scope_names(sum(Scope))) == sum(Scope)
    assert scopes_of([]) == 0
    with pytest.raises(UnknownScope):
        scopes_of(["parties:delete"])
