"""What is told of a policy before it is armed."""

from __future__ import annotations

import pytest

from formicary.products.payments import PAYMENTS
from formicary.runtime.policy_findings import findings_at

POLICY = "{name: card, version: 1}"
RULES = """name: card
version: 1
point: payment
rules:
  - {name: large, when: amount > 5, outcome: reject, reason: It is large.}
"""


def test_a_sound_policy_has_no_findings() -> None:
    """It is compiled for the decision point of its name."""
    assert findings_at(PAYMENTS)("payment", POLICY, RULES) == []


@pytest.mark.parametrize(
    ("point", "policy", "rules", "said"),
    [
        ("nowhere", POLICY, RULES, "there is no decision point 'nowhere'"),
        ("payment", "version: [", RULES, "the policy cannot be read"),
        ("payment", "{name: card, version: 0}", RULES, "the policy cannot be read"),
        ("payment", POLICY, RULES.replace("amount", "amuont"), "amuont"),
        ("payment", POLICY, RULES.replace("point: payment", "point: claim"), "claim"),
    ],
)
def test_what_is_wrong_is_told(point: str, policy: str, rules: str, said: str) -> None:
    """Whichever document it is in."""
    assert any(said in line for line in findings_at(PAYMENTS)(point, policy, rules))
