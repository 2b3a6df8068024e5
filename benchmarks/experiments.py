"""Whether experiments keep what they promise: errors, power, uneven arms, variance taken away.

``formicary bench experiments``: thousands of experiments of four weeks each, whose parties are assigned as
everywhere else and whose outcomes are skewed (exponential). All of them are looked at every day.

- *A/A*: how often something is called different that is not, by a confidence sequence, by a t-test that is
  looked at every day, and by the same test looked at once.
- *A/B*: how often the smallest effect that a plan promises to show is shown by its last day.
- *Uneven arms*: how often arms are called uneven that are not, and that are.
- *CUPED*: the variance that a covariate took away, beside the squared correlation.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy import stats

from benchmarks._machine import machine
from formicary.base.lots import LOTS
from formicary.factory.experiments.analysis import goal_looks
from formicary.factory.experiments.assignment import Slice, arms_of
from formicary.factory.experiments.definitions import Kind
from formicary.factory.experiments.estimates import (
    MISMATCH_ALPHA,
    Difference,
    differences,
    fixed_interval,
    sample_ratio_p_value,
)
from formicary.factory.experiments.moments import Moments, running_moments, stacked
from formicary.factory.experiments.power import (
    Plan,
    anytime_power,
    fixed_power,
    peeking_errors,
    smallest_effect,
)

__all__ = ["main", "measure"]

Reals = npt.NDArray[np.float64]

_ALPHA: Final = 0.05
_LOST: Final = 0.06
"""Of the parties of one arm, where arms are uneven."""
_CORRELATIONS: Final = (0.3, 0.5, 0.7, 0.9)
_CUPED_PARTIES: Final = 1_000
_CUPED_EXPERIMENTS: Final = 500


def simulated(experiments: int, days: int, per_day: int) -> Moments:
    """Return the moments of experiments without an effect, (e, d, 2)."""
    chance = np.random.default_rng(0)
    parties = chance.integers(0, 2**64, (days * per_day, 2), np.uint64)
    of_days = np.repeat(np.arange(days), per_day)
    found = []
    for number in range(experiments):
        trial = Slice(experiment=f"trial{number}", layer="bench", first=0, count=LOTS, weights=(1, 1))
        # The standard deviation is 1.
        values = chance.exponential(1.0, (len(parties), 1))
        found.append(running_moments(of_days, arms_of(parties, trial), values, shape=(days, 2)))
    return stacked(found)


def with_effect(moments: Moments, effect: float) -> Moments:
    """Return the moments had each party of the second arm had so much more."""
    means = moments.means.copy()
    means[..., 1, :] += effect
    return Moments(counts=moments.counts, means=means, covariances=moments.covariances)


def decided(moments: Moments, planned: float) -> tuple[npt.NDArray[np.int64], Difference]:
    """Return the day on which each sequence called something different, -1 for never, and the differences."""
    found = differences(moments, Kind.MEAN, 1)
    return goal_looks(found, moments.counts, planned, _ALPHA).decided, found


def _false_positives(moments: Moments, days: int, planned: float, per_day: int) -> dict[str, Any]:
    first, found = decided(moments, planned)
    is_called = fixed_interval(found, _ALPHA).p_value < _ALPHA
    plan = Plan(parties_per_day=per_day, deviation=1.0)
    # No effect at all is one that is too small for any number of parties.
    nothing = float(anytime_power(plan, 1e-12, days, planned_parties=planned)[-1])
    return {
        "sequence": float((first >= 0).mean()),
        "sequence_normal": nothing,
        "peeking": float(is_called.any(axis=1).mean()),
        "peeking_normal": float(peeking_errors(_ALPHA, days)[-1]),
        "one_look": float(is_called[:, -1].mean()),
    }


def _shown(moments: Moments, days: int, planned: float, per_day: int) -> dict[str, Any]:
    plan = Plan(parties_per_day=per_day, deviation=1.0)
    effect = smallest_effect(plan, days)
    first, found = decided(with_effect(moments, effect), planned)
    double, _ = decided(with_effect(moments, 2 * effect), planned)
    p_values = fixed_interval(found, _ALPHA).p_value[:, -1]
    return {
        "effect": effect,
        "promised": plan.power,
        "shown": float((first >= 0).mean()),
        "day_median": float(np.median(np.where(first < 0, days, first + 1))),
        "double_effect_day_median": float(np.median(np.where(double < 0, days, double + 1))),
        "one_look_promised": fixed_power(plan, effect, days),
        "one_look_shown": float((p_values < _ALPHA).mean()),
    }


def _uneven(moments: Moments) -> dict[str, Any]:
    chance = np.random.default_rng(1)
    fair = sample_ratio_p_value(moments.counts, [1, 1]) < MISMATCH_ALPHA
    last = moments.counts[:, -1].astype(np.int64)
    lossy = np.column_stack([last[:, 0], chance.binomial(last[:, 1], 1 - _LOST)])
    kept = np.array([1, 1 - _LOST]) / (2 - _LOST)
    parties = float(lossy.sum(axis=1).mean())
    away = parties * float(((kept - 0.5) ** 2 / 0.5).sum())
    return {
        "false": float(fair[:, -1].mean()),
        "false_any_day": float(fair.any(axis=1).mean()),
        "lost": _LOST,
        "found": float((sample_ratio_p_value(lossy, [1, 1]) < MISMATCH_ALPHA).mean()),
        "found_theory": float(stats.ncx2.sf(stats.chi2.isf(MISMATCH_ALPHA, 1), 1, away)),
    }


def _covariates() -> list[dict[str, float]]:
    chance = np.random.default_rng(2)
    arms = np.arange(_CUPED_PARTIES) % 2
    nothing = np.zeros(_CUPED_PARTIES, np.int64)
    found = []
    for rho in _CORRELATIONS:
        drawn = []
        for _ in range(_CUPED_EXPERIMENTS):
            before, noise = chance.standard_normal((2, _CUPED_PARTIES))
            values = np.column_stack([rho * before + np.sqrt(1 - rho**2) * noise, before])
            drawn.append(running_moments(nothing, arms, values, shape=(1, 2)))
        moments = stacked(drawn)
        raw = differences(moments, Kind.MEAN, 1)
        adjusted = differences(moments, Kind.MEAN, 1, has_covariate=True)
        found.append(
            {
                "correlation": rho,
                "theory": rho**2,
                "reported": float(adjusted.variance_reduction.mean()),
                "between_experiments": float(1 - adjusted.estimate.var() / raw.estimate.var()),
            }
        )
    return found


def measure(*, experiments: int, days: int, per_day: int) -> dict[str, Any]:
    """Run experiments and count what they said."""
    began = time.perf_counter()
    planned = float(days * per_day)
    moments = simulated(experiments, days, per_day)
    return {
        "experiments": experiments,
        "days": days,
        "per_day": per_day,
        "a_a": _false_positives(moments, days, planned, per_day),
        "a_b": _shown(moments, days, planned, per_day),
        "uneven": _uneven(moments),
        "cuped": _covariates(),
        "seconds": time.perf_counter() - began,
    }


def _print(figures: dict[str, Any]) -> None:
    output = Console(width=110)
    output.print("  ".join(f"{key} {value}" for key, value in figures["machine"].items()))
    nothing, effect, uneven = figures["a_a"], figures["a_b"], figures["uneven"]
    output.print(
        f"{figures['experiments']:,} experiments of {figures['days']} days, {figures['per_day']:,} parties a "
        f"day, in {figures['seconds']:.0f} s"
    )
    table = Table("what", "measured", "beside it")
    for name, key, beside in (
        (
            "A/A, called different: sequence",
            "sequence",
            f"{nothing['sequence_normal']:.1%} if normal, <= 5 %",
        ),
        ("A/A, t-test looked at daily", "peeking", f"{nothing['peeking_normal']:.1%} if normal"),
        ("A/A, t-test looked at once", "one_look", "5.0%"),
    ):
        table.add_row(name, f"{nothing[key]:.1%}", beside)
    table.add_row(
        f"A/B, effect {effect['effect']:.3f} deviations: sequence",
        f"{effect['shown']:.1%}",
        f"{effect['promised']:.0%} promised; median day {effect['day_median']:.0f}",
    )
    table.add_row(
        "A/B, the same by one look at the end",
        f"{effect['one_look_shown']:.1%}",
        f"{effect['one_look_promised']:.1%} promised",
    )
    table.add_row("A/B, twice the effect: median day", f"{effect['double_effect_day_median']:.0f}", "")
    table.add_row("even arms called uneven, at the end", f"{uneven['false']:.2%}", f"{MISMATCH_ALPHA:.1%}")
    table.add_row("even arms called uneven, on any day", f"{uneven['false_any_day']:.2%}", "")
    table.add_row(
        f"{uneven['lost']:.0%} of an arm lost: called uneven",
        f"{uneven['found']:.1%}",
        f"{uneven['found_theory']:.1%} by theory",
    )
    for one in figures["cuped"]:
        table.add_row(
            f"CUPED, correlation {one['correlation']}: variance taken away",
            f"{one['reported']:.1%}; between experiments {one['between_experiments']:.1%}",
            f"rho squared {one['theory']:.1%}",
        )
    output.print(table)


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiments", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--per-day", type=int, default=400)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    found = measure(experiments=arguments.experiments, days=arguments.days, per_day=arguments.per_day)
    figures = {"machine": machine(), **found}
    if arguments.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)


if __name__ == "__main__":
    main()
