"""What came of an experiment, as tables."""

from __future__ import annotations

import math
from typing import Final

from formicary.factory.experiments.analysis import Comparison, Results
from formicary.surfaces.cli.output import note, write_table
from formicary.surfaces.experiments.documents import arms_of_results

__all__ = ["write_results"]

_ARM_COLUMNS: Final = ("arm", ">weight", ">met it", ">not known yet", ">count")
_COLUMNS: Final = (
    *("metric", "arm", "verdict", ">first arm", ">other arm", ">difference"),
    *("at any time", ">p", "one look"),
)


def write_results(name: str, found: Results) -> None:
    """Write results as tables; that they cannot be believed goes to stderr."""
    rows = [[arm, *(f"{count:,}" for count in counts)] for arm, *counts in arms_of_results(found)]
    write_table(_ARM_COLUMNS, rows, title=name)
    if found.comparisons:
        write_table(_COLUMNS, [_row(one) for one in found.comparisons])
    if found.is_mismatched:
        chance = min(found.exposed_p_value, found.analysed_p_value)
        note(f"arms as uneven as these have a chance of {chance:.2g}: nothing of it may be believed")


def _row(one: Comparison) -> list[str]:
    low, high, p_value = one.fixed
    return [
        one.metric.name,
        one.arm,
        str(one.verdict),
        *(f"{value:.5g}" for value in (one.control, one.treatment)),
        f"{one.estimate:+.5g}",
        f"{_end(one.look.low[-1])} to {_end(one.look.high[-1])}",
        f"{one.look.p_value[-1]:.3g}",
        f"{low:+.5g} to {high:+.5g}, p {p_value:.3g}",
    ]


def _end(value: float) -> str:
    return f"{value:+.5g}" if math.isfinite(value) else "open"
