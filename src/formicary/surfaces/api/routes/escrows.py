"""``/v1/escrows``: a buyer's money waits until the goods are right, or goes back."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from pydantic import Field

from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.engine.requests import command_id_of, derive_id
from formicary.factory.ledger import AMOUNT_MAX
from formicary.products.payments.escrow import schemas as commands
from formicary.products.payments.escrow.table import Refund, Role, Timing, Trade
from formicary.products.payments.product import ESCROWS
from formicary.products.payments.terms import MERCHANT_FEE_POINTS
from formicary.surfaces.api.problems import NotFound
from formicary.surfaces.api.routes.shared import (
    Asked,
    Body,
    Caller,
    Document,
    Id,
    currency_code,
    read_currency,
    read_id,
    read_path_id,
)
from formicary.surfaces.api.values import time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/escrows", tags=["escrows"])

Amount = Annotated[int, Field(ge=1, le=AMOUNT_MAX)]
Side = Literal["buyer", "seller"]
_ROLES: Final = {"buyer": Role.BUYER, "seller": Role.SELLER}


class EscrowBody(Body):
    """A trade to agree on: ``amount`` minor units of ``currency``."""

    buyer: str
    seller: str
    amount: Amount
    currency: str


class ActBody(Body):
    """Who does it, where the house acts for a side; a party's own key or token needs no word."""

    acting_as: Side | None = None


class ClaimBody(ActBody):
    """What a buyer wants back, in minor units, and what is with the goods."""

    amount: Amount
    goods_received: bool = False
    goods_returned: bool = False


class RulingBody(Body):
    """How much of what is held the buyer gets, in minor units; the seller gets the rest."""

    amount_to_buyer: Annotated[int, Field(ge=0, le=AMOUNT_MAX)]


class EscrowDocument(Document):
    """An escrow: amounts in minor units, agreed, held now, paid to the seller with its fee, given back."""

    id: str
    buyer: str
    seller: str
    currency: str
    amount: int
    held: int
    released: int
    refunded: int
    state: str
    refund_state: str
    refund_amount: int
    timer: str | None
    timer_due: str | None
    changed_at: str


@router.post("", status_code=HTTPStatus.CREATED)
async def open_escrow(body: EscrowBody, asked: Asked) -> EscrowDocument:
    """Agree on a trade; nothing moves until the buyer pays."""
    asked.principal.require(Scope.ESCROWS_WRITE)
    buyer = read_id(Prefix.PARTY, body.buyer, param="buyer")
    seller = read_id(Prefix.PARTY, body.seller, param="seller")
    if not (asked.principal.acts_for(buyer) or asked.principal.acts_for(seller)):
        raise NotFound
    number = read_currency(body.currency)
    subject = derive_id(command_id_of(asked.principal.name, asked.key), 0)
    command = commands.OpenEscrow(
        subject=subject,
        buyer=buyer,
        seller=seller,
        currency=number,
        amount=body.amount,
        fee_points=MERCHANT_FEE_POINTS,
        by=Role.HOUSE,
    )
    await asked.services.command(ESCROWS.name, command, principal=asked.principal, key=asked.key)
    return await _escrow(asked, subject)


@router.get("/{escrow_id}")
async def get_escrow(escrow_id: Id, asked: Asked) -> EscrowDocument:
    """Show an escrow to its two sides."""
    asked.principal.require(Scope.ACCOUNTS_READ)
    return await _escrow(asked, read_path_id(Prefix.ESCROW, escrow_id))


@router.post("/{escrow_id}/pay")
async def pay_escrow(escrow_id: Id, asked: Asked, body: ActBody | None = None) -> EscrowDocument:
    """Move the amount from the buyer's wallet into escrow."""
    return await _act(asked, escrow_id, body, commands.PayEscrow)


@router.post("/{escrow_id}/ship")
async def ship_escrow(escrow_id: Id, asked: Asked, body: ActBody | None = None) -> EscrowDocument:
    """Say that the goods are on their way; ten days later the money is released."""
    return await _act(asked, escrow_id, body, commands.ShipEscrow)


@router.post("/{escrow_id}/confirm")
async def confirm_escrow(escrow_id: Id, asked: Asked, body: ActBody | None = None) -> EscrowDocument:
    """Say that the goods came and are right: the seller is paid."""
    return await _act(asked, escrow_id, body, commands.ConfirmEscrow)


@router.post("/{escrow_id}/extend")
async def extend_escrow(escrow_id: Id, asked: Asked, body: ActBody | None = None) -> EscrowDocument:
    """Put the automatic confirmation off, once."""
    return await _act(asked, escrow_id, body, commands.ExtendEscrow)


@router.post("/{escrow_id}/close")
async def close_escrow(escrow_id: Id, asked: Asked, body: ActBody | None = None) -> EscrowDocument:
    """Call the trade off before shipment; what the buyer paid goes back."""
    return await _act(asked, escrow_id, body, commands.CloseEscrow)


@router.post("/{escrow_id}/refund")
async def request_refund(escrow_id: Id, body: ClaimBody, asked: Asked) -> EscrowDocument:
    """Ask for all or a part of what is held."""
    return await _claim(asked, escrow_id, body, commands.RequestRefund)


