"""``/v1/appeals``: a party has a person look at what was decided about its payment."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, Literal

import numpy as np
from fastapi import APIRouter

from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.appeals import (
    NAME,
    AppealStatus,
    DecideAppeal,
    NothingToAppeal,
    OpenAppeal,
    Verdict,
)
from formicary.factory.ledger import CreateTransferStatus
from formicary.products.payments.postings import PAYMENT_CODES
from formicary.surfaces.api.problems import NotFound
from formicary.surfaces.api.routes.accounts import owner_of
from formicary.surfaces.api.routes.shared import (
    DEFAULT_LIMIT,
    Asked,
    Body,
    Caller,
    Cursor,
    Document,
    Id,
    Limit,
    read_cursor,
    read_id,
    read_path_id,
)
from formicary.surfaces.api.values import time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/appeals", tags=["appeals"])


class AppealBody(Body):
    """Which payment was held or declined."""

    payment: str


class VerdictBody(Body):
    """Whether the decision was right."""

    verdict: Literal["upheld", "overturned"]


class AppealDocument(Document):
    """An appeal, with what was decided and why; ``decided_by`` is the key that said whether it was right."""

    id: str
    payment: str
    party: str
    status: str
    outcome: str
    reasons: tuple[str, ...]
    opened_at: str
    decided_by: str | None
    decided_at: str | None


class AppealPage(Document):
    """Appeals; ``next`` is the cursor of the page after, None at the end."""

    items: list[AppealDocument]
    next: str | None


@router.post("", status_code=HTTPStatus.CREATED)
async def open_appeal(body: AppealBody, asked: Asked) -> AppealDocument:
    """Have a person look at the decision that held or declined a payment; for its payer, once."""
    asked.principal.require(Scope.PAYMENTS_WRITE)
    payment = read_id(Prefix.PAYMENT, body.payment, param="payment")
    rows, told = await asked.services.payment_outcomes.recorded([payment])
    row: Any = rows.get(payment)
    payer = await _payer(asked, row)
    if payment not in told or int(row["status"]) == CreateTransferStatus.STEP_UP_REQUIRED:
        raise NothingToAppeal
    # A decision stands just before what it is about.
    command = OpenAppeal(subject=payment, decision=int(row["position"]) - 1, party=f"{payer:032x}")
    await asked.services.command(NAME, command, principal=asked.principal, key=asked.key)
    return await _shown(asked, payment)


@router.get("")
async def list_appeals(
    asked: Asked,
    *,
    status: Literal["open", "upheld", "overturned"] = "open",
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> AppealPage:
    """Show the appeals of a status, the oldest first; for the house's keys only."""
    asked.key_of_the_house(Scope.DECISIONS_WRITE)
    wanted = AppealStatus[status.upper()]
    found = await asked.services.backend.find_aggregates(
        NAME, "status", int(wanted), after=read_cursor(cursor), limit=limit
    )
    items = await _documents(asked, found.items)
    return AppealPage(items=items, next=None if found.next is None else str(found.next))


@router.get("/{appeal_id}")
async def get_appeal(appeal_id: Id, asked: Asked) -> AppealDocument:
    """Show an appeal to whoever made it."""
    asked.principal.require(Scope.ACCOUNTS_READ)
    return await _shown(asked, read_path_id(Prefix.APPEAL, appeal_id))


@router.post("/{appeal_id}/verdict")
async def decide_appeal(appeal_id: Id, body: VerdictBody, asked: Asked) -> AppealDocument:
    """Say whether the decision was right; for the house's keys only."""
    by = asked.key_of_the_house(Scope.DECISIONS_WRITE)
    subject = read_path_id(Prefix.APPEAL, appeal_id)
    await _shown(asked, subject)
    command = DecideAppeal(subject=subject, verdict=Verdict(body.verdict), by=by)
    await asked.services.command(NAME, command, principal=asked.principal, key=asked.key)
    return await _shown(asked, subject)


async def _payer(asked: Caller, row: Any) -> int:
    """Return the payer of a payment that was asked for, of what is recorded of it, if anything is.

    Raises
    ------
    NotFound
        It is no payment, or the caller does not act for its payer.
    """
    if row is None or int(row["code"]) not in PAYMENT_CODES:
        raise NotFound
    account = int(row["debit_account_id_high"]) << 64 | int(row["debit_account_id_low"])
    accounts = await asked.services.backend.lookup_accounts([account])
    if not len(accounts) or not asked.principal.acts_for(owner_of(accounts[0])):
        raise NotFound
    return owner_of(accounts[0])


async def _shown(asked: Caller, subject: int) -> AppealDocument:
    fields = await asked.services.aggregate(NAME, subject)
    if not asked.principal.acts_for(int(fields["party"], 16)):
        raise NotFound
    (document,) = await _documents(asked, [fields])
    return document


async def _documents(asked: Caller, appeals: Sequence[dict[str, Any]]) -> list[AppealDocument]:
    """Return appeals as callers see them, with what was decided."""
    positions = np.array([fields["decision"] for fields in appeals], np.int64)
    decisions = await asked.services.backend.remember(lambda history: history.decisions_at(positions))
    told = await asked.services.decisions.told(decisions)
    return [_document(fields, *what) for fields, what in zip(appeals, told, strict=True)]


def _document(fields: dict[str, Any], outcome: str, reasons: tuple[str, ...]) -> AppealDocument:
    subject, is_open = int(fields["id"], 16), fields["status"] == AppealStatus.OPEN
    return AppealDocument(
        id=encode(Prefix.APPEAL, subject),
        payment=encode(Prefix.PAYMENT, subject),
        party=encode(Prefix.PARTY, int(fields["party"], 16)),
        status=AppealStatus(fields["status"]).name.lower(),
        outcome=outcome,
        reasons=reasons,
        opened_at=time_text(fields["opened"]),
        decided_by=None if is_open else encode(Prefix.KEY, int(fields["by"], 16)),
        decided_at=None if is_open else time_text(fields["timestamp"]),
    )
