"""A scorecard: log odds as a sum over columns, each of which adds what its bin weighs.

A case's score is the log odds, in natural logarithms, that its label is 1 (the case goes bad). A column adds
its coefficient times the weight of evidence of the bin that the value is in; a missing value has a bin of its
own, and a category that was never seen adds nothing. Points go the other way, as lenders read them: more are
better. The sum is exact and its terms are the explanation, so nothing has to be attributed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from formicary.factory.models._checks import Integers, Reals
from formicary.factory.models.errors import ModelCorrupt, TableUnusable

__all__ = ["BinOfTable", "PointsScale", "Scorecard", "ScorecardColumn", "by_name"]

_MISSING_CODE: Final = -1
_DIRECTIONS: Final = {-1, 0, 1}
# In the line of a table: as many as fit beside its numbers.
_CODES_SHOWN_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class PointsScale:
    """How log odds are told as points.

    Attributes
    ----------
    base
        Points of a case whose odds of going well are ``odds`` to 1.
    odds
        Of label 0 over label 1, without a unit.
    to_double
        Points by which the odds of going well double.
    """

    base: float = 600.0
    odds: float = 50.0
    to_double: float = 20.0

    def __post_init__(self) -> None:
        """Refuse as ``ModelCorrupt`` what is no scale."""
        if not (math.isfinite(self.base) and 0 < self.odds < math.inf and 0 < self.to_double < math.inf):
            message = f"{self} is no scale of points"
            raise ModelCorrupt(message)

    @property
    def per_log_odds(self) -> float:
        """Points that one unit of log odds of label 1 takes away."""
        return self.to_double / math.log(2)

    def points(self, log_odds: Reals) -> Reals:
        """Return the points (n,) of log odds (n,) of label 1."""
        return self.base - self.per_log_odds * (log_odds + math.log(self.odds))


@dataclass(frozen=True, slots=True)
class ScorecardColumn:
    """The bins of a column and what they add.

    Attributes
    ----------
    name
        Of the column.
    is_categorical
        Whether its values are integer codes instead of numbers.
    direction
        1 where a higher number may not lower the odds of label 1, -1 where it may not raise them, else 0.
    coefficient
        What weights of evidence are multiplied with, above 0.
    ends
        The highest number of each bin but the last, (k - 1,); empty for categories.
    codes
        The categories of each bin, (k,); empty for numbers.
    rows, mass, positives
        What was in each bin, (k + 1,), missing values last: rows, their weights' sum, and that of label 1.
    weights
        Of evidence for label 1, (k + 1,), missing values last.
    """

    name: str
    is_categorical: bool
    direction: int
    coefficient: float
    ends: tuple[float, ...]
    codes: tuple[tuple[int, ...], ...]
    rows: tuple[int, ...]
    mass: tuple[float, ...]
    positives: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse as ``ModelCorrupt`` bins that do not fit each other."""
        bins = len(self.codes) if self.is_categorical else len(self.ends) + 1
        sizes = {len(self.rows), len(self.mass), len(self.positives), len(self.weights)}
        known = [code for group in self.codes for code in group]
        problems = {
            "its bins do not have one number each": sizes != {bins + 1},
            "it mixes numbers and categories": bool(self.ends if self.is_categorical else self.codes),
            "its bins' ends do not rise": not all(np.diff(self.ends) > 0),
            "a category is in two bins or negative": len(set(known)) < len(known)
            or min(known, default=0) < 0,
            "a number of it is not finite": not np.isfinite(
                [self.coefficient, *self.weights, *self.ends]
            ).all(),
            "its coefficient is negative": self.coefficient < 0,
            "its direction is none": self.direction not in _DIRECTIONS,
            "its weights turn": bool((np.diff(self.weights[:-1]) * self.direction < 0).any()),
        }
        for problem, is_true in problems.items():
            if is_true:
                message = f"the column {self.name!r} is no part of a scorecard: {problem}"
                raise ModelCorrupt(message)

    def places(self, values: npt.ArrayLike) -> Integers:
        """Return the bin (n,) of values (n,): from 0, k for a missing and k + 1 for an unseen one."""
        missing = len(self.weights) - 1
        if not self.is_categorical:
            numbers = np.asarray(values, np.float64)
            return np.where(np.isnan(numbers), missing, np.searchsorted(self.ends, numbers, side="left"))
        codes = np.asarray(values, np.int64)
        bins = [place for place, group in enumerate(self.codes) for _ in group]
        known = np.array([code for group in self.codes for code in group] + [_MISSING_CODE], np.int64)
        order = np.argsort(known)
        found = np.minimum(np.searchsorted(known[order], codes), len(known) - 1)
        is_known = known[order][found] == codes
        return np.where(is_known, np.array([*bins, missing])[order][found], missing + 1)

    @property
    def added(self) -> Reals:
        """What each bin adds to the log odds, (k + 2,): the missing and the unseen last."""
        return np.append(self.coefficient * np.array(self.weights), 0.0)


