"""A decision point, documents and items for the tests of rules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from formicary.factory.decisions.documents import read_rules
from formicary.factory.decisions.items import Items, items_of
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.rule_sets import words_of_id
from formicary.factory.decisions.rules import CompiledRules, compile_rules
from formicary.factory.features.kinds import EventKind, amount, identifier, number, party, real

PAYMENT = EventKind(
    "payment",
    None,
    payer=party(),
    payee=party(),
    country=identifier(),
    amount=amount(),
    code=number(),
    risk=real(),
    fraud=number(known_after="30d"),
)
POINT = DecisionPoint(
    name="card_payment",
    on=PAYMENT,
    outcomes=("allow", "step_up", "hold", "reject"),
    safe_outcome="hold",
    features=("mean_7d", "count_1h"),
    scores=("fraud",),
)
UNTIL = 1_700_000_000 * 10**9
LISTS = {
    "known": {"of": "ids", "entries": [1, 2, {"id": 3, "until": UNTIL}]},
    "risky": {"of": "texts", "entries": ["KP", {"text": "IR", "until": "2023-11-14T22:13:20Z"}]},
}

Item = Mapping[str, float | None]
"""Values by name, ``at`` among them, scores as ``score.NAME``; None for a missing or absent one."""


def document(*conditions: str, **changed: object) -> str:
    """Return a document with a rule for each condition; ``changed`` replaces fields of the first."""
    rules: list[dict[str, object]] = [
        {"name": f"rule_{place}", "when": when, "outcome": "reject", "reason": "It is so."}
        for place, when in enumerate(conditions)
    ]
    rules[0] |= changed
    whole = {"name": "tests", "version": 1, "point": "card_payment", "lists": LISTS, "rules": rules}
    return json.dumps(whole, indent=1, ensure_ascii=False)


def compiled(*conditions: str, **changed: object) -> CompiledRules:
    """Return a compiled set with a rule for each condition."""
    return compile_rules(read_rules(document(*conditions, **changed)), POINT)


def items(given: Sequence[Item]) -> Items:
    """Return items in columns."""

    def values(name: str) -> list[float | None]:
        return [one.get(name) for one in given]

    columns: dict[str, Any] = {
        name: np.array([words_of_id(int(one or 0)) for one in values(name)], np.int64).reshape(-1, 2)
        for name in PAYMENT.ids
    }
    for name in ("amount", "code"):
        columns[name] = np.array([int(one or 0) for one in values(name)], np.int64)
    columns["risk"] = np.array([0.0 if one is None else one for one in values("risk")])
    return items_of(
        POINT,
        at=np.array([int(one or 0) for one in values("at")], np.int64),
        columns=columns,
        absent={
            name: np.array([one is None for one in values(name)], bool) for name in ("amount", "code", "risk")
        },
        features={name: np.array(values(name), np.float64) for name in POINT.features},
        scores={name: np.array(values(f"score.{name}"), np.float64) for name in POINT.scores},
    )


def verdicts(when: str, *given: Item) -> list[int]:
    """Return what one condition says of items."""
    return [int(one) for one in compiled(when).judge(items(given)).verdicts[:, 0]]
