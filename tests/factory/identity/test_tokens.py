"""End users' tokens: bound to one party, minutes long, under a secret that only the house has."""

from __future__ import annotations

import base64
import string
import threading
from pathlib import Path
from random import Random

import msgspec
import pytest

from formicary.base.limits import TOKEN_SECONDS_MAX
from formicary.base.scopes import Scope
from formicary.factory.identity import tokens
from formicary.factory.identity.tokens import (
    TokenExpired,
    TokenInvalid,
    TokenTooLong,
    issue,
    token_secret,
    verify,
)

SECRET = bytes(range(32))
NOW = 1_700_000_000 * 10**9
PARTY, KEY = 2**127 + 1, 2**126 + 1
SCOPES = Scope.PARTIES_READ | Scope.ACCOUNTS_READ


def token(seconds: int = 60) -> str:
    """Return a token of the party."""
    return issue(SECRET, party=PARTY, scopes=SCOPES, key_id=KEY, now=NOW, seconds=seconds)


def signed(payload: bytes, secret: bytes = SECRET) -> str:
    """Return any payload with a signature that is right."""
    return f"ut_{tokens._text(payload)}.{tokens._text(tokens._sign(secret, payload))}"


def test_a_token_says_who_and_what() -> None:
    """It is read back as it was issued, and it needs no more than an address may hold."""
    said = verify(SECRET, token(), NOW)
    assert (said.party, said.key_id, said.scopes) == (f"{PARTY:032x}", f"{KEY:032x}", SCOPES)
    assert (said.issued, said.expires) == (NOW, NOW + 60 * 10**9)
    assert len(token(TOKEN_SECONDS_MAX)) < 300


def test_a_token_ends() -> None:
    """It is good to the last nanosecond and not before it was issued."""
    assert verify(SECRET, token(), NOW + 60 * 10**9 - 1).issued == NOW
    for now in (NOW - 1, NOW + 60 * 10**9):
        with pytest.raises(TokenExpired):
            verify(SECRET, token(), now)


@pytest.mark.parametrize("seconds", [-1, 0, TOKEN_SECONDS_MAX + 1])
def test_a_token_lives_minutes(seconds: int) -> None:
    """Nobody gets one that outlives its loss."""
    with pytest.raises(TokenTooLong):
        token(seconds)


def test_another_secret_opens_nothing() -> None:
    """A house that changes its secret ends every token."""
    with pytest.raises(TokenInvalid):
        verify(bytes(32), token(), NOW)


def test_every_changed_bit_is_seen() -> None:
    """No byte of payload or signature can be changed, nor one left out."""
    payload, signature = (base64.urlsafe_b64decode(f"{part}==") for part in token()[3:].split("."))
    for part in (0, 1):
        for i in range(len((payload, signature)[part])):
            changed = [bytearray(payload), bytearray(signature)]
            changed[part][i] ^= 1
            with pytest.raises(TokenInvalid):
                verify(SECRET, "ut_" + ".".join(tokens._text(bytes(one)) for one in changed), NOW)
    with pytest.raises(TokenInvalid):
        verify(SECRET, "ut_" + tokens._text(payload) + "." + tokens._text(signature[:-1]), NOW)


def test_only_one_text_is_the_token() -> None:
    """The last character has bits that say nothing; with others in them it is another text, and no token."""
    text = token()
    for character in set(string.ascii_letters + string.digits + "-_") - {text[-1]}:
        with pytest.raises(TokenInvalid):
            verify(SECRET, text[:-1] + character, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ut_",
        "ut_.",
        "ut_a.b",
        "ut_a=.b=",
        "ut_ab cd.abcd",
        token()[3:],
        "UT_" + token()[3:],
        token().replace(".", ""),
        token() + "\N{KELVIN SIGN}",
        token() + "." + 2_000 * "A",
        signed(b""),
        signed(b"[]"),
        signed(b'{"party":"x"}'),
        signed(msgspec.json.encode({"party": 32 * "0", "scopes": 2**40, "issued": 0, "expires": 2**62})),
        signed(b"x", secret=bytes(32)),
    ],
)
def test_what_is_no_token_is_invalid(text: str) -> None:
    """Whatever is sent ends in the same refusal, also what was signed once and means nothing now."""
    with pytest.raises(TokenInvalid):
        verify(SECRET, text, NOW)


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    """It is there for its owner alone, and the same ever after."""
    path = tmp_path / "home" / "tokens.secret"
    secret = token_secret(path, Random(1).randbytes)
    assert len(secret) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert token_secret(path, Random(2).randbytes) == secret
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_processes_that_start_together_have_one_secret(tmp_path: Path) -> None:
    """Whoever comes second takes the first one's, though both saw that there was none."""
    path = tmp_path / "tokens.secret"
    together = threading.Barrier(4)
    found: list[bytes] = []

    def start(number: int) -> None:
        def random(count: int) -> bytes:
            together.wait()
            return Random(number).randbytes(count)

        found.append(token_secret(path, random))

    threads = [threading.Thread(target=start, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert set(found) == {path.read_bytes()}
