"""A model of the payments of the features' own kit."""

from __future__ import annotations

from typing import Final

from formicary.base.purposes import Purpose
from formicary.factory.models.questions import Label, Question
from formicary.factory.models.spec import Column, ModelSpec

__all__ = ["LABEL", "QUESTION", "asking"]

LABEL: Final = Label(
    fact="outcome",
    event="payment",
    positive=(("charged_back", 1),),
    negative=(("confirmed", 1),),
    horizon="30d",
)
QUESTION: Final = Question(features="risk", purpose=Purpose.FRAUD, label=LABEL, money="amount")


def asking(question: Question | None = QUESTION) -> ModelSpec:
    """Return a model with a question."""
    return ModelSpec(
        name="order_risk",
        owner="tests",
        predicts="The chance that it goes wrong.",
        columns=(
            Column(name="payee_received", reason="The payee was paid much or little."),
            Column(name="payer_mean", reason="You usually pay another amount."),
            Column(name="amount", reason="The amount is large.", monotone=1),
        ),
        question=question,
        trials=1,
    )
