"""What is wrong with facts is said with its field and its row."""

from __future__ import annotations

import math
from typing import Any

import pytest

from formicary.base.limits import FACT_FIELDS_MAX, FACTS_PER_EVENT_MAX
from formicary.factory.facts.columns import well_formed
from formicary.factory.facts.messages import MalformedFact
from tests.factory.facts.kit import hexed, told

LONGEST = "a" * 64
FIELDS = {f"field_{number}": [1, 2] for number in range(FACT_FIELDS_MAX)}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"kind": "Label"}, "kind 'Label' is not in snake case"),
        ({"kind": ""}, "kind '' is not"),
        ({"kind": "label\n"}, r"kind 'label\\n' is not"),
        ({"kind": "étiquette"}, "kind 'étiquette' is not"),
        ({"kind": LONGEST + "a"}, "longer than 64 characters"),
        ({"at": []}, "at has 0 rows"),
        ({"at": [5] * (FACTS_PER_EVENT_MAX + 1)}, r"at has 1001 rows; an event holds 1 to 1,000 facts"),
        ({"at": [5, -1]}, r"at\[1\] is no time"),
        ({"at": [2**63, 1]}, r"at\[0\] is no time"),
        ({"ids": {"Ada": [hexed(1), hexed(2)]}}, "field 'Ada' is not in snake case"),
        ({"numbers": {"payment": [1, 2]}}, "field 'payment' is there 2 times"),
        ({"ids": {}, "numbers": FIELDS}, "there are 33 fields; a fact has at most 32"),
        ({"numbers": {"count": [1]}}, "field 'count' has 1 rows where at has 2"),
        ({"reals": {"share": [1.0, 2.0, 3.0]}}, "field 'share' has 3 rows where at has 2"),
        ({"ids": {"payment": [hexed(1), "Ada"]}}, r"ids.payment\[1\] is no id"),
        ({"ids": {"payment": [hexed(1), hexed(2) + "\n"]}}, r"ids.payment\[1\] is no id"),
        ({"numbers": {"count": [2**63, 1]}}, r"numbers.count\[0\] is no integer"),
        ({"numbers": {"count": [1, -(2**63) - 1]}}, r"numbers.count\[1\] is no integer"),
        ({"reals": {"share": [1.0, math.nan]}}, r"reals.share\[1\] is not finite"),
        ({"reals": {"share": [-math.inf, 1.0]}}, r"reals.share\[0\] is not finite"),
        ({"reals": {"share": [1.0, True]}}, r"\[1\]"),
        ({"reals": {"share": [1.0, 10**400]}}, r"\[1\]"),
        ({"numbers": {"count": [1, "2"]}}, r"\[1\]"),
        ({"numbers": {5: [1, 2]}}, "numbers"),
        ({"ids": [1, 2]}, "ids"),
        ({"kind": object()}, "kind"),
    ],
)
def test_what_is_wrong_is_named(columns: dict[str, Any], said: str) -> None:
    """A source that sends thousands of rows finds the one."""
    with pytest.raises(MalformedFact, match=said):
        well_formed(told(**columns))


def test_the_bounds_are_allowed() -> None:
    """The longest names, the largest numbers, as many fields and rows as there may be."""
    rows = FACTS_PER_EVENT_MAX
    fields = {LONGEST: [2**63 - 1] * rows} | {
        f"field_{number}": [-(2**63)] * rows for number in range(FACT_FIELDS_MAX - 1)
    }
    facts = told(kind=LONGEST, at=[2**63 - 1] * rows, ids={}, numbers=fields, reals={})
    assert well_formed(facts) == facts


def test_a_real_may_be_missing() -> None:
    """What cannot be computed of one thing does not keep the rest of it from being told."""
    facts = told(reals={"share": [None, 2.0]})
    assert well_formed(facts) == facts


def test_integers_among_reals_are_reals() -> None:
    """JSON of 1.0 may say 1; what is kept does not depend on who wrote it."""
    (kept,) = well_formed(told(reals={"share": [1, 2]})).reals.values()
    assert [type(value) for value in kept] == [float, float]
