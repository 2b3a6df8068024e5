"""What is there when a process begins to serve is no longer gone through."""

from __future__ import annotations

import gc
import weakref

from formicary.runtime.garbage import spare_what_is_there


class _Circle:
    def __init__(self) -> None:
        self.itself = self


def test_what_is_there_is_spared_until_the_next_time() -> None:
    """A circle that was spared is collected only when it is asked for again."""
    kept = _Circle()
    seen = weakref.ref(kept)
    before = gc.get_freeze_count()
    try:
        spare_what_is_there()
        assert gc.get_freeze_count() > before
        del kept
        gc.collect()
        assert seen() is not None
        spare_what_is_there()
        assert seen() is None
    finally:
        gc.unfreeze()
