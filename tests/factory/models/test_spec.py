"""A declaration of a model says what is wrong with it, all at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from formicary.factory.models.errors import ModelMalformed
from formicary.factory.models.spec import Column
from tests.factory.models.kit import made_spec


def test_a_right_specification_has_no_findings() -> None:
    """And its hash is that of what it says."""
    spec = made_spec()
    spec.require()
    assert spec.findings() == []
    assert spec.hash == made_spec().hash != replace(spec, seed=6).hash
    assert spec.names == ("debt", "income", "trade", "noise")


def test_all_that_is_wrong_is_said() -> None:
    """Names, sentences, constraints, doubles and trials."""
    spec = replace(
        made_spec(
            Column(name="debt", reason="again"),
            Column(name="", reason="Yes.", monotone=2),
            Column(name="town", reason="Yes.", is_category=True, monotone=1),
        ),
        name="Not Snake",
        predicts="nothing",
        trials=0,
        search=(("num_leaves", ()),),
    )
    said = "; ".join(spec.findings())
    for part in (
        "a column has no name",
        "its reason is a sentence, not 'again'",
        "monotone is -1, 0 or 1, not 2",
        "town: names have no order",
        "in snake case, not 'Not Snake'",
        "a sentence, not 'nothing'",
        "debt is a column twice",
        "at least one trial, not 0",
        "nothing to draw num_leaves from",
    ):
        assert part in said
    with pytest.raises(ModelMalformed, match="debt is a column twice"):
        spec.require()
    assert replace(made_spec(), columns=()).findings() == ["repayment: it has no columns"]
