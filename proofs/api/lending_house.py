"""A house that lends: settings and a model, brought into a factory past the API."""

from __future__ import annotations

from typing import Any

from formicary.base.errors import ProgrammingError
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.registry import NAME as REGISTRY
from formicary.factory.registry import Alias, MoveAlias
from formicary.factory.registry.storing import parts_of, registration_of
from formicary.products.lending.underwriting.judgement import MERCHANT_JUDGEMENT
from formicary.runtime.wiring import Factory

__all__ = ["FUNDS", "PAY_IN", "POLICY", "judged"]

PAY_IN = "/v1/lending/funds/GBP/pay-in"
FUNDS: dict[str, Any] = {"amount": 10**12}

POLICY: dict[str, Any] = {
    "currency": "GBP",
    "bands": [{"default": 900_000, "sales": 1_000_000}],
    "terms": {"kind": "line", "rate": 0, "day_count": "actual_365", "share": 100_000},
    "creditor": {"name": "Anthill Bank", "address": "1 Ant Road", "appeal": "https://anthill.example"},
    "credit": {
        "history_days_min": 0,
        "limit_min": 1_000,
        "limit_step": 1_000,
        "rate_cap_millionths": 10_000,
    },
    "capital": {"least": 1_000, "step": 1_000},
}


def judged(factory: Factory) -> str:
    """Let the model that is declared decide; return its hash."""
    model = MERCHANT_JUDGEMENT.model()
    moved = MoveAlias(
        subject=text_id(model.name),
        model=model.name,
        alias=Alias.CHAMPION,
        hash=model.hash,
        reason="Judged.",
    )
    commands = (*parts_of(model), registration_of(model, manifest={}, note=""), moved)
    for place, command in enumerate(commands):
        receipt = factory.command(REGISTRY, command, principal="proof", key=f"judged {place}")
        if receipt.code:
            message = f"the model was refused: {receipt.code}"
            raise ProgrammingError(message)
    return model.hash
