"""What came of an experiment, as plain values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from formicary.base.times import time_text
from formicary.factory.experiments.definitions import DAY_NS

if TYPE_CHECKING:
    from formicary.factory.experiments.analysis import Comparison, Look, Results

__all__ = ["arms_of_results", "results_document"]


def results_document(found: Results) -> dict[str, Any]:
    """Return results as plain values; what cannot be said is None."""
    return {
        "days": [time_text(int(day) * DAY_NS)[:10] for day in found.days],
        "arms": [
            {"arm": arm, "weight": weight, "exposed": exposed, "waiting": waiting, "analysed": analysed}
            for arm, weight, exposed, waiting, analysed in arms_of_results(found)
        ],
        "exposed_p_value": found.exposed_p_value,
        "analysed_p_value": found.analysed_p_value,
        "mismatch": found.is_mismatched,
        "comparisons": [_comparison(one) for one in found.comparisons],
    }


def arms_of_results(found: Results) -> list[tuple[str, int, int, int, int]]:
    """Return of each arm its name, its weight, and how many met it, wait, and count."""
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
