"""``formicary experiments power``: how long an experiment takes, or how small an effect it shows."""

from __future__ import annotations

import math
from typing import Annotated, Any

import typer

from formicary.base.limits import EXPERIMENT_DAYS_MAX
from formicary.factory.experiments.errors import PlanRefused
from formicary.surfaces.cli.options import AsJson
from formicary.surfaces.cli.output import write_json, write_table

__all__ = ["power"]


def power(
    *,
    per_day: Annotated[float, typer.Option("--per-day", help="Parties a day, of both arms.")],
    deviation: Annotated[
        float | None, typer.Option("--deviation", help="Standard deviation of the metric between parties.")
    ] = None,
    proportion: Annotated[
        float | None, typer.Option("--proportion", help="In its place, a proportion in the first arm.")
    ] = None,
    effect: Annotated[
        float | None, typer.Option("--effect", help="The difference that is to be shown.")
    ] = None,
    days: Annotated[int | None, typer.Option("--days", help="Days that there are.")] = None,
    chance: Annotated[float, typer.Option("--power", help="The chance of showing it.")] = 0.8,
    alpha: Annotated[float, typer.Option("--alpha", help="The chance of showing what is not.")] = 0.05,
    share: Annotated[float, typer.Option("--share", help="Of the parties, those in the arm compared.")] = 0.5,
    correlation: Annotated[
        float, typer.Option("--correlation", help="Of the metric with its covariate.")
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Plan an experiment: days for an effect, the smallest effect of some days, or the power of both."""
    # What computes it takes a while to load, and few commands need it.
    from formicary.factory.experiments.power import Plan  # noqa: PLC0415

    plan = Plan(
        parties_per_day=per_day,
        deviation=_deviation(deviation, proportion),
        alpha=alpha,
        power=chance,
        share=share,
        correlation=correlation,
    )
    found = _found(plan, effect, days)
    if as_json:
        write_json(found)
    else:
        write_table(("what", ">one look", ">at any time"), _rows(found))


def _deviation(deviation: float | None, proportion: float | None) -> float:
    if (deviation is None) == (proportion is None):
        message = "name a deviation or a proportion, one of the two"
        raise PlanRefused(message)
    if proportion is None:
        return float(deviation or 0)
    if not 0 < proportion < 1:
        message = "a proportion lies between 0 and 1"
        raise PlanRefused(message)
    return math.sqrt(proportion * (1 - proportion))


def _found(plan: Any, effect: float | None, days: int | None) -> dict[str, Any]:
    from formicary.factory.experiments import power as planning  # noqa: PLC0415, as above

    if effect is None and days is None:
        message = "name an effect, or days, or both"
        raise PlanRefused(message)
    if effect is None:
        assert days is not None  # noqa: S101, one of the two
        return {
            "days": days,
            "effect": {
                "one_look": planning.fixed_effect(plan, days),
                "any_time": planning.smallest_effect(plan, days),
            },
        }
    if days is not None:
        parties = days * plan.parties_per_day
        shown = planning.anytime_power(plan, effect, days, planned_parties=parties)
        return {
            "days": days,
            "effect": effect,
            "power": {"one_look": planning.fixed_power(plan, effect, days), "any_time": float(shown[-1])},
        }
    longer, parties = planning.anytime_days(plan, effect), planning.fixed_parties(plan, effect)
    at_any_time = None if longer is None else longer * plan.parties_per_day
    return {
        "effect": effect,
        "days": {"one_look": planning.fixed_days(plan, effect), "any_time": longer},
        "parties": {
            "one_look": math.ceil(parties),
            "any_time": None if at_any_time is None else math.ceil(at_any_time),
        },
        "inflation": {"one_look": 1.0, "any_time": at_any_time and at_any_time / parties},
    }


def _rows(found: dict[str, Any]) -> list[list[str]]:
    rows = []
    for what, value in found.items():
        both = value if isinstance(value, dict) else {"one_look": value, "any_time": value}
        rows.append([what, _text(both["one_look"]), _text(both["any_time"])])
    return rows


def _text(value: float | None) -> str:
    if value is None:
        return f"over {EXPERIMENT_DAYS_MAX} days"
    return f"{value:,}" if isinstance(value, int) else f"{value:.5g}"
