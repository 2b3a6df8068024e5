"""Aggregates of a snapshot, brought into the layout that this code has for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.factory.journal.errors import SnapshotCorrupted

__all__ = ["brought"]

Rows = npt.NDArray[Any]


def brought(records: Rows, dtype: np.dtype[np.void], *, room: int) -> Rows:
    """Return records (n,) in a layout, with room for so many, (max(n, room),).

    Fields that came after the snapshot are zero.

    Raises
    ------
    SnapshotCorrupted
        A field is there no more, or is another one now: the journal has to be folded instead.
    """
    own = np.zeros(max(len(records), room), dtype)
    for name in records.dtype.names or ():
        if name not in (dtype.names or ()) or dtype[name] != records.dtype[name]:
            message = f"the snapshot has aggregates with another field {name} than this release"
            raise SnapshotCorrupted(message)
        own[name][: len(records)] = records[name]
    return own
