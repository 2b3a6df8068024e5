"""What numpy does slowly with structured arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["joined"]


def joined(parts: Sequence[npt.NDArray[Any]], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return arrays of ``dtype``, one-dimensional each, end to end in new memory, (n,).

    ``numpy.concatenate`` looks at every field of each structured dtype to find out that they are the same:
    for a hundred small arrays that takes three milliseconds, their bytes take a few microseconds.
    """
    buffers: list[Any] = [np.ascontiguousarray(part) for part in parts]
    return np.frombuffer(bytearray().join(buffers), dtype)
