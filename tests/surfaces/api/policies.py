"""Policies for the tests of the API, and the way to arm one."""

from __future__ import annotations

import json
from typing import Any

from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.registry import NAME, ArmPolicy
from formicary.runtime.wiring import Factory

__all__ = ["HOLD_SECONDS", "REJECTED", "arm", "rule"]

HOLD_SECONDS = 3_600
REJECTED = 13


def rule(when: str, outcome: str, reason: str, **more: str) -> dict[str, str]:
    """Return a rule, named after its outcome."""
    return {"name": f"{outcome}_it", "when": when, "outcome": outcome, "reason": reason} | more


RULES = (
    rule("amount == 11", "confirm_by_code", "It is eleven."),
    rule("amount == 12", "confirm_by_device", "It is twelve."),
    rule(f"amount == {REJECTED}", "reject", "It is thirteen."),
    rule("amount == 500 or amount == 14", "hold", "It is much."),
)
"""Each amount of one kind of payment, and what comes of it."""


def arm(factory: Factory, *rules: dict[str, str], version: int = 1, **policy: Any) -> None:
    """Arm a policy at the decision point of payments, with ``RULES`` unless given others."""
    told = {"name": "tests", "version": version, "hold_seconds": HOLD_SECONDS} | policy
    document = {"name": "tests", "version": version, "point": "payment", "rules": list(rules or RULES)}
    command = ArmPolicy(
        subject=text_id("payment"),
        point="payment",
        version=version,
        policy=json.dumps(told),
        rules=json.dumps(document),
        reason="A test wants it.",
    )
    receipt = factory.command(NAME, command, principal="test", key=f"arm {version}")
    assert receipt.code == ""
    assert factory.engine.state.decisions.unusable == {}
