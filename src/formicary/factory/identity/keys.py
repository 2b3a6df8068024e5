"""The text of an API key: made once, shown once, and compared with a stored hash ever after.

``fk_live_<id of the key, 26>_<secret, 52>``: the id finds the credential without a search, the secret is 256
random bits in Crockford's base 32. What is stored is the SHA-256 of the whole text, so that neither the id
nor the environment can be exchanged. A slow hash would add nothing: nobody guesses 256 bits.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from formicary.base.errors import Refusal
from formicary.base.ids import MalformedId
from formicary.base.public_ids import Prefix, base32, decode, encode
from formicary.base.scopes import Scope
from formicary.factory.identity._fields import NOBODY
from formicary.factory.identity.credential import CredentialStatus

__all__ = [
    "SECRET_BYTES",
    "Credential",
    "Environment",
    "KeyExpired",
    "KeyInvalid",
    "NewKey",
    "Principal",
    "key_id_of",
    "new_key",
    "verify",
]

Environment = Literal["live", "test"]

SECRET_BYTES: Final = 32
"""Random bytes in a key."""

_SECRET_CHARACTERS: Final = 52
_TEXT: Final = re.compile(r"fk_(?:live|test)_([0-9a-hjkmnp-tv-z]{26})_[0-9a-hjkmnp-tv-z]{52}", re.ASCII)


class KeyInvalid(Refusal):
    """No credential opens with this key: malformed, unknown, revoked or wrong, which all look the same."""

    code = "key_invalid"


class KeyExpired(Refusal):
    """The key was right and its time is over."""

    code = "key_expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was just made.

    ``text`` is shown to its owner once and stored nowhere; the halves of its hash go into ``IssueKey`` or
    ``RotateKey``.
    """

    text: str
    hash_first: str
    hash_last: str

    def __repr__(self) -> str:
        # A key that reaches a log is a key that was given away.
        return f"NewKey(hash_first={self.hash_first!r})"


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A credential as a look at aggregates gives it; see ``CREDENTIAL`` for the fields."""

    id: str
    party: str
    status: int
    scopes: int
    expires: int
    hash_first: str
    hash_last: str
    previous_first: str = NOBODY
    previous_last: str = NOBODY
    previous_until: int = 0

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Credential:
        """Return the credential whose fields were looked up."""
        return msgspec.convert(dict(fields), cls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks: the key's id, its party, and what it may do."""

    key_id: int
    party: int
    scopes: Scope


def new_key(environment: Environment, key_id: int, random: Callable[[int], bytes]) -> NewKey:
    """Make the text of a new key, or the next text of one that is rotated.

    Parameters
    ----------
    environment
        Shows in the text, for people and for scanners of leaked secrets.
    key_id
        The credential's 128-bit id.
    random
        Gives as many random bytes as it is asked for, from the operating system in production.
    """
    secret = base32(int.from_bytes(random(SECRET_BYTES)), characters=_SECRET_CHARACTERS)
    body = encode(Prefix.KEY, key_id).removeprefix(f"{Prefix.KEY}_")
    text = f"fk_{environment}_{body}_{secret}"
    digest = _hash(text)
    return NewKey(text=text, hash_first=digest[:32], hash_last=digest[32:])


def key_id_of(text: str) -> int:
    """Return the id of the credential that a key says it is.

    Raises
    ------
    KeyInvalid
        The text has not the form of a key.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise KeyInvalid
    try:
        return decode(Prefix.KEY, f"{Prefix.KEY}_{match[1]}")
    except MalformedId as error:
        raise KeyInvalid from error


def verify(text: str, credential: Credential | None, now: int) -> Principal:
    """Return who a key belongs to, in a time that says nothing about how much of it was right.

    Parameters
    ----------
    text
        The key as it was presented.
    credential
        Found by ``key_id_of(text)``; None if there is none.
    now
        Nanoseconds since the Unix epoch.

    Raises
    ------
    KeyInvalid, KeyExpired
        It opens nothing.
    """
    digest = _hash(text)
    known = _NOTHING if credential is None else credential
    is_current = hmac.compare_digest(digest, known.hash_first + known.hash_last)
    is_previous = hmac.compare_digest(digest, known.previous_first + known.previous_last)
    is_right = is_current or (is_previous and now < known.previous_until)
    if not is_right or known.status != CredentialStatus.ACTIVE:
        raise KeyInvalid
    if known.expires and known.expires <= now:
        raise KeyExpired
    return Principal(key_id=int(known.id, 16), party=int(known.party, 16), scopes=Scope(known.scopes))


def _hash(text: str) -> str:
    # Whatever was sent is answered: text from outside may hold halves of characters.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# Compared with where there is no credential, so that this takes as long. No text is known to hash to it.
_NOTHING: Final = Credential(
    id=NOBODY, party=NOBODY, status=0, scopes=0, expires=0, hash_first=NOBODY, hash_last=NOBODY
)
