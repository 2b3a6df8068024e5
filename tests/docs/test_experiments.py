"""docs/experiments.md explains every field, event and verdict, and its examples run."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import msgspec
import pytest

from formicary.base import limits
from formicary.factory.experiments import EXPERIMENTS_PRODUCT, Cause
from formicary.factory.experiments.analysis import Verdict
from formicary.factory.experiments.definitions import (
    Definition,
    Direction,
    Holdout,
    Kind,
    LotRange,
    Metric,
    read_definition,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "experiments.md"
TEXT = PAGE.read_text()


def names(heading: str) -> list[str]:
    """Return the names in the first column of the table under a heading row."""
    table = re.search(rf"^\| {re.escape(heading)} \|.*\n\|.*\n((?:\|.*\n)*)", TEXT, re.MULTILINE)
    assert table, heading
    return [row.split("`")[1] for row in table[1].splitlines()]


def test_examples_run() -> None:
    """What the page shows is what happens."""
    failures, examples = doctest.testfile(str(PAGE), module_relative=False)
    assert examples > 0
    assert failures == 0


@pytest.mark.parametrize(
    ("heading", "struct"),
    [
        ("field of an experiment", Definition),
        ("field of lots", LotRange),
        ("field of a holdout", Holdout),
        ("field of a metric", Metric),
    ],
)
def test_every_field_is_explained(heading: str, struct: type[msgspec.Struct]) -> None:
    """In the order in which it is declared."""
    assert names(heading) == [field.name for field in msgspec.structs.fields(struct)]


def test_every_event_is_explained() -> None:
    """Whoever reads the journal finds each."""
    kinds = {EXPERIMENTS_PRODUCT.event_kind(event) for event in EXPERIMENTS_PRODUCT.events}
    assert {*names("event")} == kinds


def test_every_word_is_there() -> None:
    """Kinds, directions, causes and verdicts, and the limits as they are."""
    words = [*Kind, *Direction, *Cause, *(one for one in Verdict if one is not Verdict.UNDECIDED)]
    assert [word for word in words if f"`{word}`" not in TEXT] == []
    assert f"2 to {limits.EXPERIMENT_ARMS_MAX} of them" in TEXT
    assert f"Up to {limits.LAYER_EXPERIMENTS_MAX} run" in TEXT
    assert f"up to {limits.FACTS_PER_EVENT_MAX:,} parties" in TEXT
    assert f"each arm has {limits.EXPERIMENT_ARM_PARTIES_MIN} parties" in TEXT


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "experiments").glob("*.yaml")), ids=str)
def test_examples_are_well_formed(path: Path) -> None:
    """A document to begin from can be defined as it is."""
    assert read_definition(path.read_text()).experiment == path.stem
