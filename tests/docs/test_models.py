"""docs/models.md explains what a model is made of, and its examples run."""

from __future__ import annotations

import dataclasses
import doctest
import re
from pathlib import Path

import pytest

from formicary.factory.models.questions import Label, Question
from formicary.factory.models.spec import Column, Gates

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def test_examples_run() -> None:
    """What the page shows is what happens."""
    failures, examples = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    )
    assert examples > 0
    assert failures == 0


@pytest.mark.parametrize(("says", "declared"), [("column", Column), ("gate", Gates)])
def test_every_field_is_explained(says: str, declared: type[Column | Gates]) -> None:
    """In the order in which it is declared."""
    table = re.search(rf"^\| a {says} says \|.*\n\|.*\n((?:\|.*\n)*)", PAGE.read_text(), re.MULTILINE)
    assert table
    told = [row.split("`")[1] for row in table[1].splitlines()]
    assert told == [field.name for field in dataclasses.fields(declared)]


@pytest.mark.parametrize(("told", "declared"), [("a label", Label), ("a question", Question)])
def test_every_field_of_a_question_is_explained(told: str, declared: type) -> None:
    """Several may share a row."""
    table = re.search(rf"^\| {told} says \|.*\n\|.*\n((?:\|.*\n)*)", PAGE.read_text(), re.MULTILINE)
    assert table
    names = [name for row in table[1].splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert names == [field.name for field in dataclasses.fields(declared)]
