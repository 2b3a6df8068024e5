"""docs/decisions.md says what a policy says and what a decision's path tells, and its examples run."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import msgspec

from formicary.base.limits import EXPLORED_MILLIONTHS_MAX
from formicary.factory.decisions.explanation import path_words
from formicary.factory.decisions.policies import Cap, Exploration, Policy, policy_findings
from formicary.products.payments.risk import PAYMENT_POINT

PAGE = Path(__file__).parents[2] / "docs" / "decisions.md"
TEXT = PAGE.read_text()


def test_examples_run() -> None:
    """What the page shows is what happens."""
    failures, examples = doctest.testfile(str(PAGE), module_relative=False)
    assert examples > 0
    assert failures == 0


def test_the_policy_of_the_page_can_be_armed() -> None:
    """With rules of its own, at the point of payments."""
    block = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert block
    rules = """
name: payment_rules
version: 3
point: payment
rules:
  - {name: new_payee, when: score.fraud > 0.5, outcome: reject, reason: It is like a fraud.}
"""
    assert policy_findings(PAYMENT_POINT, block[1], rules) == []


def test_every_field_of_a_policy_is_explained() -> None:
    """Whoever writes one finds it; what is explored and capped says its own words."""
    for kind in (Policy, Exploration, Cap):
        for field in msgspec.structs.fields(kind):
            assert re.search(rf"`{field.name}`|{field.name}: ", TEXT), field.name
    assert f"{EXPLORED_MILLIONTHS_MAX:,}" in TEXT


def test_paths_are_told() -> None:
    """A word that a record may have is one of the page."""
    for word in path_words(0xFFFF):
        assert f"`{word}`" in TEXT
