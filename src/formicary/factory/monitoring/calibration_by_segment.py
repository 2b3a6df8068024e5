"""Whether chances come true: what was expected against what was observed, by segment and by decile.

A model may be right on the whole and wrong for everybody: too high for one country, too low for another. For
each segment, and for each tenth of its rows by chance, the mean chance is compared with the interval of the
observed share. The verdict is one of evidence, not of a difference: a part that is too small to tell is
``unsure``, and none is called right because it has few rows.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.factory.models._checks import Reals, labelled
from formicary.factory.monitoring.shares import ERROR, Share, exact_share

__all__ = ["TOLERANCE", "CalibratedPart", "CalibrationVerdict", "Tolerance", "calibration_by_segment"]

_PARTS: Final = 10


class Tolerance(msgspec.Struct, frozen=True, kw_only=True):
    """How far the true share may be from the mean chance: the larger of both.

    Attributes
    ----------
    relative
        As a share of the mean chance.
    absolute
        As a chance.
    """

    relative: float
    absolute: float


TOLERANCE: Final = Tolerance(relative=0.2, absolute=0.002)
"""A fifth: about as far as a price or a limit is from where it would hurt. And two in a thousand, because a
fifth of next to nothing is nothing."""


class CalibrationVerdict(StrEnum):
    """What the observed share says of the chances."""

    WITHIN = "within"
    """The whole interval is within the tolerance."""
    TOO_LOW = "too_low"
    """More happened than was said, the whole interval beyond the tolerance."""
    TOO_HIGH = "too_high"
    """Less happened than was said, the same."""
    UNSURE = "unsure"
    """The interval reaches across a bound of the tolerance: there are too few rows."""


class CalibratedPart(msgspec.Struct, frozen=True, kw_only=True):
    """What was expected and observed in one part of a segment.

    Attributes
    ----------
    segment
        Its name.
    part
        0 for all of the segment, else which tenth of its rows by chance, from 1 for the lowest. Rows of one
        chance stay together, so that a tenth may be empty and is left out.
    chance_min, chance_max
        The lowest and the highest chance in it.
    expected
        The mean chance.
    observed
        How many rows there are, how many of label 1, and the interval of their share.
    """

    segment: str
    part: int
    chance_min: float
    chance_max: float
    expected: float
    observed: Share
    verdict: CalibrationVerdict


def calibration_by_segment(
    *,
    chances: npt.ArrayLike,
    labels: npt.ArrayLike,
    segments: npt.ArrayLike,
    tolerance: Tolerance = TOLERANCE,
    error: float = ERROR,
    parts: int = _PARTS,
) -> tuple[CalibratedPart, ...]:
    """Compare chances with labels in each segment, and in tenths of it.

    Parameters
    ----------
    chances
        Of label 1, (n,).
    labels
        0 or 1, negative where it is not known yet, (n,): those rows are left out.
    segments
        The name of the segment of each row, (n,).
    tolerance
        How far the true share may be from the mean chance.
    error
        How often at most any interval of the report misses; all of them share it.
    parts
        Into how many parts of equal mass a segment is cut.

    Returns
    -------
    tuple
        By segment, all of it first.
    """
    known, said, happened = _matured(chances, labels)
    names, places = np.unique(np.asarray(segments, np.str_)[known], return_inverse=True)
    if parts < 1:
        message = f"a segment has at least one part, not {parts}"
        raise ProgrammingError(message)
    cut = [
        (str(name), part, rows)
        for at, name in enumerate(names)
        for part, rows in enumerate(_cut(said, np.flatnonzero(places == at), parts))
        if len(rows)
    ]
    observed = [exact_share(int(happened[rows].sum()), len(rows), error=error / len(cut)) for *_, rows in cut]
    return tuple(
        _part(name, part, said[rows], share, tolerance)
        for (name, part, rows), share in zip(cut, observed, strict=True)
    )


def _matured(chances: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], Reals, Reals]:
    """Return which rows (n,) have a label, and their chances and labels (m,)."""
    told = np.asarray(labels, np.float64)
    known = told >= 0
    every, _, _ = labelled(chances, np.where(known, told, 0.0), None)
    if not ((every >= 0) & (every <= 1)).all():
        message = "a chance is below 0 or above 1"
        raise ProgrammingError(message)
    return known, every[known], told[known]


def _cut(chances: Reals, rows: npt.NDArray[np.int64], parts: int) -> list[npt.NDArray[np.int64]]:
    """Return rows (r,) as a whole, then in parts by chance; those of one chance go where their middle is."""
    _, places, counts = np.unique(chances[rows], return_inverse=True, return_counts=True)
    # In whole numbers, twice as many: the middle of a group may be half a row.
    middles = 2 * np.cumsum(counts) - counts
    where = np.minimum(middles * parts // (2 * len(rows)), parts - 1)[places]
    return [rows, *(rows[where == part] for part in range(parts))]


def _part(segment: str, part: int, chances: Reals, observed: Share, tolerance: Tolerance) -> CalibratedPart:
    expected = float(chances.mean())
    return CalibratedPart(
        segment=segment,
        part=part,
        chance_min=float(chances.min()),
        chance_max=float(chances.max()),
        expected=expected,
        observed=observed,
        verdict=_verdict(expected, observed, max(tolerance.relative * expected, tolerance.absolute)),
    )


def _verdict(expected: float, observed: Share, allowed: float) -> CalibrationVerdict:
    if observed.low > expected + allowed:
        return CalibrationVerdict.TOO_LOW
    if observed.high < expected - allowed:
        return CalibrationVerdict.TOO_HIGH
    if observed.low >= expected - allowed and observed.high <= expected + allowed:
        return CalibrationVerdict.WITHIN
    return CalibrationVerdict.UNSURE
