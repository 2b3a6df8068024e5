"""A model is trained from a specification, judged by what it did not see, stored whole or refused."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest

from formicary.factory.models.errors import GateMissed, LeakSuspected, ModelCorrupt, ModelMalformed
from formicary.factory.models.metrics import area_under_roc
from formicary.factory.models.model import Model, identity_of
from formicary.factory.models.spec import Column, Gates, ModelSpec, Objective
from formicary.factory.models.table import table_of
from formicary.factory.models.training import measured, train_model
from tests.factory.models.kit import made_columns, made_spec, made_table

GATES = Gates(area_under_roc=0.7, calibration_error=0.2)


def gated() -> ModelSpec:
    """Return the specification with gates that it passes."""
    return replace(made_spec(), gates=GATES)


@functools.cache
def trained() -> Model:
    """Return a model that was trained once for all tests."""
    return train_model(gated(), made_table())


def test_what_was_shown_holds_for_rows_nobody_saw() -> None:
    """The evidence is of rows that were left out, so other rows show about the same."""
    model = trained()
    columns, labels = made_columns(3_000, seed=9)
    chances = model.chances(gated(), columns)
    assert ((chances > 0) & (chances < 1)).all()
    shown = model.evidence.forest["area_under_roc"]
    assert abs(area_under_roc(scores=chances, labels=labels) - shown) < 0.05
    assert abs(chances.mean() - labels.mean()) < 0.05
    assert model.evidence.scorecard["area_under_roc"] > 0.75
    assert (model.evidence.rows, model.evidence.trials, model.evidence.suspected) == (600, 2, {})


def test_the_same_table_gives_the_same_model() -> None:
    """Its identity is over all that it is made of."""
    assert train_model(gated(), made_table()).hash == trained().hash


def test_a_stored_model_is_the_same_or_refused() -> None:
    """Bytes give it back with its hash; a flipped byte, other bytes and another specification are refused."""
    stored = trained().to_bytes()
    again = Model.from_bytes(stored, expected_hash=trained().hash)
    assert again.to_bytes() == stored
    columns, _ = made_columns(50, seed=2)
    assert (again.chances(gated(), columns) == trained().chances(gated(), columns)).all()
    flipped = bytearray(stored)
    flipped[len(stored) // 2] ^= 1
    with pytest.raises(ModelCorrupt, match="not those of the model"):
        Model.from_bytes(bytes(flipped), expected_hash=trained().hash)
    with pytest.raises(ModelMalformed, match="another specification"):
        again.chances(made_spec(), columns)


@pytest.mark.parametrize("stored", [b"", b"formicary model 1\n\x02\0\0\0\0\0\0\0{}", b"formicary model 1\n"])
def test_bytes_that_are_no_model_are_refused(stored: bytes) -> None:
    """Whatever their hash says."""
    digest = identity_of(stored)
    with pytest.raises(ModelCorrupt):
        Model.from_bytes(stored, expected_hash=digest)


def test_a_model_that_shows_too_little_is_refused() -> None:
    """Each gate that is missed is named with its figure."""
    hard = replace(made_spec(), gates=Gates(area_under_roc=0.99, calibration_error=1e-6))
    with pytest.raises(GateMissed, match=r"under 0\.99; calibration error .* over 1e-06"):
        train_model(hard, made_table())


def test_a_leak_is_refused_unless_it_is_explained() -> None:
    """And what explains it is part of the evidence."""
    columns, labels = made_columns(1_000)
    columns["term"] = labels + 0.4 * np.random.default_rng(3).normal(size=1_000)
    spec = made_spec(Column(name="term", reason="The term."), trials=1)
    spec = replace(spec, columns=spec.columns[-1:])
    with pytest.raises(LeakSuspected, match="term"):
        train_model(spec, table_of(spec, columns, labels))
    known = made_spec(Column(name="term", reason="The term.", known_because="It is so."), trials=1)
    known = replace(known, columns=known.columns[-1:])
    model = train_model(known, table_of(known, columns, labels))
    assert model.evidence.suspected == {"term": "It is so."}


def test_money_is_shown_where_rows_are_about_any() -> None:
    """Of rows about none, or of positives that lost none, there is no such figure."""
    table, chances = made_table(100), np.linspace(0, 1, 100)
    assert "money_found" not in measured(chances, table)
    assert "money_found" not in measured(chances, replace(table, money=1 - table.labels))
    shown = measured(chances, replace(table, money=np.ones(100)))
    assert 0 <= shown["money_found"] <= 1


def test_amounts_are_expected_and_have_no_chances() -> None:
    """A regression is judged by its errors, stored without scorecard, and says why it has none."""
    columns, _ = made_columns()
    amounts = 100 + 20 * columns["debt"] + 5 * np.nan_to_num(columns["income"])
    spec = replace(made_spec(objective=Objective.REGRESSION, trials=1), columns=made_spec().columns[:1])
    spec = replace(spec, gates=Gates(r_squared=0.8, mean_absolute_error=10.0))
    model = train_model(spec, table_of(spec, columns, amounts))
    again = Model.from_bytes(model.to_bytes(), expected_hash=model.hash)
    assert again.hash == model.hash
    assert (again.calibration, again.scorecard, again.evidence.positives) == (None, None, 0)
    assert again.evidence.scorecard_absent
    others, _ = made_columns(1_000, seed=7)
    actual = 100 + 20 * others["debt"] + 5 * np.nan_to_num(others["income"])
    error = float(np.abs(again.amounts(spec, others) - actual).mean())
    assert error == pytest.approx(model.evidence.forest["mean_absolute_error"], rel=0.2)
    with pytest.raises(ModelMalformed, match="amounts, not chances"):
        model.chances(spec, others)
    with pytest.raises(ModelMalformed, match="chances, not amounts"):
        trained().amounts(gated(), others)
    hard = replace(spec, gates=Gates(r_squared=0.999, mean_absolute_error=0.1))
    with pytest.raises(GateMissed, match=r"explained .* under 0\.999; mean absolute error .* over 0\.1"):
        train_model(hard, table_of(hard, columns, amounts))
