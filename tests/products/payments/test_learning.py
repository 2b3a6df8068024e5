"""How the models of payments learn: each plan is of a model that decides."""

from __future__ import annotations

import pytest

from formicary.factory.learning.live_rows import fields_of
from formicary.factory.learning.plan import LearningPlan
from formicary.products.payments.fraud import MODELS
from formicary.products.payments.learning import LEARNING_PLANS
from formicary.products.payments.risk import PAYMENT_POINT


@pytest.mark.parametrize("plan", LEARNING_PLANS, ids=lambda plan: plan.model)
def test_plans_fit_their_models(plan: LearningPlan) -> None:
    """What a plan reads is there at the decision point, and its model is declared once."""
    (spec,) = [model for model in MODELS if model.name == plan.model]
    fields = fields_of(spec, plan, PAYMENT_POINT)
    assert fields[:2] == ("amount", "payer")
    assert set(plan.segments) <= set(fields)
