"""What comes of an outcome: whether the thing that was asked for happens, waits or does not happen."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Effect"]


class Effect(IntEnum):
    """What a decision does to the transfer that it is about, the least severe first."""

    ALLOW = 0
    """It is made."""
    STEP_UP = 1
    """It is not made, and may be asked for again after a check of who asks."""
    HOLD = 2
    """Its money is reserved, until somebody releases it or gives it back, or until time does."""
    REJECT = 3
    """It is not made."""
