"""What a replay of a history needs of a factory; no data frame library comes with it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from formicary.economy.moments import Asked

__all__ = ["HistoryEngine"]


class HistoryEngine(Protocol):
    """What a replay needs of a factory whose clock it moves."""

    def execute(self, requests: Sequence[Asked]) -> Sequence[Any]:
        """Decide requests as one group, commit, and return their answers; a refusal is an answer."""
        ...

    def set_time(self, nanoseconds: int) -> None:
        """Move the factory's clock."""
        ...

    def answered(self, command_ids: Sequence[int]) -> Collection[int]:
        """Return which of these commands were answered before."""
        ...

    @property
    def latest(self) -> int:
        """The time of the ledger's last account or transfer, in nanoseconds; 0 of an empty one."""
        ...
