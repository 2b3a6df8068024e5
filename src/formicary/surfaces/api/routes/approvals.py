"""``/v1/approvals``: what takes two persons: other limits of a party, and entries by hand."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import Field

from formicary.base.currencies import currency
from formicary.base.errors import Refusal
from formicary.base.limits import ENTRY_LINES_MAX
from formicary.base.public_ids import Prefix, decode, encode
from formicary.base.scopes import Scope
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import command_id_of, derive_id
from formicary.factory.identity.approval import APPROVAL_PRODUCT
from formicary.factory.identity.approval_messages import (
    ApprovalKind,
    ApprovalStatus,
    Approve,
    EntryLine,
    ProposeEntry,
    ProposeLimits,
    Reject,
)
from formicary.factory.ledger import AMOUNT_MAX
from formicary.products.payments.postings import TransferCode
from formicary.surfaces.api.problems import RefusedAs
from formicary.surfaces.api.routes.shared import Asked, Body, Caller, Document, Id, read_id, read_path_id
from formicary.surfaces.api.values import time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/approvals", tags=["approvals"])

Amount = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]


class LimitsBody(Body):
    """Other limits of a party, 0 for none: minor units a day, and payments a day."""

    party: str
    daily_amount_max: Amount
    daily_count_max: Annotated[int, Field(ge=0, le=2**32 - 1)]


class LineBody(Body):
    """One transfer of an entry by hand, in minor units."""

    debit_account: str
    credit_account: str
    amount: Annotated[int, Field(ge=1, le=AMOUNT_MAX)]
    currency: str


class EntryBody(Body):
    """An entry by hand: all of its lines happen or none."""

    lines: Annotated[list[LineBody], Field(min_length=1, max_length=ENTRY_LINES_MAX)]


class ApprovalDocument(Document):
    """A proposal, and what became of it."""

    id: str
    kind: str
    status: str
    proposed_by: str
    due: str


@router.post("/limits", status_code=HTTPStatus.CREATED)
async def propose_limits(body: LimitsBody, asked: Asked) -> ApprovalDocument:
    """Ask for other limits of a party; a second person's key approves."""
    party = read_id(Prefix.PARTY, body.party, param="party")
    return await _done(
        asked,
        ProposeLimits(
            subject=_new_id(asked),
            by=_by(asked),
            party=f"{party:032x}",
            daily_amount_max=body.daily_amount_max,
            daily_count_max=body.daily_count_max,
        ),
    )


@router.post("/entries", status_code=HTTPStatus.CREATED)
async def propose_entry(body: EntryBody, asked: Asked) -> ApprovalDocument:
    """Ask for transfers by hand; a second person's key approves, and only then they happen."""
    lines = tuple(_line(line, number) for number, line in enumerate(body.lines))
    return await _done(asked, ProposeEntry(subject=_new_id(asked), by=_by(asked), lines=lines))


@router.get("/{approval_id}")
async def get_approval(approval_id: Id, asked: Asked) -> ApprovalDocument:
    """Show a proposal."""
    _by(asked)
    return await _approval(asked, read_path_id(Prefix.APPROVAL, approval_id))


@router.post("/{approval_id}/approve")
async def approve(approval_id: Id, asked: Asked) -> ApprovalDocument:
    """Do what was proposed; never with a key of whoever proposed it."""
    return await _done(asked, Approve(subject=read_path_id(Prefix.APPROVAL, approval_id), by=_by(asked)))


@router.post("/{approval_id}/reject")
async def reject(approval_id: Id, asked: Asked) -> ApprovalDocument:
    """Do not do what was proposed."""
    return await _done(asked, Reject(subject=read_path_id(Prefix.APPROVAL, approval_id), by=_by(asked)))


def _by(asked: Caller) -> str:
    """Return the credential that asks, which must be one of the house with the scope."""
    asked.principal.require(Scope.APPROVALS_WRITE)
    asked.principal.require_house()
    return f"{decode(Prefix.KEY, asked.principal.name):032x}"


def _new_id(asked: Caller) -> int:
    return derive_id(command_id_of(asked.principal.name, asked.key), 0)


def _line(line: LineBody, number: int) -> EntryLine:
    try:
        ledger = currency(line.currency).number
    except Refusal as refusal:
        raise RefusedAs(refusal.code, param=f"lines.{number}.currency") from refusal
    debit = read_id(Prefix.ACCOUNT, line.debit_account, param=f"lines.{number}.debit_account")
    credit = read_id(Prefix.ACCOUNT, line.credit_account, param=f"lines.{number}.credit_account")
    return EntryLine(
        debit=f"{debit:032x}",
        credit=f"{credit:032x}",
        amount=line.amount,
        ledger=ledger,
        code=TransferCode.ADJUSTMENT,
    )


async def _done(asked: Caller, command: Command) -> ApprovalDocument:
    await asked.services.command(APPROVAL_PRODUCT.name, command, principal=asked.principal, key=asked.key)
    return await _approval(asked, command.subject)


async def _approval(asked: Caller, subject: int) -> ApprovalDocument:
    return _document(subject, await asked.services.aggregate(APPROVAL_PRODUCT.name, subject))


def _document(subject: int, fields: dict[str, Any]) -> ApprovalDocument:
    return ApprovalDocument(
        id=encode(Prefix.APPROVAL, subject),
        kind=ApprovalKind(fields["kind"]).name.lower(),
        status=ApprovalStatus(fields["status"]).name.lower(),
        proposed_by=encode(Prefix.KEY, int(fields["proposed_by"], 16)),
        due=time_text(fields["due"]),
    )
