"""``formicary models watch``: what changed is told, with its figures, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from formicary.base.purposes import Purpose
from formicary.factory.models.questions import Question
from formicary.factory.models.spec import Column, ModelSpec
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.factory.decisions.shop import POINTS
from tests.factory.features.training_kit import source_of
from tests.factory.registry.watch_kit import DAYS, LABEL, shop_of_days
from tests.surfaces.cli.kit import MemoryProgram, Terminal

SPEC = ModelSpec(
    name="risk_model",
    owner="tests",
    predicts="The chance that it is bad.",
    columns=(Column(name="asked", reason="The amount is high."),),
    question=Question(features="risk", purpose=Purpose.FRAUD, label=LABEL),
)


class _Registry:
    """A registry of which only the journal is read."""

    def __init__(self, source: Any) -> None:
        self.source = source


@pytest.fixture
def shop(program: MemoryProgram) -> MemoryProgram:
    """Give the program the journal of a shop and what is declared there."""
    program.models = _Registry(replace(source_of(shop_of_days().journal), block_rows=500))  # type: ignore[assignment]
    program.decision_points = POINTS
    program.specs = {SPEC.name: SPEC}
    return program


def test_changes_are_told(terminal: Terminal, shop: MemoryProgram) -> None:
    """Columns, days outside their band, and delays, in tables and as one document."""
    del shop
    assert terminal.run("models", "watch", "risk_model", "--days", "2") == ExitCode.FINDINGS
    assert f"payment, {80 * DAYS} decisions: 2023-11-22 to 2023-11-23 compared with" in terminal.out
    assert "score.risk" in terminal.out
    assert "shifted" in terminal.out
    assert "Outcomes told: 64 of 720" in terminal.out
    told = terminal.json("models", "watch", "risk_model", "--days", "2")
    (point,) = told["points"]
    assert told["model"] == "risk_model"
    assert point["decisions"] == 80 * DAYS
    assert point["drift"]["columns"][0]["verdict"] == "shifted"
    assert [one["horizon_ns"] for one in point["delay"]["within"]][:2] == [86_400 * 10**9, 2 * 86_400 * 10**9]


def test_where_nothing_can_be_compared_nothing_is_told(terminal: Terminal, shop: MemoryProgram) -> None:
    """Of a reference that is all there is; without a declaration there is no delay."""
    shop.specs = {}
    assert terminal.run("models", "watch", "risk_model", "--days", "30") == ExitCode.DONE
    assert "Nothing changed that is more than chance." in terminal.err
    assert "Outcomes told" not in terminal.out
    shop.specs = {SPEC.name: replace(SPEC, question=None)}
    last = str(int(shop_of_days().decisions[-1]["position"]) + 1)
    assert terminal.run("models", "watch", "risk_model", "--first", last) == ExitCode.DONE
    assert "No decision has a score of it." in terminal.err


def test_other_features_are_said(terminal: Terminal, shop: MemoryProgram) -> None:
    """What could not be compared is no silence."""
    features = replace(POINTS["payment"].reads[0], features=POINTS["payment"].reads[0].features[:2])
    point = replace(POINTS["payment"], feature_set=features)
    shop.decision_points = {"payment": point}
    terminal.run("models", "watch", "risk_model", "--days", "2")
    assert "720 decision(s) with another number of features were not compared." in terminal.err


def test_a_model_that_is_not_registered_is_refused(terminal: Terminal, shop: MemoryProgram) -> None:
    """There is nothing to watch."""
    del shop
    assert terminal.run("models", "watch", "nobody") == ExitCode.REFUSED
