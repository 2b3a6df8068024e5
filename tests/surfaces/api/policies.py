"""Policies for the tests of the API, and the way to arm one.

The registry is not one of the products yet, so a small one stands in for it here: it tells the same event, to
the journal as well. Where the real one runs, ``REGISTRY`` goes and ``arm`` sends its command.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.runtime.wiring import Factory

__all__ = ["HOLD_SECONDS", "REGISTRY", "REJECTED", "arm", "rule"]

HOLD_SECONDS = 3_600
REJECTED = 13


class ArmPolicy(Command, frozen=True):
    """Let a policy and its rules decide at a point."""

    point: str
    version: int
    policy: str
    rules: str


class PolicyArmed(DomainEvent, frozen=True):
    """A policy decides at a point from now on."""

    point: str
    version: int
    policy: str
    rules: str


def _decide(asked: Command | TimerFired, _: Any, __: Context) -> Decision:
    assert isinstance(asked, ArmPolicy)
    told = PolicyArmed(point=asked.point, version=asked.version, policy=asked.policy, rules=asked.rules)
    return Decision(events=[told])


def _evolve(_: str, entries: Any, events: Sequence[Any]) -> None:
    entries["policy"] = [event.version for event in events]


REGISTRY = Product(
    name="registry",
    aggregate=np.dtype([*AGGREGATE_HEADER, ("policy", "<u4")]),
    commands=(ArmPolicy,),
    events=(PolicyArmed,),
    decide=_decide,
    evolve=_evolve,
)


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
        subject=1, point="payment", version=version, policy=json.dumps(told), rules=json.dumps(document)
    )
    receipt = factory.command(REGISTRY.name, command, principal="test", key=f"arm {version}")
    assert receipt.code == ""
    assert factory.engine.state.decisions.unusable == {}
