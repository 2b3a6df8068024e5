"""Tokens of end users: short-lived, bound to one party, checked without asking anybody.

``ut_<payload>.<signature>``, both in base 64 for addresses: the payload says who, what and until when, the
signature is its HMAC-SHA256 under the house's secret. No list of tokens is kept, so none can be taken back:
that is why they live minutes, and why a party's status is looked at beside the token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import msgspec

from formicary.base.errors import Refusal
from formicary.base.limits import TOKEN_CHARACTERS_MAX, TOKEN_SECONDS_MAX
from formicary.base.scopes import Scope
from formicary.factory.identity._fields import HexId

__all__ = [
    "TOKEN_SECRET_BYTES",
    "TokenExpired",
    "TokenInvalid",
    "TokenTooLong",
    "UserToken",
    "issue",
    "token_secret",
    "verify",
]

TOKEN_SECRET_BYTES: Final = 32
"""Bytes of the house's secret."""

_PREFIX: Final = "ut_"
_SECOND: Final = 10**9


class TokenExpired(Refusal):
    """The token was right and its time is over, or has not come."""

    code = "token_expired"


class TokenInvalid(Refusal):
    """The token is none that was issued here."""

    code = "token_invalid"


class TokenTooLong(Refusal):
    """A token lives at least a second and no longer than tokens may."""

    code = "token_too_long"


class UserToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says: one party, its scopes, when it begins and ends, and the key that asked for it.

    Ids are 32 hexadecimal digits, times nanoseconds.
    """

    party: HexId
    scopes: Annotated[int, msgspec.Meta(gt=0, le=sum(Scope))]
    issued: Annotated[int, msgspec.Meta(ge=0)]
    expires: Annotated[int, msgspec.Meta(ge=0)]
    key_id: HexId


_DECODER: Final = msgspec.json.Decoder(UserToken)


def issue(
    secret: bytes, *, party: int, scopes: Scope, key_id: int, now: int, seconds: int = TOKEN_SECONDS_MAX
) -> str:
    """Return the text of a new token.

    Parameters
    ----------
    secret
        The house's, see ``token_secret``.
    party, key_id
        Who it is for, and the credential that asked for it: the way in has checked that it may.
    now
        Nanoseconds since the Unix epoch.
    seconds
        How long it lives, 1 to ``TOKEN_SECONDS_MAX``.

    Raises
    ------
    TokenTooLong
        It is to live longer than tokens may, or not at all.
    """
    if not 0 < seconds <= TOKEN_SECONDS_MAX:
        raise TokenTooLong
    token = UserToken(
        party=f"{party:032x}",
        scopes=int(scopes),
        issued=now,
        expires=now + seconds * _SECOND,
        key_id=f"{key_id:032x}",
    )
    payload = msgspec.json.encode(token)
    return f"{_PREFIX}{_text(payload)}.{_text(_sign(secret, payload))}"


def verify(secret: bytes, text: str, now: int) -> UserToken:
    """Return what a token says.

    Raises
    ------
    TokenInvalid
        It was not issued under this secret.
    TokenExpired
        It was, and its time is over or, by a clock that went back, has not come.
    """
    payload, signature = _parts(text)
    if not hmac.compare_digest(_sign(secret, payload), signature):
        raise TokenInvalid
    try:
        token = _DECODER.decode(payload)
    except msgspec.MsgspecError as error:
        # Signed by us, and not what this release signs.
        raise TokenInvalid from error
    if not token.issued <= now < token.expires:
        raise TokenExpired
    return token


def token_secret(path: Path, random: Callable[[int], bytes]) -> bytes:
    """Return the house's secret from a file that only its owner may read; it is made the first time.

    Processes that come at the same time get the same secret. Another secret ends every token.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(random(TOKEN_SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # Appears whole or not at all, and never replaces one that somebody else has made meanwhile.
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        Path(made).unlink()
    return path.read_bytes()


def _sign(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, payload, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _parts(text: str) -> tuple[bytes, bytes]:
    payload, dot, signature = text.removeprefix(_PREFIX).partition(".")
    if not (text.startswith(_PREFIX) and dot and text.isascii() and len(text) <= TOKEN_CHARACTERS_MAX):
        raise TokenInvalid
    try:
        return _bytes(payload), _bytes(signature)
    except binascii.Error as error:
        raise TokenInvalid from error


def _bytes(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    data = base64.b64decode(padded, altchars=b"-_", validate=True)
    # The last character has bits to spare: only one of the texts that read alike is the token.
    if _text(data) != text:
        raise TokenInvalid
    return data
