"""``/v1/transfers/search``: transfers by what they are: conditions that all hold, of which one holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from formicary.base.arrays import joined
from formicary.base.limits import (
    API_PAGE_ITEMS,
    API_PAGE_ITEMS_MAX,
    API_SEARCH_CONDITIONS_MAX,
    API_SEARCH_ROWS_MAX,
    QUERY_LIMIT_MAX,
)
from formicary.base.public_ids import Prefix
from formicary.base.scopes import Scope
from formicary.factory.history import History
from formicary.factory.ledger import AMOUNT_MAX, TRANSFER, AccountFilter, QueryFilter
from formicary.products.payments.postings import TransferCode
from formicary.surfaces.api.problems import MalformedField
from formicary.surfaces.api.routes.accounts import own_account
from formicary.surfaces.api.routes.shared import Asked, Body, Document, read_cursor, read_id
from formicary.surfaces.api.routes.transfer_documents import TransferDocument, transfer_documents
from formicary.surfaces.api.values import read_time, reference_hash

__all__ = ["router"]

_KINDS: Final = "one of " + ", ".join(code.name.lower() for code in TransferCode)

router: Final = APIRouter(prefix="/v1/transfers", tags=["transfers"])

Amount = Annotated[int | None, Field(default=None, ge=0, le=AMOUNT_MAX)]
Conditions = Annotated[list["Condition"], Field(default_factory=list, max_length=API_SEARCH_CONDITIONS_MAX)]


class Condition(Body):
    """What a transfer is like: everything that is given holds; amounts in minor units."""

    amount_min: Amount = None
    amount_max: Amount = None
    kind: Annotated[str | None, Field(default=None, max_length=40)] = None
    reference: Annotated[str | None, Field(default=None, max_length=140)] = None
    tag: Annotated[int | None, Field(default=None, ge=0, le=2**32 - 1)] = None


class SearchBody(Body):
    """What is looked for: in one account (the house: in all), within a time, ``all`` and one of ``any``."""

    account: str | None = None
    since: Annotated[str | None, Field(default=None, max_length=40)] = None
    until: Annotated[str | None, Field(default=None, max_length=40)] = None
    all: Conditions
    any: Conditions
    limit: Annotated[int, Field(default=API_PAGE_ITEMS, ge=1, le=API_PAGE_ITEMS_MAX)] = API_PAGE_ITEMS
    cursor: Annotated[str | None, Field(default=None, max_length=20)] = None


class SearchPage(Document):
    """What was found, newest first; ``next`` goes on, also where this page found nothing; None at the end."""

    items: list[TransferDocument]
    next: str | None


@router.post("/search")
async def search_transfers(body: SearchBody, asked: Asked) -> SearchPage:
    """Look transfers up."""
    asked.principal.require(Scope.ACCOUNTS_READ)
    account = 0
    if body.account is not None:
        account = read_id(Prefix.ACCOUNT, body.account, param="account")
        await own_account(asked, account)
    else:
        asked.principal.require_house()
    before = read_cursor(body.cursor)
    until = read_time(body.until, param="until") if body.until else 0
    wanted = QueryFilter(
        timestamp_min=read_time(body.since, param="since") if body.since else 0,
        timestamp_max=min(filter(None, (before - 1, until)), default=0) if before else until,
        reversed=True,
    )
    conditions = [_Masked(condition) for condition in body.all]
    choices = [_Masked(condition) for condition in body.any]
    rows, last = await asked.services.backend.remember(
        lambda history: _found(
            history, account, wanted, conditions=conditions, choices=choices, limit=body.limit
        )
    )
    return SearchPage(items=transfer_documents(rows), next=None if last is None else str(last))


class _Masked:
    """A condition on columns of transfers."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._code = _code(condition.kind) if condition.kind is not None else None
        self._reference = reference_hash(condition.reference) if condition.reference else 0

    def mask(self, rows: Any) -> Any:
        """Tell of which rows (n,) it holds."""
        condition, mask = self._condition, np.ones(len(rows), bool)
        if condition.amount_min is not None:
            mask &= rows["amount"] >= condition.amount_min
        if condition.amount_max is not None:
            mask &= rows["amount"] <= condition.amount_max
        if self._code is not None:
            mask &= rows["code"] == self._code
        if condition.tag is not None:
            mask &= rows["user_data_32"] == condition.tag
        if self._reference:
            mask &= rows["user_data_128_high"] == np.uint64(self._reference >> 64)
            mask &= rows["user_data_128_low"] == np.uint64(self._reference & (2**64 - 1))
        return mask


def _code(kind: str) -> int:
    try:
        return TransferCode[kind.upper()]
    except KeyError as error:
        raise MalformedField(_KINDS, param="kind") from error


def _found(
    history: History,
    account: int,
    wanted: QueryFilter,
    *,
    conditions: list[_Masked],
    choices: list[_Masked],
    limit: int,
) -> tuple[Any, int | None]:
    """Return the newest rows that match, and the time to go on before; None at the end."""
    parts, count, looked_at, last = list[Any](), 0, 0, None
    while looked_at < API_SEARCH_ROWS_MAX:
        rows = _page(history, account, wanted)
        looked_at += len(rows)
        mask = np.ones(len(rows), bool)
        for condition in conditions:
            mask &= condition.mask(rows)
        if choices:
            mask &= np.logical_or.reduce([choice.mask(rows) for choice in choices])
        kept = rows[mask][: limit - count]
        parts.append(kept)
        count += len(kept)
        if count == limit:
            return joined(parts, TRANSFER), int(kept[-1]["timestamp"])
        if len(rows) < QUERY_LIMIT_MAX:
            return joined(parts, TRANSFER), None
        last = int(rows[-1]["timestamp"])
        wanted = replace(wanted, timestamp_max=last - 1)
    return joined(parts, TRANSFER), last


def _page(history: History, account: int, wanted: QueryFilter) -> Any:
    if not account:
        return history.query_transfers(wanted)
    return history.get_account_transfers(
        AccountFilter(
            account_id=account,
            timestamp_min=wanted.timestamp_min,
            timestamp_max=wanted.timestamp_max,
            reversed=True,
        )
    )
