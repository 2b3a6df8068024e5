"""docs/aggregates.md: the product that it builds is one, and limits are those of the code."""

from __future__ import annotations

import doctest
from pathlib import Path

from formicary.base.limits import REQUEST_ITEMS_MAX, SWEEP_BYTES_MAX
from formicary.factory.engine.columns import IDS

PAGE = Path(__file__).parents[2] / "docs" / "aggregates.md"


def test_examples_run() -> None:
    """What the page builds keeps the contract of products."""
    failures, examples = doctest.testfile(str(PAGE), module_relative=False)
    assert examples > 0
    assert failures == 0


def test_limits_are_those_of_the_code() -> None:
    """So many ids, numbers and transfers fit."""
    text = PAGE.read_text()
    assert f"at most {REQUEST_ITEMS_MAX:,} transfers" in text
    assert f"more than {SWEEP_BYTES_MAX >> 10} KiB" in text
    for size, count in ((IDS.dtype.itemsize, 4_500), (8, 9_200)):
        assert f"up to {count:,}" in text
        assert 0 <= SWEEP_BYTES_MAX - 4 * size * count // 3 < 4_000
