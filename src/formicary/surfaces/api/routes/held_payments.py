"""``/v1/payments/{id}/release`` and ``/return``: what becomes of money that a decision holds."""

from __future__ import annotations

from typing import Final, Literal

from fastapi import APIRouter

from formicary.base.public_ids import Prefix
from formicary.base.scopes import Scope
from formicary.products.payments.held import HeldNote, ReleaseHeldPayment, ReturnHeldPayment
from formicary.products.payments.product import HELD
from formicary.surfaces.api.routes.payments import PaymentView, find_payment, payment_view
from formicary.surfaces.api.routes.shared import Asked, Body, Caller, Id, read_path_id

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/payments", tags=["payments"])


class HeldBody(Body):
    """Why, in a word."""

    note: Literal["unsaid", "payer_confirmed", "payer_denied", "checked", "suspicious", "appealed"] = "unsaid"


@router.post("/{payment_id}/release", response_model_exclude_defaults=True)
async def release_payment(payment_id: Id, body: HeldBody, asked: Asked) -> PaymentView:
    """Pay what a decision holds, and charge the fee; for the house's keys only."""
    return await _decided(payment_id, body, asked, ReleaseHeldPayment)


@router.post("/{payment_id}/return", response_model_exclude_defaults=True)
async def return_payment(payment_id: Id, body: HeldBody, asked: Asked) -> PaymentView:
    """Give back what a decision holds; for the house's keys only."""
    return await _decided(payment_id, body, asked, ReturnHeldPayment)


async def _decided(
    payment_id: str, body: HeldBody, asked: Caller, kind: type[ReleaseHeldPayment | ReturnHeldPayment]
) -> PaymentView:
    by = asked.key_of_the_house(Scope.DECISIONS_WRITE)
    identifier = read_path_id(Prefix.PAYMENT, payment_id)
    await find_payment(asked, identifier)
    command = kind(subject=identifier, by=by, note=HeldNote[body.note.upper()])
    await asked.services.command(HELD.name, command, principal=asked.principal, key=asked.key)
    return await payment_view(payment_id, asked)
