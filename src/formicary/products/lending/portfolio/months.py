"""Calendar months of times, for cohorts."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["month_text", "months_of"]

Words: TypeAlias = npt.NDArray[np.int64]


def months_of(at: npt.ArrayLike) -> Words:
    """Return the months since January 1970, in UTC, of times (n,) in nanoseconds since 1970.

    Examples
    --------
    >>> from formicary.base.times import parse_time
    >>> months_of([parse_time("2024-02-29T23:59:59Z")]).tolist()
    [649]
    """
    return np.asarray(at, np.int64).astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)


def month_text(month: int) -> str:
    """Return a month as 2024-02."""
    years, rest = divmod(month, 12)
    return f"{1970 + years}-{rest + 1:02}"
