"""docs/monitoring.md says the limits that the code has, and its examples run."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import msgspec

from formicary.factory.features.quality import verdicts
from formicary.factory.monitoring import (
    calibration_by_segment,
    drift,
    fairness,
    less_discriminatory,
    residuals,
    shares,
)

PAGE = Path(__file__).parents[2] / "docs" / "monitoring.md"
SOURCES = (shares, verdicts, drift, residuals, calibration_by_segment, fairness, less_discriminatory)


def test_examples_run() -> None:
    """What the page shows is what happens."""
    failures, examples = doctest.testfile(str(PAGE), module_relative=False)
    assert examples > 0
    assert failures == 0


def test_limits_are_those_of_the_code() -> None:
    """In the table, one row for one or several, with their values in the same order."""
    table = PAGE.read_text().partition("| limit |")[2].partition("\n\n")[0]
    told = dict[str, list[float]]()
    for row in table.splitlines()[2:]:
        _, names, _, values, _ = row.split("|")
        told[names.strip()] = [float(value) for value in values.split(",")]
    known = {name: value for module in SOURCES for name, value in vars(module).items() if name.isupper()}
    assert len(told) == 10
    for says, numbers in told.items():
        found = [known[name] for name in re.findall(r"`(\w+)`", says)]
        declared = msgspec.structs.astuple(found[0]) if isinstance(found[0], msgspec.Struct) else found
        assert list(declared) == numbers