class BinOfTable(NamedTuple):
    """A line of a scorecard's table.

    ``share`` is that of the mass of all rows, ``rate`` the share of label 1 in the bin, NaN where no row was
    counted, ``weight`` the evidence for label 1, ``points`` what the bin adds to the points.
    """

    column: str
    bin: str
    rows: int
    share: float
    rate: float
    weight: float
    points: float


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A trained scorecard.

    Attributes
    ----------
    intercept
        Log odds of a case all of whose columns weigh nothing.
    columns
        What is added, in the order in which it is.
    scale
        How points are told.
    penalty
        Of the ridge that the coefficients were fitted with.
    notes
        What was left out of it, and why, a sentence each.
    """

    intercept: float
    columns: tuple[ScorecardColumn, ...]
    scale: PointsScale
    penalty: float
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse as ``ModelCorrupt`` a card without a finite start or columns, or with one twice."""
        names = [column.name for column in self.columns]
        if not math.isfinite(self.intercept) or not names or len(set(names)) < len(names):
            message = f"a scorecard has a finite start and each column once, not {self.intercept}, {names}"
            raise ModelCorrupt(message)

    def contributions(self, columns: Any) -> Reals:
        """Return what each column adds to the log odds of each case, (n, columns), in the card's order.

        ``columns`` is a dict or ``NamedTuple`` of columns (n,) by name: numbers with NaN where missing, or
        integer codes with -1 where missing. Others than the card's are not looked at.

        Raises
        ------
        TableUnusable
            A column is missing, or is not as long as the others.
        """
        table = by_name(columns)
        parts = []
        for column in self.columns:
            if column.name not in table:
                message = f"the column {column.name!r} of the scorecard is missing"
                raise TableUnusable(message)
            parts.append(column.added[column.places(np.atleast_1d(table[column.name]))])
        if len({len(part) for part in parts}) != 1:
            message = f"columns have {sorted({len(part) for part in parts})} rows"
            raise TableUnusable(message)
        return np.column_stack(parts)

    def score(self, columns: Any) -> Reals:
        """Return the log odds (n,) of label 1, in natural logarithms.

        They are the intercept plus the ``contributions``, added one by one from the first, to the bit.
        """
        added = self.contributions(columns)
        total = np.full(len(added), self.intercept)
        # Column by column: numpy's own sum goes another way for other lengths.
        for part in added.T:
            total = total + part
        return total

    def points(self, columns: Any) -> Reals:
        """Return the points (n,) of cases on the card's scale, the more the better, not rounded."""
        return self.scale.points(self.score(columns))

    def bins(self) -> tuple[BinOfTable, ...]:
        """Return the table of all bins; of missing values that were never seen, one is left out.

        Where no row was counted in a column at all, its bins were declared, and none is left out.
        """
        return tuple(
            BinOfTable(
                column.name,
                text,
                column.rows[place],
                column.mass[place] / math.fsum(column.mass),
                column.positives[place] / column.mass[place] if column.rows[place] else math.nan,
                column.weights[place],
                # Nothing has no sign.
                0.0 - self.scale.per_log_odds * float(column.added[place]),
            )
            for column in self.columns
            for place, text in enumerate(_bin_texts(column))
            if column.rows[place] or place < len(column.weights) - 1 or not any(column.rows)
        )

    def table(self) -> str:
        """Return the table of all bins as text to read, the points of the intercept first."""
        start = float(self.scale.points(np.array([self.intercept]))[0])
        header = ("column", "bin", "rows", "share", "rate", "weight", "points")
        lines: list[tuple[str, ...]] = [header, ("start", "", "", "", "", "", f"{start:.1f}")]
        lines += [
            (
                one.column,
                one.bin,
                str(one.rows),
                f"{one.share:.1%}",
                "" if math.isnan(one.rate) else f"{one.rate:.1%}",
                *map(_signed, one[5:]),
            )
            for one in self.bins()
        ]
        widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if place < 2 else cell.rjust(width)  # noqa: PLR2004, texts left, numbers right
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    @property
    def hash(self) -> str:
        """The card's identity: SHA-256 of its canonical JSON, in hexadecimal digits."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain values, for JSON, with its hash."""
        return {**json.loads(json.dumps(asdict(self), allow_nan=False)), "hash": self.hash}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Return the card that ``to_dict`` gave; anything else is ``ModelCorrupt``."""
        try:
            card = cls(
                intercept=float(plain["intercept"]),
                columns=tuple(map(_column_of, plain["columns"])),
                scale=PointsScale(**{name: float(value) for name, value in plain["scale"].items()}),
                penalty=float(plain["penalty"]),
                notes=tuple(map(str, plain["notes"])),
            )
            # A number that is not finite has no place in JSON, and so no hash.
            found, expected = card.hash, plain["hash"]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"a stored scorecard is unreadable: {error!r}"
            raise ModelCorrupt(message) from error
        if found != expected:
            message = f"a stored scorecard has the hash {found}, not {expected}"
            raise ModelCorrupt(message)
        return card


def by_name(columns: Any) -> Mapping[str, Any]:
    """Return columns by name, of a mapping or a ``NamedTuple``."""
    if isinstance(columns, Mapping):
        return columns
    found: Mapping[str, Any] = columns._asdict()
    return found


def _column_of(plain: Mapping[str, Any]) -> ScorecardColumn:
    return ScorecardColumn(
        name=str(plain["name"]),
        is_categorical=bool(plain["is_categorical"]),
        direction=int(plain["direction"]),
        coefficient=float(plain["coefficient"]),
        ends=tuple(map(float, plain["ends"])),
        codes=tuple(tuple(map(int, group)) for group in plain["codes"]),
        rows=tuple(map(int, plain["rows"])),
        mass=tuple(map(float, plain["mass"])),
        positives=tuple(map(float, plain["positives"])),
        weights=tuple(map(float, plain["weights"])),
    )


def _bin_texts(column: ScorecardColumn) -> list[str]:
    if column.is_categorical:
        return [*map(_codes_text, column.codes), "missing"]
    ends = [f"{end:g}" for end in column.ends]
    if not ends:
        return ["any", "missing"]
    between = [f"over {low} to {high}" for low, high in pairwise(ends)]
    return [f"up to {ends[0]}", *between, f"over {ends[-1]}", "missing"]


def _codes_text(codes: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, codes[:_CODES_SHOWN_MAX]))
    return shown if len(codes) <= _CODES_SHOWN_MAX else f"{shown} and {len(codes) - _CODES_SHOWN_MAX} more"


def _signed(number: float) -> str:
    return f"{number:+.2f}"