@router.post("/{escrow_id}/refund/revise")
async def revise_refund(escrow_id: Id, body: ClaimBody, asked: Asked) -> EscrowDocument:
    """Ask for another refund after the seller refused."""
    return await _claim(asked, escrow_id, body, commands.ReviseRefund)


@router.post("/{escrow_id}/refund/agree")
async def agree_refund(escrow_id: Id, asked: Asked, body: ActBody | None = None) -> EscrowDocument:
    """Agree to the refund that was asked for."""
    return await _act(asked, escrow_id, body, commands.AgreeRefund)


@router.post("/{escrow_id}/refund/refuse")
async def refuse_refund(escrow_id: Id, asked: Asked, body: ActBody | None = None) -> EscrowDocument:
    """Refuse the refund, or the goods that came back."""
    return await _act(asked, escrow_id, body, commands.RefuseRefund)


@router.post("/{escrow_id}/refund/escalate")
async def escalate_refund(escrow_id: Id, asked: Asked, body: ActBody | None = None) -> EscrowDocument:
    """Ask the house to rule on a refused refund."""
    return await _act(asked, escrow_id, body, commands.EscalateRefund)


@router.post("/{escrow_id}/refund/ship")
async def ship_return(escrow_id: Id, asked: Asked, body: ActBody | None = None) -> EscrowDocument:
    """Say that the goods are on their way back."""
    return await _act(asked, escrow_id, body, commands.ShipReturn)


@router.post("/{escrow_id}/refund/confirm")
async def confirm_return(escrow_id: Id, asked: Asked, body: ActBody | None = None) -> EscrowDocument:
    """Say that the goods came back: the refund is paid."""
    return await _act(asked, escrow_id, body, commands.ConfirmReturn)


@router.post("/{escrow_id}/refund/cancel")
async def cancel_refund(escrow_id: Id, asked: Asked, body: ActBody | None = None) -> EscrowDocument:
    """Take the refund back; the trade goes on."""
    return await _act(asked, escrow_id, body, commands.CancelRefund)


@router.post("/{escrow_id}/refund/rule")
async def rule_refund(escrow_id: Id, body: RulingBody, asked: Asked) -> EscrowDocument:
    """Rule on an escalated refund; for the house's keys only."""
    asked.principal.require(Scope.ESCROWS_WRITE)
    asked.principal.require_house()
    subject = read_path_id(Prefix.ESCROW, escrow_id)
    command = commands.RuleRefund(subject=subject, amount=body.amount_to_buyer, by=Role.HOUSE)
    return await _done(asked, command)


async def _act(
    asked: Caller, escrow_id: str, body: ActBody | None, kind: type[commands.EscrowCommand]
) -> EscrowDocument:
    subject, by = await _side(asked, escrow_id, body)
    return await _done(asked, kind(subject=subject, by=by))


async def _claim(
    asked: Caller, escrow_id: str, body: ClaimBody, kind: type[commands.RefundClaim]
) -> EscrowDocument:
    subject, by = await _side(asked, escrow_id, body)
    command = kind(
        subject=subject,
        by=by,
        amount=body.amount,
        goods_received=body.goods_received,
        goods_returned=body.goods_returned,
    )
    return await _done(asked, command)


async def _side(asked: Caller, escrow_id: str, body: ActBody | None) -> tuple[int, Role]:
    """Return the escrow's id and as which side the caller acts; whoever is no side does not see it."""
    asked.principal.require(Scope.ESCROWS_WRITE)
    subject = read_path_id(Prefix.ESCROW, escrow_id)
    fields = await asked.services.aggregate(ESCROWS.name, subject)
    wanted = None if body is None else body.acting_as
    for side, role in _ROLES.items():
        may = asked.principal.party == int(fields[side], 16) or (asked.principal.is_house and wanted == side)
        if may and wanted in (None, side):
            return subject, role
    if asked.principal.is_house:
        return subject, Role.HOUSE
    raise NotFound


async def _done(asked: Caller, command: commands.EscrowCommand) -> EscrowDocument:
    await asked.services.command(ESCROWS.name, command, principal=asked.principal, key=asked.key)
    return await _escrow(asked, command.subject)


async def _escrow(asked: Caller, subject: int) -> EscrowDocument:
    fields = await asked.services.aggregate(ESCROWS.name, subject)
    sides = [int(fields[side], 16) for side in _ROLES]
    if not any(map(asked.principal.acts_for, sides)):
        raise NotFound
    return _document(subject, fields)


def _document(subject: int, fields: dict[str, Any]) -> EscrowDocument:
    timer = Timing(fields["timer"])
    return EscrowDocument(
        id=encode(Prefix.ESCROW, subject),
        buyer=encode(Prefix.PARTY, int(fields["buyer"], 16)),
        seller=encode(Prefix.PARTY, int(fields["seller"], 16)),
        currency=currency_code(fields["currency"]),
        state=Trade(fields["trade"]).name,
        refund_state=Refund(fields["refund"]).name,
        timer=None if timer is Timing.NONE else timer.name.lower(),
        timer_due=time_text(fields["due"]) if fields["due"] else None,
        changed_at=time_text(fields["timestamp"]),
        **{name: fields[name] for name in ("amount", "held", "released", "refunded", "refund_amount")},
    )
