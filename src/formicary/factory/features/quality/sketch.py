"""What a feature's values look like: counts, extremes, the mean and quantiles, in bounded memory.

Sketches add up: that of all rows is the merge of those of any parts, in any order, to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.features.quality._buckets import Keys, Reals, collapsed, counted, keys_of, middle_of
from formicary.factory.features.quality._exact_sum import SCALE_BITS, exact_sum

__all__ = ["SketchDocument", "ValueSketch", "sketch_of"]

_LARGEST: Final = float(np.finfo(np.float64).max)


class SketchDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A sketch as JSON keeps it.

    Attributes
    ----------
    total
        The exact sum: hexadecimal digits, a ``p``, and the power of two they are multiplied by.
    keys, counts
        How many values each bucket holds, as long as each other.
    """

    rows: int
    missing: int
    withheld: int
    fractions: int
    minimum: float | None
    maximum: float | None
    total: str
    keys: list[int]
    counts: list[int]


def _none() -> Keys:
    return np.empty(0, np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class ValueSketch:
    """The values of one feature in many rows; nothing changes it, ``add`` and ``merge`` return another.

    Attributes
    ----------
    rows
        How many there are.
    missing
        In how many of them there is no value, those withheld included.
    withheld
        In how many there is none because a party gave no consent.
    fractions
        How many values are no whole numbers.
    minimum, maximum
        The extremes; inf and -inf of no values.
    total
        The exact sum in units of 2^-1074.
    keys, counts
        (k,) logarithmic buckets and how many values each holds; at most ``SKETCH_BUCKETS_MAX`` a sign.
    """

    rows: int = 0
    missing: int = 0
    withheld: int = 0
    fractions: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf
    total: int = 0
    keys: Keys = field(default_factory=_none)
    counts: Keys = field(default_factory=_none)

    @property
    def present(self) -> int:
        """In how many rows there is a value."""
        return self.rows - self.missing

    @property
    def zeros(self) -> int:
        """How many values are zero, or smaller than any normal number."""
        return int(self.counts[self.keys == 0].sum())

    @property
    def mean(self) -> float:
        """The mean of the values, rounded once; NaN of none."""
        return self.total / (self.present << SCALE_BITS) if self.present else math.nan

    def quantile(self, share: float) -> float:
        """Return the value of rank floor(share (n - 1)) among n values, from 0; NaN where there are none.

        It is within ``RELATIVE_ERROR`` of the true one, the extremes are exact. Where the largest magnitude
        is more than about 5e17 times the smallest, the smallest share a bucket: below its bound the error is
        at most that bound.
        """
        if not self.present:
            return math.nan
        rank = math.floor(share * (self.present - 1))
        if rank in (0, self.present - 1):
            return self.maximum if rank else self.minimum
        place = int(np.searchsorted(np.cumsum(self.counts), rank, side="right"))
        return min(max(middle_of(int(self.keys[place])), self.minimum), self.maximum)

    def add(self, values: Reals, withheld: npt.NDArray[np.bool_] | None = None) -> ValueSketch:
        """Return a sketch that knows these values (n,) as well: see ``sketch_of``."""
        return self.merge(sketch_of(values, withheld))

    def merge(self, other: ValueSketch) -> ValueSketch:
        """Return the sketch of the rows of both."""
        if not (self.rows and other.rows):
            return self if self.rows else other
        keys, counts = counted(
            np.concatenate((self.keys, other.keys)), np.concatenate((self.counts, other.counts))
        )
        return ValueSketch(
            rows=self.rows + other.rows,
            missing=self.missing + other.missing,
            withheld=self.withheld + other.withheld,
            fractions=self.fractions + other.fractions,
            minimum=min(self.minimum, other.minimum),
            maximum=max(self.maximum, other.maximum),
            total=self.total + other.total,
            keys=keys,
            counts=counts,
        )

    def document(self) -> SketchDocument:
        """Return the sketch as JSON keeps it: equal sketches give equal documents."""
        return SketchDocument(
            rows=self.rows,
            missing=self.missing,
            withheld=self.withheld,
            fractions=self.fractions,
            minimum=self.minimum if self.present else None,
            maximum=self.maximum if self.present else None,
            total=_total_text(self.total),
            keys=self.keys.tolist(),
            counts=self.counts.tolist(),
        )

    @staticmethod
    def of_document(document: SketchDocument) -> ValueSketch:
        """Return the sketch that a document was made from.

        Raises
        ------
        ValueError
            Its parts contradict each other.
        """
        sketch = ValueSketch(
            rows=document.rows,
            missing=document.missing,
            withheld=document.withheld,
            fractions=document.fractions,
            minimum=math.inf if document.minimum is None else document.minimum,
            maximum=-math.inf if document.maximum is None else document.maximum,
            total=_total_of(document.total),
            keys=np.array(document.keys, np.int64),
            counts=np.array(document.counts, np.int64),
        )
        ordered = len(sketch.keys) == len(sketch.counts) and bool((np.diff(sketch.keys) > 0).all())
        if not ordered or bool((sketch.counts < 1).any()) or int(sketch.counts.sum()) != sketch.present:
            message = "the buckets of a sketch do not hold its values"
            raise ValueError(message)
        if not 0 <= sketch.withheld <= sketch.missing or (sketch.present and sketch.minimum > sketch.maximum):
            message = "the counts or extremes of a sketch contradict each other"
            raise ValueError(message)
        return sketch


def sketch_of(values: Reals, withheld: npt.NDArray[np.bool_] | None = None) -> ValueSketch:
    """Return the sketch of values.

    Parameters
    ----------
    values
        (n,), NaN where missing. What is infinite counts as the largest number there is.
    withheld
        (n,) which of the missing ones a party gave no consent to.
    """
    is_missing = np.isnan(values)
    present = np.clip(values[~is_missing], -_LARGEST, _LARGEST).astype(np.float64)
    keys, counts = np.unique(collapsed(keys_of(present)), return_counts=True)
    return ValueSketch(
        rows=len(values),
        missing=int(is_missing.sum()),
        withheld=0 if withheld is None else int((withheld & is_missing).sum()),
        fractions=int((present != np.trunc(present)).sum()),
        minimum=float(present.min()) if len(present) else math.inf,
        maximum=float(present.max()) if len(present) else -math.inf,
        total=exact_sum(present),
        keys=keys,
        counts=counts,
    )


def _total_text(total: int) -> str:
    # Whole numbers end in a thousand zero bits, which are not written.
    zeros = (total & -total).bit_length() - 1 if total else SCALE_BITS
    return f"{total >> zeros:x}p{zeros - SCALE_BITS}"


def _total_of(text: str) -> int:
    digits, _, exponent = text.partition("p")
    shift = int(exponent) + SCALE_BITS
    if not 0 <= shift <= 2 * SCALE_BITS:
        message = f"{text[:40]!r} is no sum of floating-point numbers"
        raise ValueError(message)
    return int(digits, 16) << shift
