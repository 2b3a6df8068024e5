"""The models of all armed policies laid out for the kernel of decisions: champions, shadows, challengers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from formicary.base.records import words_of
from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions.usable import Trial, Usable
from formicary.factory.models._forest_layout import Room, Trees
from formicary.factory.models.forest import Scorer

__all__ = ["ModelTables", "signed"]

_WORD_DIGITS: Final = 16
_SIGNED_HALF: Final = 1 << 63


class ModelTables:
    """Tables of models, a row each: slots first, then what is tried out in the place of some.

    Parameters
    ----------
    count
        How many slots there are; one that nobody wants looks on.
    models
        The model of each slot that is wanted, by its number; None where there is none that can.
    only_looks
        Of the same slots, whether a missing score stops nothing.
    trials
        What is tried out, by the slot.
    """

    def __init__(
        self,
        count: int,
        models: Mapping[int, Usable | None],
        only_looks: Mapping[int, bool],
        trials: Mapping[int, Trial],
    ) -> None:
        rows = count + len(trials)
        self._slots = np.zeros((rows, layout.SLOT_COLUMNS), np.int64)
        self._lines = np.zeros((rows, 2))
        self._forests = np.zeros((rows, words_of(Trees, Room)), np.int64)
        self._columns: list[int] = []
        self._knots: list[float] = []
        self._chances: list[float] = []
        self.scorers: list[Scorer] = []
        """What notes in the tables point to: it must live as long as they do."""
        self.width = 1
        """The most columns of a model."""
        self._slots[:count, layout.SLOT_ONLY_LOOKS] = [only_looks.get(slot, True) for slot in range(count)]
        for slot, usable in models.items():
            if usable is not None:
                self._put(slot, usable)
        for row, (slot, trial) in enumerate(trials.items(), start=count):
            self._put(row, trial.usable)
            tried = slice(layout.SLOT_CHALLENGER, layout.SLOT_COLUMNS)
            self._slots[slot, tried] = row, trial.share, trial.salt

    @property
    def tables(self) -> dict[str, Any]:
        """The fields of ``Judge`` that are about models."""
        return {
            "slots": self._slots,
            "slot_lines": self._lines,
            "forest_notes": self._forests,
            "columns": np.array([*self._columns, 0], np.int64),
            "knots": np.array([*self._knots, 0.0]),
            "chances": np.array([*self._chances, 0.0]),
        }

    def _put(self, row: int, usable: Usable) -> None:
        scorer, calibration = Scorer(usable.model.forest), usable.calibration
        self.scorers.append(scorer)
        self.width = max(self.width, len(usable.columns))
        self._forests[row] = scorer.note
        self._lines[row] = calibration.slope, calibration.intercept
        is_there = {
            layout.SLOT_IS_THERE: 1,
            layout.SLOT_WIDTH: len(usable.columns),
            layout.SLOT_FIRST_COLUMN: len(self._columns),
            layout.SLOT_ISOTONIC: int(calibration.kind == "isotonic"),
            layout.SLOT_FIRST_KNOT: len(self._knots),
            layout.SLOT_KNOTS: len(calibration.scores),
            layout.SLOT_MODEL: signed(int(usable.model.hash[:_WORD_DIGITS], 16)),
        }
        self._slots[row, list(is_there)] = list(is_there.values())
        self._columns += usable.columns
        self._knots += calibration.scores
        self._chances += calibration.probabilities


def signed(word: int) -> int:
    """Return an unsigned word as the signed one of the same bits."""
    return word - 2 * _SIGNED_HALF if word >= _SIGNED_HALF else word
