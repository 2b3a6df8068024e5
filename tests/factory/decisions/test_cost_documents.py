"""Costs are read as they are written, and every outcome has one effect."""

from __future__ import annotations

import pytest

from formicary.factory.decisions.cost_documents import effects_of, read_costs
from formicary.factory.decisions.errors import CostsMalformed
from formicary.factory.decisions.money import Costs, Effect
from formicary.factory.decisions.points import DecisionPoint
from tests.factory.decisions.rules_kit import PAYMENT, POINT

TEXT = "lost_bp: 9_000\nmargin_bp: 150\nstep_up_cost: 20\neffects: {step_up: hold, hold: reject}\n"


def test_costs_are_read() -> None:
    """What is not named costs nothing and stops everything."""
    costs, effects = read_costs(TEXT)
    assert costs == Costs(lost_bp=9_000, margin_bp=150, step_up_cost=20)
    assert effects == {"step_up": Effect.HOLD, "hold": Effect.REJECT}
    assert read_costs("{}") == (Costs(), {})


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("9_000", "90%", 1),
        ("9_000", "-1", 1),
        ("9_000", "10_001", 1),
        ("margin_bp", "margins", 2),
        ("margin_bp: 150", "margin_bp: [150]", 2),
        ("step_up: hold", "step_up: wait", 4),
        (TEXT, "[]", 1),
        (TEXT, f"{'[' * 9}{']' * 9}", 1),
        (TEXT, "", 1),
    ],
)
def test_costs_that_cannot_be_are_refused(before: str, after: str, line: int) -> None:
    """With file and line."""
    with pytest.raises(CostsMalformed) as wrong:
        read_costs(TEXT.replace(before, after), file="costs.yaml")
    assert (wrong.value.file, wrong.value.line) == ("costs.yaml", line)


def test_every_outcome_has_an_effect() -> None:
    """That of its name unless another is declared; the ends of severity allow and reject."""
    assert effects_of(POINT, {}) == [Effect.ALLOW, Effect.STEP_UP, Effect.HOLD, Effect.REJECT]
    assert effects_of(POINT, {"hold": Effect.REJECT})[2] == Effect.REJECT
    other = DecisionPoint(
        name="other", on=PAYMENT, outcomes=("pay", "ask", "hold", "block"), safe_outcome="hold"
    )
    assert effects_of(other, {}) == [Effect.ALLOW, Effect.STEP_UP, Effect.HOLD, Effect.REJECT]
    with pytest.raises(CostsMalformed, match="deny"):
        effects_of(POINT, {"deny": Effect.REJECT}, file="costs.yaml")
