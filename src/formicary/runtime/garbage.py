"""Python's garbage collector beside answers that may not wait."""

from __future__ import annotations

import gc

__all__ = ["spare_what_is_there"]


def spare_what_is_there() -> None:
    """Collect, then let no later collection go through what is there now.

    What a process has when it begins to serve, code, types and declarations, it has until its end: to go
    through all of it takes 140 ms, in the midst of answers.
    """
    # What was spared before and is no more is collected as well.
    gc.unfreeze()
    gc.collect()
    gc.freeze()
