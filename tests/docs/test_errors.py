"""docs/errors.md names every error of the tree, and none that is not there."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import formicary
from formicary.base.errors import FormicaryError, OperationalFault, ProgrammingError, Refusal

TEXT = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()


def documented(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading, names without their marks."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip(" `") for cell in row] for row in rows]


def kinds_of(root: type[FormicaryError]) -> Iterator[type[FormicaryError]]:
    """Yield every kind of an error in the package; errors that tests declare are none of it."""
    for module in pkgutil.walk_packages(formicary.__path__, "formicary."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for kind in root.__subclasses__():
        if kind.__module__.startswith("formicary."):
            yield kind
            yield from kinds_of(kind)


def test_every_refusal_is_documented() -> None:
    """Each code stands in the table with its class, once, in alphabetical order."""
    refusals = {kind for kind in kinds_of(Refusal) if issubclass(kind, Refusal)}
    expected = sorted((kind.code, kind.__name__) for kind in refusals)
    assert [(row[0], row[1]) for row in documented("Refusals")] == [("refused", "Refusal"), *expected]
    assert {code for code, _ in expected} <= set(Refusal.codes())


def test_every_fault_is_documented() -> None:
    """Each kind of fault stands in the table, once, in alphabetical order."""
    assert [row[0] for row in documented("Faults")] == sorted(
        kind.__name__ for kind in kinds_of(OperationalFault)
    )


def test_every_programming_error_is_documented() -> None:
    """Each kind of programming error stands in the table."""
    names = sorted(kind.__name__ for kind in kinds_of(ProgrammingError))
    assert [row[0] for row in documented("Programming errors")] == names


def test_every_error_says_what_to_do() -> None:
    """A reader who has the error in front of them finds its meaning and a way on."""
    rows = [*documented("Refusals"), *documented("Faults")]
    assert [row for row in rows if not all(re.search(r"\w", cell) for cell in row)] == []
