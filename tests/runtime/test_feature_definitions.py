"""A team's own features: one file is run, what it defines is taken up, what is wrong with it is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from formicary.factory.engine.state import FactoryState
from formicary.factory.features.errors import (
    BudgetExceeded,
    DefinitionsUnusable,
    DuplicateFeature,
    FeatureMalformed,
    FeatureRefused,
    UnknownField,
)
from formicary.runtime.feature_definitions import sets_in
from formicary.runtime.products import PRODUCTS, feature_sets, products_of
from formicary.runtime.settings import Settings

HEAD = """\
from formicary.factory.features.aggregates import count
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.kinds import EventKind, Facts, party

VISIT = EventKind("visit", Facts("visit"), visitor=party())


def visits(**options):
    return [Feature(name="visits", value=count(VISIT, **options), unit="visits", meaning="How many.")]
"""
TEAM = """
TEAM = FeatureSet(name="team", on=VISIT, features=visits(by="visitor", over="7d"), owner="us")
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of definitions; return its place."""

    def written(text: str) -> Path:
        path = tmp_path / "team.py"
        path.write_text(dedent(text))
        return path

    return written


def test_sets_are_taken_up_in_their_order(write: Write) -> None:
    """What has a name at the top level counts, each set once, whatever else is there."""
    more = 'AGAIN = TEAM\nother = FeatureSet(name="other", on=VISIT, features=[], owner="us")\nX = [other]\n'
    sets = sets_in(write(HEAD + TEAM + more))
    assert [one.name for one in sets] == ["team", "other"]


def test_nothing_else_is_run_or_left_behind(write: Write, tmp_path: Path) -> None:
    """A module beside the file is not found, and no folder of compiled code appears."""
    (tmp_path / "beside.py").write_text("raise SystemExit")
    path = write(HEAD + TEAM)
    sets_in(path)
    assert {one.name for one in tmp_path.iterdir()} == {"beside.py", "team.py"}
    with pytest.raises(DefinitionsUnusable, match=r"team\.py:1: ModuleNotFoundError"):
        sets_in(write("import beside"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "team.py: no FeatureSet"),
        ("X = 5", "team.py: no FeatureSet"),
        ("x = (\n", "team.py:1: "),
        ("\nx = nothing", "team.py:2: NameError: name 'nothing'"),
        ("\n\nx = 1 / 0", "team.py:3: ZeroDivisionError"),
        ("def f():\n    raise ValueError('no')\n\nf()", "team.py:2: ValueError: no"),
        ("import sys\nsys.nothing", "team.py:2: AttributeError"),
        ("x\0", "team.py: ValueError"),
    ],
)
def test_a_file_that_fails(write: Write, text: str, said: str) -> None:
    """Whatever goes wrong in it is one line that names the file and the line of it."""
    path = write(text)
    with pytest.raises(DefinitionsUnusable) as caught:
        sets_in(path)
    # Python says of a null byte that it is an error of a value, or from 3.12 on one of syntax.
    expected = "team.py" if "\0" in text else said
    assert str(caught.value).startswith(f"{path.parent}/{expected}")


@pytest.mark.parametrize("name", ["nowhere.py", "."])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    """A wrong path is said as such."""
    with pytest.raises(DefinitionsUnusable, match="Error: "):
        sets_in(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("EventKind('Visit')", FeatureMalformed, "team.py:10: Visit: "),
        ("VISIT['visitor'] + 'x'", FeatureRefused, "team.py:10: 'x' is neither"),
        ("FeatureSet(name='x', on=VISIT, features=[5], owner='us')", FeatureMalformed, "team.py:10: x: "),
    ],
)
def test_a_definition_that_is_wrong_at_first_sight(
    write: Write, text: str, kind: type[FeatureRefused], said: str
) -> None:
    """What a definition refuses itself keeps its code, and gets its line if it has none."""
    path = write(HEAD + text)
    with pytest.raises(kind) as caught:
        sets_in(path)
    assert str(caught.value).startswith(f"{path.parent}/{said}")


def test_without_a_file_the_products_are_as_they_are() -> None:
    """Nothing is looked for that was not named."""
    assert products_of(Settings(home=Path("nowhere"))) is PRODUCTS
    assert feature_sets(None) == tuple(one for product in PRODUCTS for one in product.features)


def test_a_teams_sets_reach_the_factory(write: Write, tmp_path: Path) -> None:
    """They stand with the product of facts, and the state keeps rows for them beside the others."""
    settings = Settings(home=tmp_path, features=write(HEAD + TEAM))
    products = products_of(settings)
    assert [product.name for product in products] == [product.name for product in PRODUCTS]
    (facts,) = [product for product in products if product.name == "facts"]
    assert [one.name for one in facts.features] == ["team"]
    for before, product in zip(PRODUCTS, products, strict=True):
        # Whoever stands beside one that changed is a new one; the others are as they were.
        assert all(any(one is other for other in products) for one in product.neighbours)
        is_renewed = product is facts or any(one not in PRODUCTS for one in product.neighbours)
        assert (product is not before) == is_renewed
    beside = [product.name for product in products if facts in product.neighbours]
    assert {"appeal", "score_dispute", "loan"} <= set(beside)
    state = FactoryState(tmp_path / "engine", products)
    assert state.features is not None
    assert list(state.features.compiled.views) == [
        "team",
        "payment_risk",
        "party_flows",
        "credit_facts",
        "merchant_credit",
        "merchant_weeks",
    ]
    assert [one.name for one in feature_sets(settings.features)][-1] == "team"


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (
            TEAM.replace("team", "party_flows"),
            DuplicateFeature,
            "party_flows: the product payment_refund has",
        ),
        (TEAM + TEAM.replace("TEAM", "AGAIN"), DuplicateFeature, "team: also the name of a set"),
        (TEAM.replace('"visitor"', '"nobody"'), UnknownField, "visits: visit has no field"),
        (TEAM.replace('"us"', '"us", key_bytes_max=8'), BudgetExceeded, "team: the keys"),
    ],
)
def test_nothing_starts_with_wrong_definitions(
    write: Write, text: str, kind: type[FeatureRefused], said: str
) -> None:
    """What the factory could not compile is refused before any process runs, with file and line."""
    settings = Settings(home=Path("nowhere"), features=write(HEAD + text))
    with pytest.raises(kind, match=rf"team\.py:\d+: {said}"):
        products_of(settings)
