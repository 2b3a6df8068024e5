"""``/v1/accounts/{account}/statement``: what was booked in a period, as CSV or ISO 20022 camt.053."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response

from formicary.base.currencies import Currency, currency_of_ledger
from formicary.base.public_ids import Prefix, base32, encode
from formicary.base.scopes import Scope
from formicary.factory.history import History, all_account_transfers
from formicary.factory.ledger import AccountFilter
from formicary.factory.ledger.statements import Statement, statement, write_camt053, write_csv
from formicary.surfaces.api.problems import MalformedField
from formicary.surfaces.api.routes.accounts import own_account
from formicary.surfaces.api.routes.shared import Asked, Id, read_path_id
from formicary.surfaces.api.values import read_time

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/accounts", tags=["accounts"])

Format = Annotated[Literal["csv", "camt.053"], Query(alias="format")]
Moment = Annotated[str, Query(max_length=40, description="RFC 3339.")]
_CHARACTERS: Final = 26
_ORDER: Final = "the period ends before it begins"


@router.get(
    "/{account}/statement",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}, "application/xml": {}}, "description": "The statement"}},
)
async def get_statement(
    account: Id, asked: Asked, *, since: Moment, until: Moment, form: Format = "csv"
) -> Response:
    """Write an account's statement of a period, both ends included."""
    asked.principal.require(Scope.ACCOUNTS_READ)
    identifier = read_path_id(Prefix.ACCOUNT, account)
    found = await own_account(asked, identifier)
    start, end = read_time(since, param="since"), read_time(until, param="until")
    if start > end:
        raise MalformedField(_ORDER, param="until")
    known = currency_of_ledger(int(found["ledger"]))
    shown = await asked.services.backend.remember(
        lambda history: _statement(history, identifier, known, start=start, end=end)
    )
    if form == "csv":
        return Response(write_csv(shown, id_text=_id_text(identifier)), media_type="text/csv; charset=utf-8")
    created = asked.services.now()
    body = write_camt053(
        shown, message=base32(created, characters=_CHARACTERS), created=created, id_text=_id_text(identifier)
    )
    return Response(body, media_type="application/xml")


def _statement(history: History, account: int, known: Currency, *, start: int, end: int) -> Statement:
    before = history.balance_as_of(account, start - 1) if start else None
    opening = 0 if before is None else int(before["credits_posted"]) - int(before["debits_posted"])
    wanted = AccountFilter(account_id=account, timestamp_min=start, timestamp_max=end)
    rows = all_account_transfers(history.get_account_transfers, wanted)
    return statement(account, rows, currency=known, start=start, end=end, opening=opening)


def _id_text(account: int) -> Callable[[int], str]:
    def text(value: int) -> str:
        # Only the account itself is known to be one; everything else is named by bare characters.
        name = encode(Prefix.ACCOUNT, account) if value == account else ""
        return name or base32(value, characters=_CHARACTERS)

    return text
