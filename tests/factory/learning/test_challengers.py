"""A challenger is trained on what comes before the days that judge it, and released from all of them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from formicary.factory.learning.challengers import train_challenger
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.tables import table_of_rows
from formicary.factory.models.errors import LabelsTooFew
from tests.factory.learning.learning_kit import FIRST, PLAN, SPEC, clock, made_challenger, made_rows

DAYS = 16


def test_an_honest_challenger_passes_every_gate() -> None:
    """Of each there is one, with its figure."""
    found = made_challenger()
    assert found.is_passed, [gate for gate in found.gates if not gate.is_passed]
    assert [gate.name for gate in found.gates] == [
        "leaks",
        "money",
        "segment region",
        "calibration",
        "flips",
        "reproducible",
        "scorer",
        "stored",
        "monotone",
        "missing",
        "chances",
        "refit",
        "latency",
    ]
    assert found.gain > 0
    assert found.model.scorecard is not None
    assert found.model.evidence.forest["area_under_roc"] > 0.8


def test_the_same_rows_give_the_same_model() -> None:
    """The hash is that of another training."""
    again = train_challenger(replace(SPEC, seed=0), PLAN, made_rows(DAYS), None, window_days=0, clock=clock)
    assert again.model.hash == made_challenger().model.hash
    assert again.gates == made_challenger().gates


def test_a_window_leaves_out_what_is_older() -> None:
    """Days are counted back from those that judge."""
    rows = made_rows(DAYS)
    short = train_challenger(SPEC, PLAN, rows, None, window_days=8, clock=clock)
    recent = rows.between((FIRST + DAYS - PLAN.judged_days - 8) * DAY, (FIRST + DAYS) * DAY)
    assert short.learnt == len(table_of_rows(SPEC, recent, negatives_each=PLAN.negatives_each).labels)


def test_a_column_that_tells_the_label_is_caught() -> None:
    """The challenger is made, and refused by this gate."""
    rows = made_rows(DAYS)
    leaking = np.column_stack([rows.values[:, :2], rows.labels + 0.01 * rows.values[:, 2]])
    found = train_challenger(SPEC, PLAN, replace(rows, values=leaking), None, window_days=0, clock=clock)
    gate = next(one for one in found.gates if one.name == "leaks")
    assert not gate.is_passed
    assert "noise" in gate.said


def test_a_slow_one_is_caught() -> None:
    """By a clock on which it takes ten times as long as the champion."""
    ticks = itertools.cycle([0, 1_000, 0, 100])
    champion = made_challenger(1).model
    found = train_challenger(
        SPEC,
        replace(PLAN, latency_ratio_max=3.0, latency_free_ns=0),
        made_rows(DAYS),
        champion,
        window_days=0,
        clock=lambda: next(ticks),
    )
    gate = next(one for one in found.gates if one.name == "latency")
    assert gate.figure == 10.0
    assert not gate.is_passed


def test_negatives_that_are_left_out_are_weighed() -> None:
    """Together the rows weigh what all of them do; with few negatives all of them are kept."""
    rows = made_rows(DAYS)
    table = table_of_rows(SPEC, rows, negatives_each=1)
    positives = int(rows.labels.sum())
    assert len(table.labels) == 2 * positives
    assert table.weights.sum() == pytest.approx(len(rows))
    for each in (0, 1_000):
        assert len(table_of_rows(SPEC, rows, negatives_each=each).labels) == len(rows)


def test_too_few_labels_are_refused() -> None:
    """As any training of so few."""
    rows = made_rows(DAYS)
    few = replace(rows, labels=np.where(np.arange(len(rows)) < 10, rows.labels, 0).astype(np.int8))
    with pytest.raises(LabelsTooFew):
        train_challenger(SPEC, PLAN, few, None, window_days=0, clock=clock)
