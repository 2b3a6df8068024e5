"""``/v1/rail-orders``: money from a bank and to one; what the bank says is entered by the house."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from pydantic import Field

from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import command_id_of, derive_id
from formicary.factory.ledger import AMOUNT_MAX
from formicary.products.payments.product import RAIL
from formicary.products.payments.rail import schemas as commands
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

router: Final = APIRouter(prefix="/v1/rail-orders", tags=["rail orders"])


class OrderBody(Body):
    """An order: ``amount`` minor units from a party's bank into its wallet, or back."""

    direction: Literal["top_up", "cash_out"]
    party: str
    amount: Annotated[int, Field(ge=1, le=AMOUNT_MAX)]
    currency: str


class OrderDocument(Document):
    """An order and where it is."""

    id: str
    direction: str
    party: str
    currency: str
    amount: int
    state: str
    changed_at: str


@router.post("", status_code=HTTPStatus.CREATED)
async def request_order(body: OrderBody, asked: Asked) -> OrderDocument:
    """Ask for a top-up or a cash-out; a cash-out's money is held from now on."""
    asked.principal.require(Scope.RAIL_WRITE)
    party = read_id(Prefix.PARTY, body.party, param="party")
    asked.principal.require_party(party)
    number = read_currency(body.currency)
    kind = commands.RequestTopUp if body.direction == "top_up" else commands.RequestCashOut
    subject = derive_id(command_id_of(asked.principal.name, asked.key), 0)
    return await _done(asked, kind(subject=subject, party=party, currency=number, amount=body.amount))


@router.get("/{order_id}")
async def get_order(order_id: Id, asked: Asked) -> OrderDocument:
    """Show an order to its party."""
    asked.principal.require(Scope.ACCOUNTS_READ)
    return await _order(asked, read_path_id(Prefix.RAIL_ORDER, order_id))


@router.post("/{order_id}/confirm")
async def confirm_order(order_id: Id, asked: Asked) -> OrderDocument:
    """Enter that the bank did it; for the house's keys only."""
    return await _bank_said(asked, order_id, commands.ConfirmOrder)


@router.post("/{order_id}/fail")
async def fail_order(order_id: Id, asked: Asked) -> OrderDocument:
    """Enter that the bank did not do it; for the house's keys only."""
    return await _bank_said(asked, order_id, commands.FailOrder)


@router.post("/{order_id}/return")
async def return_order(order_id: Id, asked: Asked) -> OrderDocument:
    """Enter that the money came back later; for the house's keys only."""
    return await _bank_said(asked, order_id, commands.ReturnOrder)


async def _bank_said(
    asked: Caller,
    order_id: str,
    kind: type[commands.ConfirmOrder | commands.FailOrder | commands.ReturnOrder],
) -> OrderDocument:
    asked.principal.require(Scope.RAIL_WRITE)
    asked.principal.require_house()
    return await _done(asked, kind(subject=read_path_id(Prefix.RAIL_ORDER, order_id)))


async def _done(asked: Caller, command: Command) -> OrderDocument:
    await asked.services.command(RAIL.name, command, principal=asked.principal, key=asked.key)
    return await _order(asked, command.subject)


async def _order(asked: Caller, subject: int) -> OrderDocument:
    fields = await asked.services.aggregate(RAIL.name, subject)
    if not asked.principal.acts_for(int(fields["party"], 16)):
        raise NotFound
    return _document(subject, fields)


def _document(subject: int, fields: dict[str, Any]) -> OrderDocument:
    return OrderDocument(
        id=encode(Prefix.RAIL_ORDER, subject),
        direction=commands.Direction(fields["direction"]).name.lower(),
        party=encode(Prefix.PARTY, int(fields["party"], 16)),
        currency=currency_code(fields["currency"]),
        amount=fields["amount"],
        state=commands.OrderState(fields["state"]).name.lower(),
        changed_at=time_text(fields["timestamp"]),
    )
