"""``/v1/loans``: an offer is accepted, drawn and paid back; what is owed, what is to come, what moved."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from formicary.base.public_ids import Prefix
from formicary.base.scopes import Scope
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import command_id_of, derive_id
from formicary.factory.history import History
from formicary.factory.ledger import TRANSFER, AccountFilter
from formicary.products.lending.limits import EFFECTIVE_RATE_MAX
from formicary.products.lending.product import LOANS
from formicary.products.lending.servicing import schemas as commands
from formicary.products.lending.servicing.offers import OFFERS
from formicary.products.payments.postings import account_id
from formicary.surfaces.api.routes.loan_documents import (
    EntryDocument,
    LoanDocument,
    ScheduleDocument,
    entry_documents,
    loan_document,
    schedule_document,
)
from formicary.surfaces.api.routes.loan_terms import Amount
from formicary.surfaces.api.routes.shared import (
    DEFAULT_LIMIT,
    Asked,
    Body,
    Caller,
    Cursor,
    Document,
    Id,
    Limit,
    Whose,
    of_party,
    read_cursor,
    read_id,
    read_path_id,
)

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/loans", tags=["lending"])


class AcceptBody(Body):
    """What is taken of an offer: ``amount`` minor units, all that an instalment loan lends or a line's limit.

    ``effective_rate`` is what the party was shown for that amount, in millionths a year. ``collected`` says
    that what falls due may be taken from the wallet; it is the party's in the offer's currency unless given.
    """

    offer: str
    amount: Amount
    effective_rate: Annotated[int, Field(ge=0, le=EFFECTIVE_RATE_MAX)]
    collected: bool
    wallet: str | None = None


class AmountBody(Body):
    """How much, in minor units of the loan's currency."""

    amount: Amount


class RefinanceBody(Body):
    """Which loan is paid off."""

    loan: str


class CollectionBody(Body):
    """Whether what falls due may be taken from the wallet."""

    on: bool


class RiskBody(Body):
    """The chance of default within 12 months now, in millionths; or that it is in default already."""

    default: Annotated[int, Field(ge=1, le=1_000_000)]
    impaired: bool = False


class LoanPage(Document):
    """Loans; ``next`` is the cursor of the page after, None at the end."""

    items: list[LoanDocument]
    next: str | None


class EntryPage(Document):
    """What moved, the newest first; ``next`` is the cursor of the page after, None at the end."""

    items: list[EntryDocument]
    next: str | None


@router.post("", status_code=HTTPStatus.CREATED)
async def accept_offer(body: AcceptBody, asked: Asked) -> LoanDocument:
    """Take an offer, at the effective rate that was shown; nothing is drawn yet."""
    asked.principal.require(Scope.LOANS_WRITE)
    number = read_id(Prefix.OFFER, body.offer, param="offer")
    offer = await asked.services.aggregate(OFFERS.name, number)
    party = int(offer["party"], 16)
    asked.principal.require_party(party)
    wallet = account_id(party, offer["currency"])
    if body.wallet is not None:
        wallet = read_id(Prefix.ACCOUNT, body.wallet, param="wallet")
    command = commands.AcceptOffer(
        subject=derive_id(command_id_of(asked.principal.name, asked.key), 0),
        offer=f"{number:032x}",
        party=offer["party"],
        wallet=f"{wallet:032x}",
        amount=body.amount,
        effective_rate=body.effective_rate,
        is_collected=body.collected,
    )
    return await _done(asked, command)


