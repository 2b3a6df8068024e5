"""A sound model has no findings; every check finds the defect that was planted for it, and says where."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

import numpy as np

from formicary.factory.models import _check_trained as checks
from formicary.factory.models.calibration import Calibration, identity
from formicary.factory.models.conformance import Finding, check_model
from formicary.factory.models.forest import Forest, forest_of
from formicary.factory.models.model import Model
from formicary.factory.models.spec import Column, Gates, ModelSpec, Objective
from formicary.factory.models.table import TrainingTable, table_of
from formicary.factory.models.trainer import Trained, train_forest
from formicary.factory.models.training import model_of
from tests.factory.models.kit import made_columns, made_spec

# Few and large steps: what is looked at is not how good it is.
QUICK = (("learning_rate", (0.3,)), ("extra_trees", (False,)))


def quick_spec(*extra: Column, objective: Objective = Objective.CLASSIFICATION) -> ModelSpec:
    """Return the specification of the kit, learnt fast."""
    return replace(made_spec(*extra, objective=objective, trials=1), search=QUICK)


@functools.cache
def table() -> TrainingTable:
    """Return a table, made once."""
    return table_of(quick_spec(), *made_columns(400), at=np.arange(400))


@functools.cache
def trained() -> Trained:
    """Return what was trained once for all tests."""
    return train_forest(quick_spec(), table())


@functools.cache
def model() -> Model:
    """Return it as a model."""
    return model_of(quick_spec(), table(), trained())


def rows() -> checks.Reals:
    """Return rows as a stranger may hold them."""
    return checks.odd_rows(quick_spec(), table())


def rules(findings: Iterable[Finding]) -> list[str]:
    """Return the rules that are broken."""
    return [one.rule for one in findings]


def test_a_sound_model_has_no_findings() -> None:
    """Trained twice and looked at from all sides."""
    assert check_model(quick_spec(), table()) == []


def test_so_has_a_model_of_amounts() -> None:
    """Its predictions are looked at where others' chances are."""
    spec = quick_spec(objective=Objective.REGRESSION)
    columns, _ = made_columns(300)
    amounts = 10 * columns["debt"] - 5 * np.nan_to_num(columns["income"])
    assert check_model(spec, table_of(spec, columns, amounts)) == []


def test_all_that_is_wrong_is_said_at_once() -> None:
    """A leak and a missed gate do not hide each other."""
    columns, labels = made_columns(400)
    columns["term"] = labels + 0.1 * np.random.default_rng(3).normal(size=400)
    spec = replace(quick_spec(Column(name="term", reason="The term.")), gates=Gates(calibration_error=0.0))
    found = check_model(spec, table_of(spec, columns, labels, at=np.arange(400)))
    assert {"no column tells the label", "a model passes its gates"} == set(rules(found))
    leak = next(one for one in found if one.place == "term")
    assert str(leak).startswith("term: no column tells the label: alone it orders")
    known = replace(spec, columns=(*spec.columns[:-1], replace(spec.columns[-1], known_because="So it is.")))
    assert list(checks.check_leaks(known, table_of(known, columns, labels))) == []


def test_a_specification_that_contradicts_itself_is_not_trained() -> None:
    """What it says itself, reasons nobody could be told, and that nothing was learnt."""
    spec = quick_spec(Column(name="debt", reason="again"), Column(name="town", reason="Town."))
    found = check_model(spec, table())
    assert rules(found) == [
        "a specification does not contradict itself",
        "a specification does not contradict itself",
        "every column has a reason sentence",
        "every column has a reason sentence",
        "a model can be learnt",
    ]
    assert [one.place for one in found[2:4]] == ["debt", "town"]


def test_labels_of_one_class_are_a_finding() -> None:
    """Not a refusal that ends the check."""
    columns, labels = made_columns(100)
    (found,) = check_model(quick_spec(), table_of(quick_spec(), columns, 0 * labels))
    assert found.rule == "a model can be learnt"


