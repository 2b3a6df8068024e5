"""What the routes' bodies, parameters and answers have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final, cast

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict

from formicary.base.currencies import currency, currency_of_ledger
from formicary.base.errors import Refusal
from formicary.base.limits import API_PAGE_ITEMS, API_PAGE_ITEMS_MAX
from formicary.base.public_ids import PUBLIC_ID_CHARACTERS, Prefix, decode
from formicary.base.scopes import Scope
from formicary.surfaces.api.auth import Principal
from formicary.surfaces.api.exchange import Exchange
from formicary.surfaces.api.problems import MalformedField, NotFound, RefusedAs, ScopeMissing
from formicary.surfaces.api.services import Services

__all__ = [
    "Asked",
    "Body",
    "Caller",
    "Cursor",
    "Document",
    "Id",
    "Limit",
    "Whose",
    "currency_code",
    "of_party",
    "read_currency",
    "read_cursor",
    "read_id",
    "read_path_id",
]

_CURSOR_CHARACTERS_MAX: Final = 20
_POSITION_MAX: Final = 2**63 - 1
_WORD: Final = 2**64 - 1
_CURSOR_FORM: Final = "a cursor is what `next` of the page before said"


class Body(BaseModel):
    """A body: fields that nobody knows are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Document(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)


class Caller:
    """Who asks, of what, and with which key."""

    def __init__(self, exchange: Exchange, principal: Principal, services: Services) -> None:
        self.exchange = exchange
        self.principal = principal
        self.services = services

    @property
    def key(self) -> str:
        """The header ``Idempotency-Key``, which must be there."""
        return self.exchange.idempotency_key()

    def key_of_the_house(self, scope: Scope) -> str:
        """Return the id of the API key that asks, 32 hexadecimal digits; it is of the house and has a scope.

        Raises
        ------
        ScopeMissing
            It is another party's or has not the scope, or no key asks but a token.
        """
        self.principal.require(scope)
        self.principal.require_house()
        if not self.principal.is_key:
            raise ScopeMissing
        return f"{decode(Prefix.KEY, self.principal.name):032x}"


def _caller(request: Request) -> Caller:
    return cast("Caller", request.scope["formicary.caller"])


Asked = Annotated[Caller, Depends(_caller)]
Id = Annotated[str, Path(max_length=64, description="A prefix, an underscore and 26 characters.")]
Whose = Annotated[str, Query(max_length=64, description="Id of the party.")]
Limit = Annotated[int, Query(ge=1, le=API_PAGE_ITEMS_MAX, description="Items on a page at most.")]
Cursor = Annotated[
    str | None,
    Query(max_length=_CURSOR_CHARACTERS_MAX, description="`next` of the page before."),
]
DEFAULT_LIMIT: Final = API_PAGE_ITEMS


def read_id(prefix: Prefix, text: str, *, param: str) -> int:
    """Return the id that a field names, or raise ``MalformedField``."""
    try:
        return decode(prefix, text)
    except Refusal as refusal:
        raise MalformedField(str(refusal), param=param) from refusal


def read_path_id(prefix: Prefix, text: str) -> int:
    """Return the id that a path names; one that is none names nothing."""
    try:
        return decode(prefix, text)
    except Refusal as refusal:
        raise NotFound from refusal


def read_cursor(cursor: str | None) -> int:
    """Return the number behind a cursor, 0 for the beginning."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and int(cursor) <= _POSITION_MAX):
        raise MalformedField(_CURSOR_FORM, param="cursor")
    return int(cursor)


def read_currency(code: str) -> int:
    """Return the number of a currency by its code; another one is refused as the field ``currency``."""
    try:
        return currency(code).number
    except Refusal as refusal:
        raise RefusedAs(refusal.code, param="currency") from refusal


def currency_code(ledger: int) -> str:
    """Return the code of a ledger's currency, or its number where it is none."""
    try:
        return currency_of_ledger(ledger).code
    except Refusal:
        return str(ledger)


def example_id(prefix: Prefix) -> dict[str, Any]:
    """Return the schema of an id, for the document."""
    return {"pattern": f"^{prefix}_[0-9a-hjkmnp-tv-z]{{{PUBLIC_ID_CHARACTERS}}}$"}


async def of_party(
    asked: Caller, product: str, party: int, cursor: str | None, limit: int
) -> tuple[Iterable[dict[str, Any]], str | None]:
    """Return the aggregates of a page that name a party, and the cursor of the page after."""
    page = await asked.services.backend.find_aggregates(
        product, "party_low", party & _WORD, after=read_cursor(cursor), limit=limit
    )
    # Found by half of the id; another party may have the same half.
    own = [one for one in page.items if one["party"] == f"{party:032x}"]
    return own, None if page.next is None else str(page.next)