@router.get("")
async def list_loans(
    party: Whose, asked: Asked, *, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> LoanPage:
    """Show a party's loans, the oldest first."""
    asked.principal.require(Scope.LOANS_READ)
    identifier = read_id(Prefix.PARTY, party, param="party")
    asked.principal.require_party(identifier)
    found, after = await of_party(asked, LOANS.name, identifier, cursor, limit)
    return LoanPage(items=[_document(asked, one) for one in found], next=after)


@router.get("/{loan_id}")
async def get_loan(loan_id: Id, asked: Asked) -> LoanDocument:
    """Show a loan as it stands today."""
    return _document(asked, await _own(asked, loan_id, Scope.LOANS_READ))


@router.get("/{loan_id}/schedule")
async def get_loan_schedule(loan_id: Id, asked: Asked) -> ScheduleDocument:
    """Show what is still to fall due of a loan; before it is drawn, as if it were drawn today."""
    fields = await _own(asked, loan_id, Scope.LOANS_READ)
    return schedule_document(fields, asked.services.now())


@router.get("/{loan_id}/entries")
async def list_loan_entries(
    loan_id: Id, asked: Asked, *, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> EntryPage:
    """Show what moved on the ledger because of a loan, the newest first."""
    fields = await _own(asked, loan_id, Scope.LOANS_READ)
    loan, wallet, before = int(fields["id"], 16), int(fields["wallet"], 16), read_cursor(cursor)
    rows = await asked.services.backend.remember(
        lambda history: _entries(history, loan, wallet, before=before, limit=limit + 1)
    )
    shown = rows[:limit]
    after = str(int(shown[-1]["timestamp"])) if len(rows) > limit else None
    return EntryPage(items=entry_documents(shown), next=after)


@router.post("/{loan_id}/draw")
async def draw_loan(loan_id: Id, body: AmountBody, asked: Asked) -> LoanDocument:
    """Pay out into the wallet: any amount of a line, all of an instalment loan."""
    return await _act(asked, loan_id, lambda loan: commands.Draw(subject=loan, amount=body.amount))


@router.post("/{loan_id}/repay")
async def repay_loan(loan_id: Id, body: AmountBody, asked: Asked) -> LoanDocument:
    """Pay back from the wallet, at any time and for nothing; more than is owed is not taken."""
    return await _act(asked, loan_id, lambda loan: commands.Repay(subject=loan, amount=body.amount))


@router.post("/{loan_id}/refinance")
async def refinance_loan(loan_id: Id, body: RefinanceBody, asked: Asked) -> LoanDocument:
    """Draw an accepted instalment loan to pay off another one; what is left goes into the wallet."""
    other = read_id(Prefix.LOAN, body.loan, param="loan")
    return await _act(asked, loan_id, lambda loan: commands.RefinanceLoan(subject=loan, loan=f"{other:032x}"))


@router.post("/{loan_id}/collection")
async def switch_collection(loan_id: Id, body: CollectionBody, asked: Asked) -> LoanDocument:
    """Let what falls due be taken from the wallet, or no more."""
    kind = commands.AllowCollection if body.on else commands.RevokeCollection
    return await _act(asked, loan_id, lambda loan: kind(subject=loan))


@router.post("/{loan_id}/charge-off")
async def charge_off_loan(loan_id: Id, asked: Asked) -> LoanDocument:
    """Take the loss of a loan in arrears; for the house's keys only."""
    return await _house_act(asked, loan_id, lambda loan: commands.ChargeOff(subject=loan))


@router.post("/{loan_id}/recover")
async def recover_loan(loan_id: Id, body: AmountBody, asked: Asked) -> LoanDocument:
    """Take from the wallet what comes of a loan that was charged off; for the house's keys only."""
    return await _house_act(
        asked, loan_id, lambda loan: commands.RecordRecovery(subject=loan, amount=body.amount)
    )


@router.post("/{loan_id}/write-back")
async def write_back_loan(loan_id: Id, asked: Asked) -> LoanDocument:
    """Take a charge-off back: all of what is left of it is due; for the house's keys only."""
    return await _house_act(asked, loan_id, lambda loan: commands.WriteBack(subject=loan))


@router.post("/{loan_id}/risk")
async def assess_loan(loan_id: Id, body: RiskBody, asked: Asked) -> LoanDocument:
    """Say what the chance of default is now, which decides what is put aside; for the house's keys only."""
    return await _house_act(
        asked,
        loan_id,
        lambda loan: commands.AssessRisk(subject=loan, default=body.default, is_impaired=body.impaired),
    )


async def _own(asked: Caller, loan_id: str, scope: Scope) -> dict[str, Any]:
    """Return the fields of a loan that is there, and the caller's to see."""
    asked.principal.require(scope)
    fields = await asked.services.aggregate(LOANS.name, read_path_id(Prefix.LOAN, loan_id))
    asked.principal.require_party(int(fields["party"], 16))
    return fields


async def _act(asked: Caller, loan_id: str, command: Callable[[int], Command]) -> LoanDocument:
    fields = await _own(asked, loan_id, Scope.LOANS_WRITE)
    return await _done(asked, command(int(fields["id"], 16)))


async def _house_act(asked: Caller, loan_id: str, command: Callable[[int], Command]) -> LoanDocument:
    asked.principal.require(Scope.LOANS_WRITE)
    asked.principal.require_house()
    return await _act(asked, loan_id, command)


async def _done(asked: Caller, command: Command) -> LoanDocument:
    await asked.services.command(LOANS.name, command, principal=asked.principal, key=asked.key)
    return _document(asked, await asked.services.aggregate(LOANS.name, command.subject))


def _document(asked: Caller, fields: dict[str, Any]) -> LoanDocument:
    return loan_document(fields, asked.services.now(), is_house=asked.principal.is_house)


def _entries(history: History, loan: int, wallet: int, *, before: int, limit: int) -> Any:
    """Return the newest transfers of a loan before a time: of its own account, and of the wallet for it."""
    found = []
    for account, mark in ((loan, 0), (wallet, loan)):
        wanted = AccountFilter(
            account_id=account,
            user_data_128=mark,
            timestamp_max=before - 1 if before else 0,
            limit=limit,
            reversed=True,
        )
        found.append(history.get_account_transfers(wanted))
    rows = np.concatenate([np.zeros(0, TRANSFER), *found])
    # A stamp is that of one transfer, which may be on both accounts.
    _, first = np.unique(rows["timestamp"], return_index=True)
    return rows[first][::-1][:limit]
