"""``/v1/payments/{id}/refunds``: what was paid goes back, all of it or a part, never more."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field

from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.ledger import AMOUNT_MAX
from formicary.products.payments.product import REFUNDS
from formicary.products.payments.refund import RefundPayment
from formicary.surfaces.api.problems import NotFound
from formicary.surfaces.api.routes.payments import find_payment
from formicary.surfaces.api.routes.shared import Asked, Body, Document, Id, currency_code, read_path_id

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/payments", tags=["payments"])


class RefundBody(Body):
    """How much to give back, in minor units of the payment's currency."""

    amount: Annotated[int, Field(ge=1, le=AMOUNT_MAX)]


class RefundDocument(Document):
    """A refund; ``refunded`` is what was given back of the payment in all, this refund included."""

    id: str
    payment: str
    status: str
    amount: int
    currency: str
    refunded: int


@router.post("/{payment_id}/refunds", status_code=HTTPStatus.CREATED)
async def refund_payment(payment_id: Id, body: RefundBody, asked: Asked) -> RefundDocument:
    """Give back what was paid or a part of it; for the payee."""
    asked.principal.require(Scope.PAYMENTS_WRITE)
    identifier = read_path_id(Prefix.PAYMENT, payment_id)
    row, _, payee = await find_payment(asked, identifier)
    if not asked.principal.acts_for(payee):
        raise NotFound
    command = RefundPayment(subject=identifier, amount=body.amount)
    answer = await asked.services.command(REFUNDS.name, command, principal=asked.principal, key=asked.key)
    return RefundDocument(
        id=encode(Prefix.REFUND, int(answer["refund"], 16)),
        payment=payment_id,
        status="completed",
        amount=body.amount,
        currency=currency_code(int(row["ledger"])),
        refunded=answer["refunded"],
    )
