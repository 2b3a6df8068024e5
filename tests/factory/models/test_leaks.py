"""A column that was written after the outcome is found; strong honest ones are not."""

from __future__ import annotations

import numpy as np
import pytest

from formicary.factory.models import leaks
from formicary.factory.models._folds import stratified_sample
from formicary.factory.models.errors import LeakSuspected
from formicary.factory.models.leaks import require_no_leaks, suspicions
from formicary.factory.models.spec import Column, Objective
from formicary.factory.models.table import table_of
from tests.factory.models.kit import made_columns, made_spec, made_table


def test_honest_columns_pass() -> None:
    """Two columns that tell much of the label are no leak."""
    assert suspicions(made_spec(), made_table(2_000)) == []
    require_no_leaks(made_spec(), made_table(2_000))


def test_a_copy_of_the_label_is_found() -> None:
    """Written into a column with noise, alone it orders the pairs; a reason in the declaration passes."""
    columns, labels = made_columns(2_000)
    noise = np.random.default_rng(3).normal(size=2_000)
    columns["term"] = labels + 0.2 * noise
    spec = made_spec(Column(name="term", reason="The term."))
    table = table_of(spec, columns, labels)
    with pytest.raises(LeakSuspected, match="term: alone it orders"):
        require_no_leaks(spec, table)
    explained = made_spec(Column(name="term", reason="The term.", known_because="The contract says it."))
    require_no_leaks(explained, table)


def test_a_leak_that_needs_another_column_is_found() -> None:
    """It tells the label with an honest column only: without it, many times as many pairs are wrong."""
    columns, labels = made_columns(4_000)
    sign = np.where(np.random.default_rng(4).random(4_000) < 0.5, 1.0, -1.0)
    columns["noise"] = sign
    columns["code"] = sign * (2 * labels - 1)
    spec = made_spec(Column(name="code", reason="The code."))
    found = suspicions(spec, table_of(spec, columns, labels))
    assert "code" in [one.column for one in found]
    assert all("without it" in one.said for one in found)


def test_of_very_many_rows_a_sample_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many of either class at most, rare ones all, and a leak is found in them as well."""
    labels = np.array([0.0] * 50 + [1.0] * 5 + [0.0] * 40)
    drawn = stratified_sample(labels, each_max=20, seed=1)
    assert (np.diff(drawn) > 0).all()
    assert np.bincount(labels[drawn].astype(int)).tolist() == [20, 5]
    assert drawn.tolist() != stratified_sample(labels, each_max=20, seed=2).tolist()
    monkeypatch.setattr(leaks, "LEAK_ROWS_EACH_MAX", 500)
    columns, labels = made_columns(4_000)
    columns["term"] = labels + 0.2 * np.random.default_rng(3).normal(size=4_000)
    spec = made_spec(Column(name="term", reason="The term."))
    assert suspicions(spec, table_of(spec, columns, labels))[0].column == "term"


def test_amounts_are_not_looked_at() -> None:
    """The signs are those of a classification."""
    spec = made_spec(objective=Objective.REGRESSION)
    columns, labels = made_columns(100)
    assert suspicions(spec, table_of(spec, columns, labels)) == []
