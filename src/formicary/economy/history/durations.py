"""Durations as people write them in a mapping: ``7d``, ``12h``, ``1ms``."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["parse_duration"]

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
_DURATION: Final = re.compile(r"(?P<count>[1-9][0-9]{0,8}) ?(?P<unit>ns|us|ms|s|m|h|d|w)", re.ASCII)
_NANOSECONDS_MAX: Final = 2**62


def parse_duration(text: str) -> int | None:
    """Return a duration in nanoseconds, or None where the text is none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    nanoseconds = int(match["count"]) * _UNITS[match["unit"]]
    return nanoseconds if nanoseconds <= _NANOSECONDS_MAX else None
