"""``/v1/approvals``: manual entries and limits, proposed by one key of the house and approved by another."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import Field

from formicary.base.currencies import currency
from formicary.base.limits import ENTRY_LINES_MAX
from formicary.base.public_ids import Prefix, encode
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
from formicary.surfaces.api.routes.shared import (
    Asked,
    Body,
    Caller,
    Document,
    Id,
    currency_code,
    read_id,
    read_path_id,
)
from formicary.surfaces.api.values import time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/approvals", tags=["approvals"])

_COUNT_MAX: Final = 2**32 - 1


class LineBody(Body):
    """One transfer of a manual entry: ``amount`` minor units of a currency, by its ISO 4217 code."""

    debit_account: str
    credit_account: str
    amount: Annotated[int, Field(ge=1, le=AMOUNT_MAX)]
    currency: str


class EntryBody(Body):
    """A manual entry: all of its transfers are made, or none."""

    lines: Annotated[list[LineBody], Field(min_length=1, max_length=ENTRY_LINES_MAX)]


class LimitsBody(Body):
    """What a party may pay a day, in minor units and in payments; 0 is no limit."""

    party: str
    daily_amount_max: Annotated[int, Field(ge=0, le=AMOUNT_MAX)]
    daily_count_max: Annotated[int, Field(ge=0, le=_COUNT_MAX)]


class LineDocument(Document):
    """One transfer of a manual entry."""

    debit_account: str
    credit_account: str
    amount: int
    currency: str


class ApprovalDocument(Document):
    """A proposal: an entry has lines, limits have a party; ``decided_by`` is the key that ended it."""

    id: str
    kind: str
    status: str
    proposed_by: str
    decided_by: str | None
    expires_at: str
    lines: list[LineDocument]
    party: str | None
    daily_amount_max: int | None
    daily_count_max: int | None


@router.post("/entries", status_code=HTTPStatus.CREATED)
async def propose_entry(body: EntryBody, asked: Asked) -> ApprovalDocument:
    """Ask for transfers by hand."""
    subject, by = _new(asked)
    lines = tuple(_line(line, f"lines.{i}") for i, line in enumerate(body.lines))
    return await _done(asked, ProposeEntry(subject=subject, by=by, lines=lines))


@router.post("/limits", status_code=HTTPStatus.CREATED)
async def propose_limits(body: LimitsBody, asked: Asked) -> ApprovalDocument:
    """Ask for other limits of a party."""
    subject, by = _new(asked)
    command = ProposeLimits(
        subject=subject,
        by=by,
        party=f"{read_id(Prefix.PARTY, body.party, param='party'):032x}",
        daily_amount_max=body.daily_amount_max,
        daily_count_max=body.daily_count_max,
    )
    return await _done(asked, command)


@router.get("/{approval_id}")
async def get_approval(approval_id: Id, asked: Asked) -> ApprovalDocument:
    """Show a proposal."""
    asked.key_of_the_house(Scope.APPROVALS_WRITE)
    return await _shown(asked, read_path_id(Prefix.APPROVAL, approval_id))


@router.post("/{approval_id}/approve")
async def approve(approval_id: Id, asked: Asked) -> ApprovalDocument:
    """Do what was proposed; never with the key that proposed it."""
    by = asked.key_of_the_house(Scope.APPROVALS_WRITE)
    subject = read_path_id(Prefix.APPROVAL, approval_id)
    await _shown(asked, subject)
    return await _done(asked, Approve(subject=subject, by=by))


@router.post("/{approval_id}/reject")
async def reject(approval_id: Id, asked: Asked) -> ApprovalDocument:
    """Do not do what was proposed; whoever proposed it may withdraw it so."""
    by = asked.key_of_the_house(Scope.APPROVALS_WRITE)
    subject = read_path_id(Prefix.APPROVAL, approval_id)
    await _shown(asked, subject)
    return await _done(asked, Reject(subject=subject, by=by))


def _new(asked: Caller) -> tuple[int, str]:
    """Return the id of a new proposal, and of the key that makes it."""
    by = asked.key_of_the_house(Scope.APPROVALS_WRITE)
    return derive_id(command_id_of(asked.principal.name, asked.key), 0), by


def _line(line: LineBody, param: str) -> EntryLine:
    return EntryLine(
        debit=f"{read_id(Prefix.ACCOUNT, line.debit_account, param=f'{param}.debit_account'):032x}",
        credit=f"{read_id(Prefix.ACCOUNT, line.credit_account, param=f'{param}.credit_account'):032x}",
        amount=line.amount,
        ledger=currency(line.currency).number,
        code=TransferCode.ADJUSTMENT,
    )


async def _done(asked: Caller, command: Command) -> ApprovalDocument:
    await asked.services.command(APPROVAL_PRODUCT.name, command, principal=asked.principal, key=asked.key)
    return await _shown(asked, command.subject)


async def _shown(asked: Caller, subject: int) -> ApprovalDocument:
    return _document(subject, await asked.services.aggregate(APPROVAL_PRODUCT.name, subject))


def _document(subject: int, fields: dict[str, Any]) -> ApprovalDocument:
    is_about_limits = fields["kind"] == ApprovalKind.LIMITS
    decided_by = int(fields["decided_by"], 16)
    return ApprovalDocument(
        id=encode(Prefix.APPROVAL, subject),
        kind=ApprovalKind(fields["kind"]).name.lower(),
        status=ApprovalStatus(fields["status"]).name.lower(),
        proposed_by=encode(Prefix.KEY, int(fields["proposed_by"], 16)),
        decided_by=encode(Prefix.KEY, decided_by) if decided_by else None,
        expires_at=time_text(fields["due"]),
        lines=[
            LineDocument(
                debit_account=encode(Prefix.ACCOUNT, int(fields["debits"][i], 16)),
                credit_account=encode(Prefix.ACCOUNT, int(fields["credits"][i], 16)),
                amount=fields["amounts"][i],
                currency=currency_code(fields["ledgers"][i]),
            )
            for i in range(fields["lines"])
        ],
        party=encode(Prefix.PARTY, int(fields["party"], 16)) if is_about_limits else None,
        daily_amount_max=fields["daily_amount_max"] if is_about_limits else None,
        daily_count_max=fields["daily_count_max"] if is_about_limits else None,
    )
