"""``/v1/payments/{id}``: looking at payments. Making them is a hot route."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter

from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.ledger import TransferFlags, id_column
from formicary.products.payments.held import HeldStatus, hold_end
from formicary.products.payments.postings import PAYMENT_CODES, TransferCode
from formicary.products.payments.product import HELD
from formicary.products.payments.terms import MERCHANT_FEE_POINTS, fee_of
from formicary.surfaces.api.payment_outcomes import MADE, outcome_of
from formicary.surfaces.api.problems import NotFound
from formicary.surfaces.api.routes.accounts import owner_of
from formicary.surfaces.api.routes.shared import Asked, Caller, Document, Id, currency_code, read_path_id
from formicary.surfaces.api.values import time_text

__all__ = ["PaymentView", "find_payment", "payment_view", "router"]

router: Final = APIRouter(prefix="/v1/payments", tags=["payments"])

_HELD: Final = "held"
_RETURNED: Final = "returned"


class PaymentView(Document):
    """A payment; the fee is the payee's, in minor units, and charged where the payment is completed.

    What a decision holds has ``release_by``, when it goes back by itself, and for its payer ``reasons``; what
    went back is ``returned``.
    """

    id: str
    status: str
    payer: str
    payee: str
    amount: int
    fee: int
    currency: str
    created_at: str
    release_by: str = ""
    reasons: tuple[str, ...] = ()


@router.get("/{payment_id}", response_model_exclude_defaults=True)
async def get_payment(payment_id: Id, asked: Asked) -> PaymentView:
    """Show a payment to those who take part in it."""
    asked.principal.require(Scope.ACCOUNTS_READ)
    return await payment_view(payment_id, asked)


async def payment_view(payment_id: str, asked: Caller) -> PaymentView:
    """Return a payment as it is now.

    Raises
    ------
    NotFound
        There is none, or the caller acts for neither side.
    """
    identifier = read_path_id(Prefix.PAYMENT, payment_id)
    row, payer, payee = await find_payment(asked, identifier)
    amount = int(row["amount"])
    is_charged = int(row["code"]) == TransferCode.MERCHANT_PAYMENT
    status = await _status(asked, row, identifier)
    outcome = MADE
    if status == _HELD:
        rows, told = await asked.services.payment_outcomes.recorded([identifier])
        outcome = outcome_of(rows[identifier], told[identifier])
    return PaymentView(
        id=payment_id,
        status=status,
        payer=encode(Prefix.PARTY, payer),
        payee=encode(Prefix.PARTY, payee),
        amount=amount,
        fee=fee_of(amount, MERCHANT_FEE_POINTS) if is_charged else 0,
        currency=currency_code(int(row["ledger"])),
        created_at=time_text(int(row["timestamp"])),
        release_by=outcome.release_by,
        reasons=outcome.reasons if asked.principal.acts_for(payer) else (),
    )


async def _status(asked: Caller, row: Any, identifier: int) -> str:
    if not row["flags"] & TransferFlags.HELD:
        return MADE.status
    (decided,) = await asked.services.backend.aggregates(HELD.name, [identifier])
    if decided is not None:
        return MADE.status if decided["status"] == HeldStatus.RELEASED else _RETURNED
    return _HELD if asked.services.now() < hold_end(row) else _RETURNED


async def find_payment(asked: Caller, identifier: int) -> tuple[Any, int, int]:
    """Return a payment's transfer, one ``TRANSFER``, its payer and its payee.

    Raises
    ------
    NotFound
        There is none, or the caller acts for neither side.
    """
    rows = await asked.services.backend.remember(lambda history: history.lookup_transfers([identifier]))
    if not len(rows) or int(rows[0]["code"]) not in PAYMENT_CODES:
        raise NotFound
    ids = [id_column(rows, f"{side}_account_id")[0] for side in ("debit", "credit")]
    accounts = await asked.services.backend.lookup_accounts(ids)
    owners = {id_column(accounts[at : at + 1])[0]: owner_of(accounts[at]) for at in range(len(accounts))}
    payer, payee = owners[ids[0]], owners[ids[1]]
    if not (asked.principal.acts_for(payer) or asked.principal.acts_for(payee)):
        raise NotFound
    return rows[0], payer, payee
