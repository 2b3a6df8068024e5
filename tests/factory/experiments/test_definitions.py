"""Documents of experiments: what they say, and what is wrong with one."""

from __future__ import annotations

from typing import Any

import pytest

from formicary.base.limits import EXPERIMENT_BYTES_MAX
from formicary.base.lots import LOTS
from formicary.factory.experiments.assignment import Slice
from formicary.factory.experiments.definitions import Direction, Kind, read_definition
from formicary.factory.experiments.errors import ExperimentMalformed
from tests.factory.experiments.kit import document_of

RATIO = "{name: returns, kind: ratio, column: returned, per: orders, good: down, tolerated_harm: 0.01}"
MEAN = "{name: spend, kind: mean, column: spent, covariate: spent_before, good: up}"


def test_what_a_document_says() -> None:
    """Goals, guardrails, columns, and where it is in its layer."""
    text = document_of(
        metrics=f"{MEAN}, {RATIO}", holdout="{name: house, lots: 50_000}", outcome_days=7, alpha=1e-2
    )
    found = read_definition(text)
    spend, returns = found.metrics
    assert (spend.kind, spend.good, spend.columns) == (Kind.MEAN, Direction.UP, ("spent", "spent_before"))
    assert (returns.columns, returns.tolerated_harm) == (("returned", "orders"), 0.01)
    assert (found.goals, found.guardrails) == ([spend], [returns])
    assert (found.alpha, found.outcome_days) == (0.01, 7)
    assert found.slice == Slice(
        experiment="short_form",
        layer="checkout",
        holdout="house",
        held_out=50_000,
        first=0,
        count=LOTS // 2,
        weights=(1, 1),
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"layer": None}, "missing required field `layer`"),
        ({"colour": "red"}, "unknown field `colour`"),
        ({"experiment": "Short Form"}, "experiment"),
        ({"hypothesis": "''"}, "hypothesis"),
        ({"planned_parties": 0}, "planned_parties"),
        ({"alpha": 1}, "alpha"),
        ({"alpha": ".nan"}, "alpha"),
        ({"outcomes": "{facts: order}"}, "outcome_days is 1 at least"),
        ({"outcomes": "{facts: Orders}", "outcome_days": 1}, "outcomes.facts"),
        ({"arms": "{control: 1}"}, "2 to 8 arms"),
        ({"arms": "{" + ", ".join(f"arm{place}: 1" for place in range(9)) + "}"}, "2 to 8 arms"),
        ({"arms": "{control: 0, short: 1}"}, "arms"),
        ({"lots": f"{{first: 1, count: {LOTS}}}"}, "it takes 1,000,000 from 1 on"),
        ({"metrics": RATIO}, "guardrails alone"),
        ({"metrics": f"{MEAN}, {MEAN}"}, "two metrics have one name"),
        ({"metrics": "{name: a, kind: ratio, column: b, good: up}"}, "a ratio names the column"),
        ({"metrics": "{name: a, kind: mean, column: b, per: c, good: up}"}, "a ratio names the column"),
        ({"metrics": "{name: a, kind: mean, column: b, covariate: b, good: up}"}, "three different ones"),
        ({"metrics": MEAN + ", " + RATIO.replace("0.01", ".nan")}, "tolerated_harm"),
        ({"metrics": MEAN.replace("up", "better")}, "metrics"),
        ({"lots": "{count: 5, count: 6}"}, "count is written twice"),
        ({"lots": "&lots {count: 5}", "holdout": "*lots"}, "repeats nothing by name"),
        ({"lots": "[" * 9 + "]" * 9}, "does not nest as deep"),
        ({"lots": "{count: 5"}, "it is no YAML"),
        ({"hypothesis": "\udc80"}, "it is no YAML"),
        ({"hypothesis": "x" * EXPERIMENT_BYTES_MAX}, "has more than 32,768 bytes"),
    ],
)
def test_what_is_wrong_is_said(changed: dict[str, Any], said: str) -> None:
    """The first of it, with its place."""
    with pytest.raises(ExperimentMalformed, match=said):
        read_definition(document_of(**changed))


def test_an_empty_document() -> None:
    """It is none."""
    with pytest.raises(ExperimentMalformed, match="Expected `object`"):
        read_definition("")
