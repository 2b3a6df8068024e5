"""How the models of payments go on learning by themselves.

A fraud that was let through costs the payment. A payer who is stopped for nothing costs what the house would
have earned by the payment, and the time of whoever looks: both are this house's own numbers, and a house with
others replaces the plan.
"""

from __future__ import annotations

from typing import Final

from formicary.factory.features.quality.verdicts import SHIFTED_INDEX
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.learning.worth import Worth
from formicary.factory.monitoring.residuals import FACTOR
from formicary.products.payments.fraud import PAYMENT_FRAUD

__all__ = ["LEARNING_PLANS"]

LEARNING_PLANS: Final = (
    LearningPlan(
        model=PAYMENT_FRAUD.name,
        worth=Worth(lost_bp=10_000, margin_bp=200, cost=50),
        every_days=7,
        windows_days=(0, 90),
        # Whoever pays somebody known must not pay for what is gained elsewhere.
        segments=("currency", "pair_is_new"),
        # Half as much fraud again as expected, or a quarter of all rows elsewhere, is worth a training.
        residual_odds=FACTOR,
        drift_index_max=SHIFTED_INDEX,
    ),
)
"""The plans of the payments business."""
