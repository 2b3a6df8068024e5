"""docs/loan-schedules.md explains terms, conventions and rows, and its examples run."""

from __future__ import annotations

import dataclasses
import doctest
import re
from enum import IntEnum
from pathlib import Path

import pytest

from formicary.products.lending import schedules
from formicary.products.lending.schedules import DayCount, Excess, Method, Row, ScheduleRefused, Terms

PAGE = Path(__file__).parents[2] / "docs" / "loan-schedules.md"
TEXT = PAGE.read_text()


def told(heading: str) -> list[str]:
    """Return the names in the first column of a table, by the beginning of its heading."""
    table = re.search(rf"^\| {re.escape(heading)} \|.*\n\|.*\n((?:\|.*\n)*)", TEXT, re.MULTILINE)
    assert table
    return [name for row in table[1].splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])]


def test_examples_run() -> None:
    """What the page shows is what happens."""
    failures, examples = doctest.testfile(str(PAGE), module_relative=False)
    assert examples > 0
    assert failures == 0


@pytest.mark.parametrize(("heading", "declared"), [("terms say", Terms), ("a row says", Row)])
def test_every_field_is_explained(heading: str, declared: type[Terms | Row]) -> None:
    """In the table, and none that there is not."""
    assert sorted(told(heading)) == sorted(field.name for field in dataclasses.fields(declared))


@pytest.mark.parametrize(
    ("heading", "declared"), [("convention", DayCount), ("method", Method), ("`Excess`", Excess)]
)
def test_every_convention_is_explained(heading: str, declared: type[IntEnum]) -> None:
    """In the order of their numbers."""
    assert told(heading) == [one.name for one in declared]


def test_every_refusal_is_explained() -> None:
    """With what it is about; and what schedules export is exported once."""
    codes = {kind.code for kind in ScheduleRefused.__subclasses__()}
    assert set(told("code")) == codes | {"malformed_date"}
    assert sorted(set(schedules.__all__)) == sorted(schedules.__all__)
