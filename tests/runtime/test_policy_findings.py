"""What is wrong with a policy before it is armed."""

from __future__ import annotations

import pytest

from formicary.runtime.policy_findings import policy_findings

RULES = """\
name: card_rules
version: 7
point: card_use
rules:
  - {name: large, when: amount > 100, outcome: reject, reason: The amount is large.}
"""


@pytest.mark.parametrize(
    ("policy", "rules", "found"),
    [
        ("version: 3", RULES, []),
        ("version: [", RULES, ["policy: while parsing a flow node"]),
        ("- 3", RULES, ["policy: it has no fields"]),
        ("", RULES, ["policy: it has no fields"]),
        (
            "version: 3",
            RULES.replace("card_use", "sign_in"),
            ["rules: they are for sign_in, not for card_use"],
        ),
        ("version: 3", RULES.replace("amount >", "amount >>"), ["rules:5"]),
        ("[]", "rules: 5", ["policy: it has no fields", "rules:1", "rules:1", "rules:1", "rules:1"]),
    ],
)
def test_all_of_it_is_found(policy: str, rules: str, found: list[str]) -> None:
    """Each line says in which document it is."""
    told = policy_findings("card_use", policy, rules)
    assert [line[: len(start)] for line, start in zip(told, found, strict=True)] == found
