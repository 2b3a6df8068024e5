"""An experiment's results: one page of HTML with a chart of each sequence, with nothing beside it.

Names and reasons are other people's words: all of them are escaped, the page has no script, and a browser is
told to run and to load none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from formicary.base.times import time_text
from formicary.factory.experiments.analysis import Comparison, Results
from formicary.factory.experiments.definitions import DAY_NS, Direction
from formicary.factory.experiments.reading import Experiment

__all__ = ["chart_of", "result_page"]

Reals = npt.NDArray[np.float64]

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_WIDTH: Final = 600
_HEIGHT: Final = 180
# Left of the chart stand its numbers.
_LEFT: Final = 90
_EDGE: Final = 12


def result_page(experiment: Experiment, results: Results, *, until: int) -> str:
    """Return the page.

    Parameters
    ----------
    experiment
        As it stands.
    results
        What came of it.
    until
        When outcomes were looked at, in nanoseconds since 1970.
    """
    definition = results.definition
    return _TEMPLATES.get_template("page.html").render(
        experiment=experiment,
        definition=definition,
        status=experiment.status.name.lower(),
        started=time_text(experiment.started) if experiment.started else "",
        stopped=time_text(experiment.stopped) if experiment.stopped else "",
        until=time_text(until),
        arms=[
            (arm, weight, *(f"{int(one[place]):,}" for one in _counts(results)))
            for place, (arm, weight) in enumerate(definition.arms.items())
        ],
        is_mismatched=results.is_mismatched,
        exposed_p_value=f"{results.exposed_p_value:.3g}",
        analysed_p_value=f"{results.analysed_p_value:.3g}",
        comparisons=[_comparison(one, results) for one in results.comparisons],
        document=experiment.document,
    )


def _counts(results: Results) -> tuple[Any, Any, Any]:
    return results.exposed, results.waiting, results.analysed


def _comparison(one: Comparison, results: Results) -> dict[str, Any]:
    low, high, p_value = one.fixed
    decided = int(one.look.decided)
    return {
        "metric": one.metric.name,
        "arm": one.arm,
        "kind": one.metric.kind,
        "good": one.metric.good,
        "verdict": one.verdict,
        "is_guardrail": one.metric.is_guardrail,
        "tolerated": one.metric.tolerated_harm,
        "control": f"{one.control:.6g}",
        "treatment": f"{one.treatment:.6g}",
        "estimate": f"{one.estimate:+.6g}",
        "sequence": f"{_end(one.look.low[-1])} to {_end(one.look.high[-1])}",
        "p_value": f"{one.look.p_value[-1]:.3g}",
        "fixed": f"{low:+.6g} to {high:+.6g}, p {p_value:.3g}",
        "covariate": one.metric.covariate,
        "reduction": f"{one.variance_reduction:.1%}",
        "decided": "" if decided < 0 else time_text(int(results.days[decided]) * DAY_NS)[:10],
        "chart": chart_of(one),
        "first_day": time_text(int(results.days[0]) * DAY_NS)[:10],
        "last_day": time_text(int(results.days[-1]) * DAY_NS)[:10],
    }


def _end(value: float) -> str:
    return "open" if np.isnan(value) else f"{value:+.6g}"


def chart_of(one: Comparison) -> dict[str, Any] | None:
    """Return the coordinates of a sequence over days, or None where nothing could be said on any.

    The reference line is at no difference, a guardrail's at the harm that is tolerated.
    """
    look = one.look
    days = np.flatnonzero(~np.isnan(look.estimate))
    if not len(days):
        return None
    sign = -1 if one.metric.good is Direction.UP else 1
    reference = sign * (one.metric.tolerated_harm or 0.0)
    # The first days know so little that all later ones would be a line: those reach beyond the chart.
    later = days[len(days) // 2 :]
    widest = float(np.nanmax(np.abs([look.low[later], look.high[later], look.estimate[later]])))
    reach = 1.5 * max(widest, abs(reference))
    estimate = np.clip(look.estimate[days], -reach, reach)
    # The open side of a guardrail is drawn to the chart's edge.
    low, high = (
        np.clip(np.nan_to_num(end[days], nan=edge), -reach, reach)
        for end, edge in ((look.low, -reach), (look.high, reach))
    )
    across = _across(days, len(look.estimate))
    band = [*_points(across, high, reach), *reversed(_points(across, low, reach))]
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "left": _LEFT,
        "right": _WIDTH - _EDGE,
        "band": " ".join(band),
        "line": " ".join(_points(across, estimate, reach)),
        "reference": f"{_down(np.array([reference]), reach)[0]:.1f}",
        "reference_text": f"{reference:+.3g}" if reference else "0",
        "top_text": f"{reach:+.3g}",
        "bottom_text": f"{-reach:+.3g}",
    }


def _across(days: npt.NDArray[np.int64], count: int) -> Reals:
    return np.asarray(_LEFT + days / max(count - 1, 1) * (_WIDTH - _LEFT - _EDGE))


def _down(values: Reals, reach: float) -> Reals:
    return np.asarray(_EDGE + (1 - values / reach) / 2 * (_HEIGHT - 2 * _EDGE))


def _points(across: Reals, values: Reals, reach: float) -> Sequence[str]:
    return [f"{x:.1f},{y:.1f}" for x, y in zip(across, _down(values, reach), strict=True)]
