"""What came of an experiment, as tables and as a document."""

from __future__ import annotations

import math
from typing import Any, Final

from formicary.base.times import time_text
from formicary.factory.experiments.analysis import DAY_NS, Comparison, Look, Results
from formicary.surfaces.cli.output import note, write_table

__all__ = ["results_document", "write_results"]

_ARM_COLUMNS: Final = ("arm", ">weight", ">met it", ">not known yet", ">count")
_COLUMNS: Final = (
    *("metric", "arm", "verdict", ">first arm", ">other arm", ">difference"),
    *("at any time", ">p", "one look"),
)


def results_document(found: Results) -> dict[str, Any]:
    """Return results as plain values; what cannot be said is None."""
    return {
        "days": [time_text(int(day) * DAY_NS)[:10] for day in found.days],
        "arms": [
            {"arm": arm, "weight": weight, "exposed": exposed, "waiting": waiting, "analysed": analysed}
            for arm, weight, exposed, waiting, analysed in _arms(found)
        ],
        "exposed_p_value": found.exposed_p_value,
        "analysed_p_value": found.analysed_p_value,
        "mismatch": found.is_mismatched,
        "comparisons": [_comparison(one) for one in found.comparisons],
    }


def _arms(found: Results) -> list[tuple[str, int, int, int, int]]:
    counts = (found.exposed.tolist(), found.waiting.tolist(), found.analysed.tolist())
    return list(zip(found.definition.arms, found.definition.arms.values(), *counts, strict=True))


def _comparison(one: Comparison) -> dict[str, Any]:
    low, high, p_value = one.fixed
    return {
        "metric": one.metric.name,
        "arm": one.arm,
        "guardrail": one.metric.is_guardrail,
        "verdict": one.verdict,
        "control": _plain(one.control),
        "treatment": _plain(one.treatment),
        "difference": _plain(one.estimate),
        "one_look": {"low": _plain(low), "high": _plain(high), "p_value": _plain(p_value)},
        "theta": _plain(one.theta),
        "variance_reduction": _plain(one.variance_reduction),
        "sequence": _sequence(one.look),
    }


def _sequence(look: Look) -> dict[str, Any]:
    decided = int(look.decided)
    return {
        "estimate": [_plain(value) for value in look.estimate.tolist()],
        "low": [_plain(value) for value in look.low.tolist()],
        "high": [_plain(value) for value in look.high.tolist()],
        "p_value": [_plain(value) for value in look.p_value.tolist()],
        "decided": None if decided < 0 else decided,
    }


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def write_results(name: str, found: Results) -> None:
    """Write results as tables; that they cannot be believed goes to stderr."""
    rows = [[arm, *(f"{count:,}" for count in counts)] for arm, *counts in _arms(found)]
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
