"""The page of frontiers: default rate against approval rate, scorecard and boosted trees in one chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks._frontier import SHARES

__all__ = ["page_of"]

_WIDTH: Final = 900
_HEIGHT: Final = 380
_LEFT: Final = 56
_RIGHT: Final = 20
_TOP: Final = 16
_BOTTOM: Final = 48
_COLOURS: Final = {"scorecard": "#a33b3b", "forest": "#0b5fa5"}
_TICK: Final = 0.05
# Fewer than one loan in twenty say nothing, and would stretch the scale.
_FIRST: Final = 4


def page_of(figures: dict[str, Any]) -> str:
    """Return the page: nothing beside it is loaded, and it has no script."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("credit.html").render(
        charts=[_chart(one) for one in figures["contests"]],
        colours=_COLOURS,
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        right=_RIGHT,
        top=_TOP,
        bottom=_BOTTOM,
    )


def _chart(contest: dict[str, Any]) -> dict[str, Any]:
    most: float = max(max(one["high"][_FIRST:]) for one in contest["frontier"].values())

    def across(share: float) -> float:
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def up(rate: float) -> float:
        return round(_HEIGHT - _BOTTOM - rate / most * (_HEIGHT - _TOP - _BOTTOM), 1)

    def points(rates: list[float]) -> list[str]:
        pairs = list(zip(SHARES.tolist(), rates, strict=True))[_FIRST:]
        return [f"{across(share)},{up(rate)}" for share, rate in pairs]

    lines = [
        {
            "name": name,
            "colour": _COLOURS[name],
            "line": " ".join(points(one["rate"])),
            "band": " ".join([*points(one["low"]), *reversed(points(one["high"]))]),
            "mark": None if one["under"] is None else across(one["under"]),
            "said": _said(name, one),
        }
        for name, one in contest["frontier"].items()
    ]
    return {
        "name": contest["data"],
        "lines": lines,
        "under": up(0.01),
        "rates": [(up(_TICK * n), f"{_TICK * n:.0%}") for n in range(int(most / _TICK) + 1)],
        "shares": [(across(n / 10), f"{n * 10} %") for n in range(11)],
    }


def _said(name: str, one: dict[str, Any]) -> str:
    if one["under"] is None:
        return f"{name}: no approval rate has a default rate below 1 %."
    return (
        f"{name}: up to {one['under']:.0%} approved the default rate is below 1 % ({one['bad']} of "
        f"{one['rows']} loans; the true rate there may be up to {one['under_high']:.1%})."
    )
