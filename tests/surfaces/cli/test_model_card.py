"""The page of a model: what it shows, and that nobody's words become part of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from formicary.factory.models.calibration import Calibration
from formicary.factory.models.judgement import NO_DATA, JudgedColumn, Judgement
from formicary.factory.models.model import Model
from formicary.factory.models.scorecard import PointsScale
from formicary.factory.models.spec import Column, ModelSpec
from formicary.factory.registry import Alias, Metrics
from formicary.factory.registry.reading import AliasChange, ModelVersion
from formicary.surfaces.cli.model_card import card_page
from tests.surfaces.cli.registry_kit import SPEC, trained_model

HOSTILE = "</title><script>alert(1)</script><img src=x onerror='alert(2)'>\"&"
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """The elements of a page, its text, and whether every element ends where it must."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the one that is open."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note what is read."""
        self.texts.append(data.strip())


def version_of(model: Model, **changed: Any) -> ModelVersion:
    """Return what was said of a model when it was registered."""
    said: dict[str, Any] = {
        "model": model.name,
        "version": 2,
        "hash": model.hash,
        "position": 90,
        "at": 1_700_000_000 * 10**9,
        "spec_hash": model.spec_hash,
        "manifest": {"range": [1, 89]},
        "metrics": Metrics(forest={"brier": 0.125, "area_under_roc": 0.75}, scorecard={"brier": 0.25}),
        "columns": list(SPEC.names),
        "note": "",
    }
    return ModelVersion(**(said | changed))


def change(**changed: Any) -> AliasChange:
    """Return a move of an alias."""
    said: dict[str, Any] = {"model": "repayment", "alias": Alias.CHAMPION, "hash": "", "version": 0}
    said |= {"previous": "", "reason": "None is good.", "position": 99, "at": 10**18}
    return AliasChange(**(said | changed))


def page_of(
    model: Model, version: ModelVersion, history: Sequence[AliasChange] = (), spec: ModelSpec | None = SPEC
) -> Page:
    """Return a card, taken apart; it is whole, and loads nothing."""
    page = Page(card_page(model, version, history, spec))
    assert page.open == []
    assert not {"script", "img", "iframe", "object", "link"} & {tag for tag, _ in page.elements}
    attributes = {name for _, found in page.elements for name in found}
    assert not {"src", "href", "style"} & attributes
    assert not any(name.startswith("on") for name in attributes)
    policy = next(found["content"] for tag, found in page.elements if "http-equiv" in found and tag == "meta")
    assert str(policy).startswith("default-src 'none'")
    return page


def test_all_of_it_is_shown() -> None:
    """What it predicts, for whom, from what, what it showed, its points and who decided when."""
    model = trained_model()
    texts = page_of(
        model, version_of(model, note="Good."), [change(version=2, hash=model.hash), change()]
    ).texts
    for expected in (
        SPEC.predicts,
        SPEC.owner,
        model.hash,
        "2023-11-14T22:13:20.000000000Z, position 90",
        "The debt is high.",
        "raise it",
        "lower it",
        "Good.",
        f"{model.evidence.rows:,}",
        "0.7500",
        "0.1250",
        "None is good.",
        "champion",
    ):
        assert expected in texts
    assert any('"range": [' in text for text in texts)
    assert model.scorecard is not None
    start = float(model.scorecard.scale.points(np.array([model.scorecard.intercept]))[0])
    assert any(f"it starts at {start:.1f} points" in text for text in texts)
    for one in model.scorecard.bins():
        assert one.bin in texts
        assert f"{one.points:+.1f}" in texts
    assert any("0 baker" in text for text in texts)
    assert not any("not the present one" in text for text in texts)


def test_a_model_that_nobody_declares_here() -> None:
    """Its columns have no reasons; nothing else is missing."""
    model = trained_model()
    page = page_of(model, version_of(model, manifest={}), spec=None)
    assert "debt" in page.texts
    assert "The debt is high." not in page.texts
    assert "No manifest was registered with it." in page.texts
    assert "No version ever had one." in page.texts


def test_another_specification_is_said_to_be_one() -> None:
    """Its reasons may be others than those that were meant."""
    model = trained_model()
    page = page_of(model, version_of(model), spec=replace(SPEC, seed=6))
    assert any("which is not the present one" in text for text in page.texts)


@pytest.mark.parametrize(
    ("calibration", "expected"),
    [
        (Calibration("none"), "None: the raw score is the log odds."),
        (Calibration("platt", slope=1.5, intercept=-0.25), "1.5000 times the raw score, plus -0.2500."),
        (Calibration("isotonic", scores=(-1.0, 2.0), probabilities=(0.125, 0.75)), "12.50%"),
    ],
)
def test_every_calibration_is_told(calibration: Calibration, expected: str) -> None:
    """Knots, a line or nothing."""
    model = replace(trained_model(), calibration=calibration)
    assert expected in " ".join(page_of(model, version_of(model)).texts)


def test_a_model_of_amounts_has_neither_chances_nor_scorecard() -> None:
    """The page says so."""
    evidence = replace(trained_model().evidence, scorecard_absent="An amount has no log odds.")
    model = replace(trained_model(), calibration=None, scorecard=None, evidence=evidence)
    texts = page_of(model, version_of(model)).texts
    assert "The score is an amount, not a chance." in texts
    assert "An amount has no log odds." in texts


def test_nobodys_words_become_part_of_the_page() -> None:
    """A name, a note, a reason, a column, a manifest, a category and a metric that want to be a script."""
    evidence = replace(trained_model().evidence, suspected={HOSTILE: HOSTILE})
    plain = trained_model().scorecard
    assert plain is not None
    card = replace(plain, notes=(HOSTILE,))
    model = replace(
        trained_model(), name=HOSTILE, evidence=evidence, scorecard=card, categories={HOSTILE: (HOSTILE,)}
    )
    spec = replace(SPEC, name=HOSTILE, owner=HOSTILE, predicts=HOSTILE)
    spec = replace(spec, columns=(Column(name=HOSTILE, reason=HOSTILE),))
    said: dict[str, Any] = {"manifest": {HOSTILE: HOSTILE}, "columns": [HOSTILE], "note": HOSTILE}
    version = version_of(model, metrics=Metrics(forest={HOSTILE: 0.5}), **said)
    page = page_of(model, version, [change(reason=HOSTILE)], spec)
    assert page.texts.count(HOSTILE) >= 9
    assert [tag for tag, _ in page.elements].count("title") == 1


def test_what_was_declared_says_so() -> None:
    """No data stand behind a judgement, and nothing that it showed is told."""
    debt = JudgedColumn(name="debt", ends=(0.0,), points=(0, -20), missing=0, shares=(50, 50))
    judged = Judgement(spec=SPEC, scale=PointsScale(), start=600.0, columns=(debt,)).model()
    texts = page_of(judged, version_of(judged, metrics=Metrics(forest={}, scorecard={}))).texts
    for expected in (
        "It was not learnt but declared. No data stand behind its chances.",
        "None: nobody has seen yet how what it predicts comes out.",
        "The model itself: it starts at 600.0 points, and more are better.",
        NO_DATA,
        "-20.0",
        "+0.0",
    ):
        assert expected in texts
    assert "metric" not in texts
