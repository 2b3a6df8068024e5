"""The race of two by two on loans that were made up so that the outcome of it is known."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console

from benchmarks._credit_page import page_of
from benchmarks._credit_tables import print_figures
from benchmarks._horse_race import Contest, areas_of, protocol_figures, resamples, run_of
from benchmarks.credit import measure
from formicary.factory.models.metrics import area_under_roc
from formicary.factory.models.spec import Column, ModelSpec

ROWS = 400
SEARCH = (("num_leaves", (4,)), ("learning_rate", (0.2,)), ("feature_fraction", (1.0,)))


def spec(*names: str) -> ModelSpec:
    """Return a specification of quick models."""
    columns = tuple(Column(name=name, reason=f"{name} counted against it.") for name in names)
    return ModelSpec(
        name="made_up", owner="tests", predicts="What is bad.", columns=columns, trials=1, search=SEARCH
    )


@pytest.fixture(scope="module")
def contest() -> Contest:
    """Make up loans of which the applicant's word says little and the history much."""
    random = np.random.default_rng(1)
    labels = (np.arange(ROWS) % 4 == 0).astype(float)
    columns = {
        "word": np.round(labels + random.normal(size=ROWS), 0),
        "history": np.round(labels * 1.8 + random.normal(size=ROWS), 0),
    }
    return Contest(
        name="made_up",
        application=spec("word"),
        everything=spec("word", "history"),
        columns=columns,
        labels=labels,
        amounts=random.integers(1_000, 9_000, ROWS) * 100,
        parts=[[np.arange(ROWS) // 4 % 2 == part for part in range(2)]],
        protocol="every other four",
        second="a history",
        currency="EUR",
    )


def test_every_loan_is_judged_once_by_models_that_did_not_see_it(contest: Contest) -> None:
    """Labels of what is left out change no score of it."""
    out = contest.parts[0][0]
    turned = np.where(out, 1 - contest.labels, contest.labels)
    others = Contest(**{**vars(contest), "labels": turned, "parts": [[out]]})
    for model in ("forest", "scorecard"):
        run, again = (run_of(one, one.everything, model, cut_repeats=1) for one in (contest, others))
        assert not np.isnan(run.scores).any()
        assert run.approved.any()
        np.testing.assert_array_equal(run.scores[0, out], again.scores[0, out])
        np.testing.assert_array_equal(run.approved[0, out], again.approved[0, out])
    drawn = resamples(ROWS, seed=0)[:3]
    times = drawn[2]
    assert areas_of(contest, run, drawn)[2] == pytest.approx(
        area_under_roc(scores=np.repeat(run.scores[0], times), labels=np.repeat(contest.labels, times))
    )
    assert protocol_figures(contest, run)["AUC"] == pytest.approx(
        np.mean(
            [
                area_under_roc(scores=run.scores[0, rows], labels=contest.labels[rows])
                for rows in contest.parts[0]
            ]
        )
    )


def test_what_was_measured_is_shown(contest: Contest) -> None:
    """The history is found to be worth something in both measures; the page and the tables say so."""
    found = measure(contest, cut_repeats=1)
    for name in ("AUC", "money"):
        value, low, high = found["race"][name]["information"]
        assert low <= value <= high
        assert low > 0
        both = found["race"][name]["both"][0]
        assert found["race"][name]["modelling"][0] + value == pytest.approx(both)
    assert found["measured"]["forest, everything"]["AUC"] > 0.8
    output = Console(width=130, record=True, quiet=True)
    print_figures({"machine": {}, "contests": [found], "fairness": [], "seconds": 1.0}, output)
    page = page_of({"contests": [found]})
    assert page.count("<polyline") == page.count("<polygon") == 2
    for one in found["frontier"].values():
        assert one["under"] is None or f"{one['under']:.0%} approved" in page
