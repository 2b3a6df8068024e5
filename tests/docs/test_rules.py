"""docs/rules.md explains what a document of rules is made of, and its examples run."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from formicary.base import limits
from formicary.factory.decisions import cases, cost_documents, documents
from formicary.factory.decisions.expressions import FUNCTIONS, UNITS

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
TEXT = PAGE.read_text()


def rows(heading: str) -> list[str]:
    """Return the rows of the table under a heading row."""
    table = re.search(rf"^\| {re.escape(heading)} \|.*\n\|.*\n((?:\|.*\n)*)", TEXT, re.MULTILINE)
    assert table, heading
    return table[1].splitlines()


def test_examples_run() -> None:
    """What the page shows is what happens."""
    failures, examples = doctest.testfile(str(PAGE), module_relative=False)
    assert examples > 0
    assert failures == 0


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("a set says", documents._SET),
        ("a rule says", documents._RULE),
        ("a case says", cases._CASE),
        ("costs say", cost_documents._FIELDS),
    ],
)
def test_every_field_is_explained(heading: str, known: dict[str, bool]) -> None:
    """Whoever writes a document finds each field, in its order."""
    assert [row.split("`")[1] for row in rows(heading)] == list(known)


def test_every_function_is_explained() -> None:
    """Every function of the language has a place in the table."""
    assert {*FUNCTIONS, *UNITS} <= set(re.findall(r"(\w+)\(", " ".join(rows("written"))))


def test_limits_are_those_of_the_code() -> None:
    """A limit that changes is told as it is."""
    told = TEXT.partition("## Limits")[2]
    numbers = (limits.RULES_MAX, limits.RULE_LISTS_MAX, limits.RULE_LIST_ENTRIES_MAX)
    assert all(
        f"{number:,}" in told for number in (*numbers, limits.RULE_CHARACTERS_MAX, limits.RULE_DEPTH_MAX)
    )
    assert f"{limits.RULE_DOCUMENT_BYTES_MAX >> 20} MiB" in told
    others = (
        limits.RULE_CASES_MAX,
        limits.BACKTEST_ROWS_MAX,
        limits.MONEY_DAYS_MAX,
        limits.MONEY_SEGMENTS_MAX,
    )
    assert all(f"{number:,}" in told for number in others)
