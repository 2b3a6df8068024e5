"""Decisions in words, from rows and from what policies said."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import numpy as np
import pytest

from formicary.factory.decisions.policies import point_id
from formicary.factory.decisions.reasons import PolicyTexts
from formicary.factory.journal.rows import DECISION_ROW
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.surfaces.api import decisions as module
from formicary.surfaces.api.decisions import Decisions, Told
from formicary.surfaces.api.ports import Backend


class Policies:
    """Knows what the first nine policies of payments said, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def policy_texts(self, point: int, version: int) -> PolicyTexts | None:
        """Answer."""
        self.asked.append(version)
        if point != point_id("payment") or version > 9:
            return None
        return PolicyTexts(
            point="payment",
            version=version,
            outcomes=("allow", "reject"),
            features=PAYMENT_POINT.features,
            rules=(f"It is {version}.",),
        )


def rows(*versions: int) -> Any:
    """Return decisions by policies, each for the reason of a rule."""
    made = np.zeros(len(versions), DECISION_ROW)
    made["point"], made["policy"] = point_id("payment"), versions
    made["outcome"] = made["rules_true"] = made["reason_0"] = made["effect"] = 1
    return made


def test_each_is_told_by_its_own_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy is asked for once; of one that nobody knows any more nothing is told."""
    policies = Policies()
    decisions = Decisions(cast("Backend", policies), [PAYMENT_POINT])
    expected = [Told("reject", ("It is 1.",)), Told("reject", ("It is 2.",)), Told("reject", ("It is 1.",))]
    assert asyncio.run(decisions.told(rows(1, 2, 1))) == expected
    assert policies.asked == [1, 2]
    assert asyncio.run(decisions.told(rows(10))) == [Told("", ())]
    assert asyncio.run(decisions.told(rows())) == []
    monkeypatch.setattr(module, "POLICY_TEXTS_MAX", 2)
    asyncio.run(decisions.told(rows(3, 1)))
    assert policies.asked == [1, 2, 10, 3, 1]


def test_a_feature_is_told_by_its_point() -> None:
    """In the words of the decision point; of a point that is gone, its rules only."""
    row = rows(1)
    row["reason_1"] = 0x4000 + 1 + PAYMENT_POINT.features.index("pair_is_new")
    known = Decisions(cast("Backend", Policies()), [PAYMENT_POINT])
    (told,) = asyncio.run(known.told(row))
    assert told.reasons == ("It is 1.", "You did not pay this payee within the last year.")
    (told,) = asyncio.run(Decisions(cast("Backend", Policies()), []).told(row))
    assert told.reasons == ("It is 1.",)
