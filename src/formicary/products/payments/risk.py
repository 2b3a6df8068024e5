"""Where rules are run over payments, and what may come out."""

from __future__ import annotations

from typing import Final

from formicary.factory.decisions.points import DecisionPoint
from formicary.products.payments.features import PAYMENT, PAYMENT_RISK

__all__ = ["PAYMENT_POINT"]

PAYMENT_POINT: Final = DecisionPoint(
    name="payment",
    on=PAYMENT,
    outcomes=("allow", "confirm_by_code", "confirm_by_device", "hold", "reject"),
    safe_outcome="hold",
    # Amount and currency are read of the payment itself.
    features=tuple(feature.name for feature in PAYMENT_RISK.features if feature.name not in PAYMENT.fields),
    scores=("fraud", "fraud_shadow"),
)
"""Before a payment is made."""
