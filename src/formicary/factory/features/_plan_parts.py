"""The parts of a row while a plan is made: rings of tiles, and what is remembered of single events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np

from formicary.factory.features import _layout as layout
from formicary.factory.features._layout import EMPTY, LARGEST, Words
from formicary.factory.features.kinds import EventKind

__all__ = ["DISTINCT_SLOTS", "EXACT_TILE", "Part", "Remembered", "Ring", "lines", "place_of"]

DISTINCT_SLOTS: Final = 64

EXACT_TILE: Final = 1
"""Nanoseconds of the tiles that exact windows are made of."""

Thing = TypeVar("Thing")

Part = tuple[int, str, str]
"""What an event adds: the operation, the field, the condition's text."""


@dataclass
class Ring:
    """The recent events of one key and kind, in tiles."""

    table: int
    kind: EventKind
    tile: int
    """Nanoseconds; 1 for exact windows."""
    room: int = 1
    """How many tiles it can hold."""
    number: int = -1
    sums: list[Part] = field(default_factory=list)
    squares: list[Part] = field(default_factory=list)
    """Sums of squares, of two words each."""
    extremes: list[Part] = field(default_factory=list)
    windows: list[tuple[int, int]] = field(default_factory=list)

    def need_window(self, window: int, delay: int) -> int:
        """Return the number of a window in the ring, made if it is new."""
        if self.tile == EXACT_TILE:
            # Of whole nanoseconds, t - W < at is the same as t - W + 1 <= at.
            return place_of(self.windows, (window + delay - 1, delay))
        tiles, late = window // self.tile, delay // self.tile
        # The tile in which a delayed window ends is not over yet: it would tell too early.
        bounds = (late + tiles, late + 1) if late else (tiles, 0)
        self.room = max(self.room, bounds[0] + 1)
        return place_of(self.windows, bounds)

    @property
    def parts(self) -> list[Part]:
        """What an event adds, word by word: to sums and then to extremes."""
        halves = (layout.SQUARE_LOW, layout.SQUARE_HIGH)
        squares = [(half, named, where) for _, named, where in self.squares for half in halves]
        return self.sums + squares + self.extremes

    @property
    def totals(self) -> int:
        """The words of all sums and extremes."""
        return self.sum_words + len(self.extremes)

    @property
    def sum_words(self) -> int:
        """The words of all sums."""
        return len(self.sums) + 2 * len(self.squares)

    @property
    def stride(self) -> int:
        """The words from an entry to the next; a small entry does not lie across the end of a cache line."""
        words = 1 + self.totals
        return 1 << (words - 1).bit_length() if words <= layout.LINE_WORDS else words

    @property
    def head_words(self) -> int:
        """The words before the entries."""
        return layout.RING_NOW + self.sum_words + len(self.windows) * self._window_words

    @property
    def _window_words(self) -> int:
        return layout.WINDOW_EXTREMES + len(self.extremes)

    def template(self) -> Words:
        """Return the head of the ring of a key without events."""
        words = np.zeros(self.head_words, np.int64)
        words[layout.RING_HEAD] = words[layout.RING_LOST] = EMPTY
        windows = words[layout.RING_NOW + self.sum_words :].reshape(len(self.windows), self._window_words)
        windows[:, layout.WINDOW_EXTREMES :] = LARGEST
        return words

    @property
    def chunk_words(self) -> int:
        """The words that its entries take at most."""
        return lines(self.room * self.stride)

    def describe(self, *, offset: int, first_window: int, tile_number: int) -> list[int]:
        """Return the ring's row of ``Plan.rings``."""
        described = [0] * layout.RING_COLUMNS
        described[layout.RING_OFFSET] = offset
        described[layout.RING_TILE] = tile_number
        described[layout.RING_ROOM] = self.room
        described[layout.RING_SUMS] = len(self.sums)
        described[layout.RING_WIDE_SUMS] = len(self.squares)
        described[layout.RING_EXTREMES] = len(self.extremes)
        described[layout.RING_FIRST_WINDOW] = first_window
        described[layout.RING_END_WINDOW] = first_window + len(self.windows)
        described[layout.RING_STRIDE] = self.stride
        return described


@dataclass
class Remembered:
    """The latest or earliest event of a key, or the slots of its different values."""

    table: int
    kind: EventKind
    update: int
    field: str
    where: str
    offset: int = -1

    @property
    def words(self) -> int:
        """The words of it in a row."""
        return 2 if self.update in (layout.LAST, layout.FIRST) else DISTINCT_SLOTS

    def template(self) -> Words:
        """Return what it is for a key without events."""
        words = np.full(self.words, EMPTY, np.int64)
        if self.words == 2:  # noqa: PLR2004, a time and a value
            words[1] = 0
        return words


def lines(words: int) -> int:
    """Return words rounded up to whole cache lines."""
    return words + -words % layout.LINE_WORDS


def place_of(things: list[Thing], thing: Thing) -> int:
    """Return where a thing lies among things, put last if it is new."""
    if thing not in things:
        things.append(thing)
    return things.index(thing)
