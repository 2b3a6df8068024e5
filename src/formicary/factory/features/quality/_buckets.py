"""Logarithmic buckets of both signs: what quantiles are told from.

With g = (1 + e) / (1 - e) the bucket i holds magnitudes in (g^(i-1), g^i], and 2 g^i / (g + 1) is within the
relative error e of each of them (Masson, Rim and Lee, *DDSketch: a fast and fully-mergeable quantile sketch
with relative-error guarantees*, PVLDB 12(12), 2019). A bucket's key is i moved up to be positive, with the
sign of its values, so that keys are in the order of values; the key of zero is 0.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.base.limits import SKETCH_BUCKETS_MAX

__all__ = ["RELATIVE_ERROR", "collapsed", "counted", "keys_of", "middle_of"]

Keys = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

RELATIVE_ERROR: Final = 0.01
"""How far a told quantile is from the true one, as a share of it: nearer than anyone reads a chart."""

_RATIO: Final = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_RATIO: Final = math.log(_RATIO)
_LOG_MIDDLE: Final = math.log(2 / (_RATIO + 1))
# Above the number of buckets between 1 and the smallest magnitude: 708 / 0.02.
_KEY_OF_ONE: Final = 1 << 16
_SMALLEST: Final = float(np.finfo(np.float64).tiny)
_LARGEST: Final = float(np.finfo(np.float64).max)


def keys_of(values: Reals) -> Keys:
    """Return the keys (n,) of finite values (n,); what is smaller than any normal number counts as zero."""
    magnitudes = np.abs(values)
    is_zero = magnitudes < _SMALLEST
    steps = np.ceil(np.log(np.where(is_zero, 1.0, magnitudes)) / _LOG_RATIO).astype(np.int64)
    return np.where(is_zero, 0, np.where(values < 0, -1, 1) * (steps + _KEY_OF_ONE))


def middle_of(key: int) -> float:
    """Return the value that is within ``RELATIVE_ERROR`` of all that a key counts."""
    if not key:
        return 0.0
    exponent = (abs(key) - _KEY_OF_ONE) * _LOG_RATIO + _LOG_MIDDLE
    return math.copysign(math.exp(min(exponent, math.log(_LARGEST))), key)


def collapsed(keys: Keys) -> Keys:
    """Return keys (n,) of at most ``SKETCH_BUCKETS_MAX`` of each sign: the smallest magnitudes share one.

    What is kept apart depends on the largest magnitudes alone, so that sketches that were collapsed at
    different times merge to what one sketch of everything would be.
    """
    if not len(keys):
        return keys
    kept = np.where(keys > 0, np.maximum(keys, keys.max() - SKETCH_BUCKETS_MAX + 1), keys)
    return np.where(keys < 0, np.minimum(kept, keys.min() + SKETCH_BUCKETS_MAX - 1), kept)


def counted(keys: Keys, counts: Keys) -> tuple[Keys, Keys]:
    """Return each key (k,) once, in order, with the sum of its counts (k,), from keys and counts (n,)."""
    once, places = np.unique(collapsed(keys), return_inverse=True)
    sums = np.zeros(len(once), np.int64)
    np.add.at(sums, places, counts)
    return once, sums
