"""A forest is learnt within its bounds, the same every time, and judged by rows it did not learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from formicary.factory.models.errors import LabelsTooFew, ModelMalformed
from formicary.factory.models.metrics import area_under_roc
from formicary.factory.models.spec import Column, Objective
from formicary.factory.models.table import table_of
from formicary.factory.models.trainer import folds_of, train_forest
from tests.factory.models.kit import made_columns, made_spec, made_table


def test_every_row_without_a_time_is_left_out_once() -> None:
    """Positives are spread evenly over the folds, and no row is learnt from and judged by at once."""
    table = made_table(400)
    folds = list(folds_of(table, seed=5))
    assert sorted(np.concatenate([judge for _, judge in folds]).tolist()) == list(range(400))
    for learn, judge in folds:
        assert not set(learn.tolist()) & set(judge.tolist())
        assert abs(table.labels[judge].mean() - table.labels.mean()) < 0.02


def test_rows_with_times_are_judged_by_earlier_ones() -> None:
    """The latest fifth is judged; rows of one time lie on one side."""
    at = np.random.default_rng(2).integers(0, 50, 400)
    ((learn, judge),) = folds_of(made_table(400, at=at), seed=5)
    assert at[learn].max() < at[judge].min()
    assert 0.15 < len(judge) / 400 < 0.3


def test_the_same_seed_gives_the_same_forest() -> None:
    """Byte for byte, however many threads."""
    # Of fewer rows a second thread is not used.
    table, reported = made_table(5_000, at=np.arange(5_000)), []
    spec = replace(made_spec(), search=(("learning_rate", (0.5,)), ("num_leaves", (7, 4))))
    first = train_forest(spec, table, report=lambda done, of: reported.append((done, of)))
    again = train_forest(spec, table, threads=2)

    def trees(trained: object) -> list[object]:
        return trained.booster.dump_model()["tree_info"]  # type: ignore[attr-defined, no-any-return]

    assert trees(first) == trees(again)
    assert reported == [(1, 2), (2, 2)]
    assert [trial.loss for trial in first.trials] == sorted(trial.loss for trial in first.trials)
    is_judged = ~np.isnan(first.left_out)
    assert area_under_roc(scores=first.left_out[is_judged], labels=table.labels[is_judged]) > 0.75


def test_a_specification_may_say_what_is_tried() -> None:
    """What it names is drawn from its values, the rest from the trainer's."""
    spec = replace(made_spec(), search=(("num_leaves", (3,)), ("learning_rate", (0.2, 0.1))))
    trials = train_forest(spec, made_table(300)).trials
    assert {trial.parameters["num_leaves"] for trial in trials} == {3}
    assert {trial.parameters["learning_rate"] for trial in trials} <= {0.1, 0.2}
    assert all("lambda_l2" in trial.parameters for trial in trials)


def test_declared_directions_hold() -> None:
    """More debt never lowers the prediction, more income never raises it."""
    table = made_table()
    booster = train_forest(made_spec(), table).booster
    for place, direction in ((0, 1), (1, -1)):
        rows = np.repeat(table.values[:20], 30, axis=0)
        rows[:, place] = np.tile(np.linspace(-3, 3, 30), 20)
        scores = np.asarray(booster.predict(rows)).reshape(20, 30)
        assert (direction * np.diff(scores, axis=1) >= 0).all()


def test_amounts_are_learnt_as_well() -> None:
    """A regression is judged by its squared error."""
    columns, _ = made_columns()
    spec = made_spec(objective=Objective.REGRESSION)
    amounts = 100 + 20 * columns["debt"]
    trained = train_forest(spec, table_of(spec, columns, amounts))
    assert np.corrcoef(trained.left_out, amounts)[0, 1] > 0.95


def test_what_cannot_be_learnt_is_refused() -> None:
    """A specification that contradicts itself, one class alone."""
    columns, labels = made_columns(80)
    with pytest.raises(ModelMalformed):
        train_forest(made_spec(Column(name="debt", reason="Again.")), made_table(80))
    with pytest.raises(LabelsTooFew):
        train_forest(made_spec(), table_of(made_spec(), columns, 0 * labels))
