"""The page of results: what it shows, and that nobody's words become part of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from formicary.factory.experiments import Cause, ExperimentStatus
from formicary.factory.experiments.analysis import Results
from formicary.factory.experiments.reading import Experiment
from formicary.surfaces.experiments.page import chart_of, result_page
from tests.factory.experiments.kit import document_of
from tests.factory.experiments.test_analysis import BEGIN, World
from tests.surfaces.cli.test_model_card import HOSTILE, Page

NOW = BEGIN + 30 * 86_400 * 10**9


def experiment(**changed: Any) -> Experiment:
    """Return an experiment that was stopped."""
    said: dict[str, Any] = {
        "name": "short_form",
        "layer": "checkout",
        "first": 0,
        "count": 10,
        "arms": ["control", "short"],
        "document": document_of(),
        "defined": BEGIN,
        "status": ExperimentStatus.STOPPED,
        "started": BEGIN,
        "stopped": NOW,
        "cause": Cause.HARM,
        "reason": HOSTILE,
    }
    return Experiment(**(said | changed))


def page_of(found: Results, **changed: Any) -> Page:
    """Return a page, taken apart; it is whole, and loads nothing."""
    page = Page(result_page(experiment(**changed), found, until=NOW))
    assert page.open == []
    assert {tag for tag, _ in page.elements} & {"script", "img", "link"} == set()
    assert not any(
        name in {"src", "href", "onerror"} for _, attributes in page.elements for name in attributes
    )
    return page


def test_what_is_shown() -> None:
    """Arms, verdicts, a chart of each sequence, and what was tried."""
    found = World().adds("spent", 0.8).adds("stayed", -1.5).analysed()
    page = page_of(found)
    told = " ".join(" ".join(page.texts).split())
    for text in (
        "Fewer fields, more orders.",
        "spend, short: better",
        "stay, short: harmful",
        "A guardrail: a harm of 0.5 is tolerated.",
        "Decided on 2022-01-",
        "variance that before took away",
        "stopped, harm",
        HOSTILE,
    ):
        assert text in told
    assert [tag for tag, _ in page.elements].count("polygon") == 4
    assert "nothing below may be believed" not in told


def test_what_is_not_known_yet() -> None:
    """An experiment that runs, nobody's outcome, or too few to say anything."""
    running = {"status": ExperimentStatus.RUNNING, "stopped": 0, "cause": None}
    early = page_of(World(outcome_days=7).analysed(until=BEGIN), **running)
    assert "No outcome is known yet." in early.texts
    defined = page_of(World(count=150).analysed(), **running, started=0, reason="")
    assert "There are too few parties to say anything, or all of them did the same." in defined.texts
    assert "polygon" not in [tag for tag, _ in defined.elements]


def test_uneven_arms_are_said_first() -> None:
    """Nothing of it may be believed."""
    world = World()
    void = page_of(world.analysed(rows=(world.arms == 0) | (np.arange(world.count) % 3 > 0)))
    assert "nothing below may be believed" in " ".join(" ".join(void.texts).split())


@pytest.mark.parametrize("place", [0, 2, 3])
def test_a_chart_holds_what_is_drawn(place: int) -> None:
    """Every point lies within it, a guardrail's reference at the harm that is tolerated."""
    one = World().analysed().comparisons[place]
    chart = chart_of(one)
    assert chart is not None
    points = [tuple(map(float, point.split(","))) for key in ("band", "line") for point in chart[key].split()]
    assert all(90 <= x <= 588 and 12 <= y <= 168 for x, y in points)
    assert chart["reference_text"] == {0: "0", 2: "+0.05", 3: "-0.5"}[place]
    middle = float(chart["reference"]) - 90
    assert (middle > 0) == (place == 3) or place == 0
    silent = replace(one.look, estimate=np.full_like(one.look.estimate, np.nan))
    assert chart_of(replace(one, look=silent)) is None
