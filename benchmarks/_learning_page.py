"""The page of a stream that was lived through: measures week by week as lines, promotions as marks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

__all__ = ["page_of"]

_WIDTH: Final = 900
_HEIGHT: Final = 260
_LEFT: Final = 56
_TOP: Final = 16
_BOTTOM: Final = 40
_RIGHT: Final = 28
_COLOURS: Final = ("#0b5fa5", "#a33b3b", "#8a6d00", "#557a46")
_TICKS: Final = 5


def page_of(figures: dict[str, Any]) -> str:
    """Return the page: nothing beside it is loaded, and it has no script."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    names = list(figures["measured"])
    measures = list(figures["measured"][names[0]][0])
    return environment.get_template("learning.html").render(
        stream=figures["stream"],
        rows=figures["rows"],
        legend=[
            (name, colour, figures["said"].get(name, ""))
            for name, colour in zip(names, _COLOURS, strict=False)
        ],
        charts=[_chart(figures, measure) for measure in measures],
        happened=figures["happened"],
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        right=_RIGHT,
        top=_TOP,
        bottom=_BOTTOM,
    )


def _chart(figures: dict[str, Any], measure: str) -> dict[str, Any]:
    weeks = [dt.date.fromisoformat(week).toordinal() for week in figures["weeks"]]
    lines = {name: [week[measure] for week in found] for name, found in figures["measured"].items()}
    least: float = min(min(values) for values in lines.values())
    most: float = max(max(values) for values in lines.values())

    def across(day: int) -> float:
        share = (day - weeks[0]) / max(weeks[-1] - weeks[0], 1)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def up(value: float) -> float:
        share: float = (value - least) / max(most - least, 1e-9)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)

    ticks = [least + (most - least) * number / (_TICKS - 1) for number in range(_TICKS)]
    promoted = [
        dt.date.fromisoformat(one["day"]).toordinal()
        for one in figures["happened"]
        if one["what"] == "StageEntered" and one["stage"] == "champion"
    ]
    return {
        "name": measure,
        "ticks": [(up(value), f"{value:.3f}") for value in ticks],
        "weeks": [(across(day), week[5:]) for day, week in zip(weeks, figures["weeks"], strict=True)],
        "promotions": [across(day) for day in promoted if day >= weeks[0]],
        "lines": [
            (colour, " ".join(f"{across(day)},{up(value)}" for day, value in zip(weeks, values, strict=True)))
            for colour, values in zip(_COLOURS, lines.values(), strict=False)
        ],
    }
