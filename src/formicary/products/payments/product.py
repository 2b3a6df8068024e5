"""What payments add to the factory, on one page.

Payments between parties need no product: they are plain transfers (``postings``).
"""

from __future__ import annotations

from typing import Final

from formicary.factory.engine.products import Product
from formicary.products.payments import held, refund
from formicary.products.payments.escrow import decider as escrow
from formicary.products.payments.escrow.evolve import evolve as evolve_escrow
from formicary.products.payments.escrow.schemas import COMMANDS, ESCROW, EVENTS
from formicary.products.payments.escrow.table import DURATIONS
from formicary.products.payments.features import FEATURES
from formicary.products.payments.fraud import MODELS
from formicary.products.payments.rail import decider as rail
from formicary.products.payments.rail import schemas as rail_schemas
from formicary.products.payments.refund import PAYMENT_REFUND, PaymentRefunded, RefundPayment
from formicary.products.payments.risk import PAYMENT_POINT

__all__ = ["ESCROWS", "HELD", "PAYMENTS", "RAIL", "REFUNDS"]

ESCROWS: Final = Product(
    name="escrow",
    aggregate=ESCROW,
    commands=COMMANDS,
    events=EVENTS,
    decide=escrow.decide,
    evolve=evolve_escrow,
    timers=tuple(timing.name.lower() for timing in DURATIONS),
)
"""A buyer's money waits with the house until the goods are right, or goes back."""

HELD: Final = Product(
    name=held.HELD_PAYMENTS,
    aggregate=held.HELD_PAYMENT,
    commands=(held.ReleaseHeldPayment, held.ReturnHeldPayment),
    events=(held.HeldPaymentReleased, held.HeldPaymentReturned),
    decide=held.decide,
    evolve=held.evolve,
)
"""Somebody of the house decides about money that a decision holds."""

REFUNDS: Final = Product(
    name="payment_refund",
    aggregate=PAYMENT_REFUND,
    commands=(RefundPayment,),
    events=(PaymentRefunded,),
    decide=refund.decide,
    evolve=refund.evolve,
    neighbours=(HELD,),
    # What is told of payments and where they are checked stands here: plain payments have no product of
    # their own.
    features=FEATURES,
    decision_points=(PAYMENT_POINT,),
    models=MODELS,
)
"""A payee gives back what was paid or a part of it, never more."""

RAIL: Final = Product(
    name="rail_order",
    aggregate=rail_schemas.RAIL_ORDER,
    commands=rail_schemas.COMMANDS,
    events=rail_schemas.EVENTS,
    decide=rail.decide,
    evolve=rail.evolve,
    timers=(rail.SILENT, rail.SETTLE),
)
"""Money comes from a bank or goes to one, over clearing accounts that are expected to be zero."""

PAYMENTS: Final = (ESCROWS, HELD, REFUNDS, RAIL)
"""Every product of the payments business."""