def test_another_model_from_the_same_seed_is_found() -> None:
    """By its hash."""
    other = replace(model(), calibration=identity())
    assert list(checks.check_same(model(), model())) == []
    assert rules(checks.check_same(model(), other)) == ["a seed gives the same model every time"]


def test_other_bits_than_the_learners_are_found() -> None:
    """A forest that lost its last tree, and one that scores only rows with missing values otherwise."""
    booster = trained().booster
    assert list(checks.check_bits(model(), booster, rows())) == []
    text = booster.model_to_string(num_iteration=booster.num_trees() - 1)
    shorter = replace(model(), forest=forest_of(type(booster)(model_str=text)))
    assert rules(checks.check_bits(shorter, booster, rows())) == ["the flat forest has the learner's bits"]
    (found,) = checks.check_bits(replace(model(), forest=Lost(model().forest)), booster, rows())
    assert not found.detail.startswith(f"{len(rows())} of")


class Lost(Forest):
    """A forest that forgets how to score a row whose first column is missing."""

    def __init__(self, forest: Forest) -> None:
        """Take another's nodes."""
        super().__init__(forest.content, forest._description)

    def raw_scores(self, rows: Any) -> checks.Reals:
        """Score as it should, but for those rows."""
        return np.where(np.isnan(rows[:, 0]), np.nan, super().raw_scores(rows))


class Reread(Model):
    """A model that is read with another calibration than it was stored with."""

    @classmethod
    def from_bytes(cls, stored: bytes, *, expected_hash: str) -> Model:
        """Read it as it should be, but for that."""
        return replace(Model.from_bytes(stored, expected_hash=expected_hash), calibration=TURNED)


class Unreadable(Model):
    """A model whose bytes nobody reads."""

    def to_bytes(self) -> bytes:
        """Store nothing."""
        return b""


def test_what_is_lost_in_storing_is_found() -> None:
    """Another calibration, and bytes that are no model."""
    own: dict[str, Any] = {field.name: getattr(model(), field.name) for field in fields(Model)}
    assert list(checks.check_stored(model(), rows())) == []
    lost, scored = checks.check_stored(Reread(**own), rows())
    assert "is read as" in lost.detail
    assert scored.detail == "it scores otherwise"
    (unread,) = checks.check_stored(Unreadable(**own), rows())
    assert "begins with its own name" in unread.detail


def test_a_prediction_that_moves_against_its_direction_is_found() -> None:
    """In a model that was learnt without, and there alone; a column without direction is not looked at."""
    spec = quick_spec()
    assert list(checks.check_directions(spec, model(), table())) == []
    turned = replace(spec, columns=tuple(replace(one, monotone=-one.monotone) for one in spec.columns))
    found = list(checks.check_directions(turned, model(), table()))
    assert {one.rule for one in found} == {"predictions move as declared"}
    assert [one.place for one in found] == ["debt", "income"]


def test_a_missing_value_without_a_prediction_is_found() -> None:
    """In the column where it is."""
    assert list(checks.check_missing(quick_spec(), model(), table())) == []
    (found,) = checks.check_missing(quick_spec(), replace(model(), forest=Lost(model().forest)), table())
    assert (found.rule, found.place) == ("a missing value is no missing prediction", "debt")


class Certain(Calibration):
    """A calibration that is sure of what scores low, and less so the higher it scores."""

    def apply(self, raw: Any) -> checks.Reals:
        """Return chances that fall from 1."""
        return np.clip(0.5 - np.asarray(raw), 0.25, 1.0)


TURNED = Certain("none")


def test_chances_that_are_none_are_found() -> None:
    """Certainty, and less of it for a higher score."""
    assert list(checks.check_chances(model(), rows())) == []
    found = rules(checks.check_chances(replace(model(), calibration=TURNED), rows()))
    assert found == ["chances are between 0 and 1", "chances never fall where scores rise"]
    assert list(checks.check_chances(replace(model(), calibration=None), rows())) == []
