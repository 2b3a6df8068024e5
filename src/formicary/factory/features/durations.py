"""Spans of time as definitions write them, ``30m``, ``12h``, ``7d``, and the tiles of windows."""

from __future__ import annotations

import re
from typing import Final

from formicary.factory.features.errors import FeatureMalformed, WindowNotTiled

__all__ = ["DAY", "HOUR", "MINUTE", "SECOND", "WINDOW_MAX", "duration", "duration_text", "resolution_for"]

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

WINDOW_MAX: Final = 366 * DAY
"""The longest window or delay, a year: what came before says little of today, and no key would be freed."""

_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_PATTERN: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_LADDER: Final = (SECOND, 10 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 5 * DAY)
_TILES_MIN: Final = 12
_TILES_MAX: Final = 1_024


def duration(text: str) -> int:
    """Return a span of time in nanoseconds.

    Raises
    ------
    FeatureMalformed
        It is not a whole number followed by s, m, h or d, or longer than a year.
    """
    # Whoever writes a definition may forget the quotes.
    match = _PATTERN.fullmatch(str(text))
    span = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < span <= WINDOW_MAX:
        message = f"{text!r} is no span of time: write 30m, 12h or 7d, at most 366d"
        raise FeatureMalformed(message)
    return span


def duration_text(span: int) -> str:
    """Return a span as ``duration`` reads it, in the largest unit that is whole; ``0s`` for none."""
    unit = next(unit for unit in ("d", "h", "m", "s") if span % _UNITS[unit] == 0)
    return f"{span // _UNITS[unit]}{unit}" if span else "0s"


def resolution_for(window: int, delay: int) -> int:
    """Return the coarsest usual tile, in nanoseconds, of which a window has at least a dozen.

    Raises
    ------
    WindowNotTiled
        No usual tile divides both the window and the delay.
    """
    for tile in reversed(_LADDER):
        if window % tile == 0 and delay % tile == 0 and window // tile >= _TILES_MIN:
            require_tiled(window, delay, tile)
            return tile
    message = (
        f"{duration_text(window)} delayed by {duration_text(delay)} has no usual tile: give a resolution"
    )
    raise WindowNotTiled(message)


def require_tiled(window: int, delay: int, tile: int) -> None:
    """Raise ``WindowNotTiled`` unless window and delay are whole numbers of tiles, and not too many."""
    if window % tile or delay % tile:
        message = (
            f"{duration_text(window)} delayed by {duration_text(delay)} "
            f"is no whole number of tiles of {duration_text(tile)}"
        )
        raise WindowNotTiled(message)
    tiles = (window + delay) // tile
    if tiles > _TILES_MAX:
        message = (
            f"{duration_text(window + delay)} are {tiles} tiles of {duration_text(tile)}, "
            f"more than {_TILES_MAX}: give a coarser resolution"
        )
        raise WindowNotTiled(message)
