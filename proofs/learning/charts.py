"""A chart of lines as SVG: nothing beside it, no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

__all__ = ["line_chart"]

_WIDTH: Final = 640
_HEIGHT: Final = 300
_EDGE: Final = 44
_COLOURS: Final = ("#b3261e", "#e8a09b", "#1b5e9e", "#9bbfe0", "#444444", "#b5b5b5")
_TICKS: Final = 5
_FONT: Final = 'font-family="system-ui, sans-serif" font-size="12"'


def line_chart(title: str, lines: Mapping[str, Sequence[float]], *, low: float, high: float) -> str:
    """Return lines by name, each of as many values between two ends, over 1, 2, 3 and so on.

    They come in pairs: of each the second is pale and dashed.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH + 190} {_HEIGHT}" {_FONT}>',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_EDGE}" y="20" font-size="14">{escape(title)}</text>',
    ]
    for tick in range(_TICKS):
        value = low + (high - low) * tick / (_TICKS - 1)
        down = _down(value, low, high)
        parts += [
            f'<line x1="{_EDGE}" x2="{_WIDTH - _EDGE}" y1="{down:.1f}" y2="{down:.1f}" stroke="#ddd"/>',
            f'<text x="4" y="{down + 4:.1f}" fill="#555">{value:.2f}</text>',
        ]
    for place, (name, values) in enumerate(lines.items()):
        drawn = f'fill="none" stroke="{_COLOURS[place % len(_COLOURS)]}" stroke-width="2"'
        drawn += ' stroke-dasharray="5 3"' if place % 2 else ""
        points = " ".join(
            f"{_across(number, len(values)):.1f},{_down(value, low, high):.1f}"
            for number, value in enumerate(values)
        )
        end = 50 + 18 * place
        parts += [
            f'<polyline points="{points}" {drawn}/>',
            f'<line x1="{_WIDTH - 30}" x2="{_WIDTH - 8}" y1="{end}" y2="{end}" {drawn}/>',
            f'<text x="{_WIDTH}" y="{end + 4}">{escape(name)}</text>',
        ]
    count = max(len(values) for values in lines.values())
    parts += [
        f'<text x="{_across(number, count) - 3:.1f}" y="{_HEIGHT - 12}" fill="#555">{number + 1}</text>'
        for number in range(count)
    ]
    return "\n".join([*parts, "</svg>", ""])


def _across(number: int, count: int) -> float:
    return _EDGE + (_WIDTH - 2 * _EDGE) * number / max(count - 1, 1)


def _down(value: float, low: float, high: float) -> float:
    return 34 + (_HEIGHT - 68) * (high - min(max(value, low), high)) / (high - low)
