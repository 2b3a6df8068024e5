"""How often a caller may ask: one bucket of tokens each."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from formicary.base.limits import API_RATE_KEYS_MAX
from formicary.surfaces.api.problems import RateLimited

__all__ = ["RateLimits"]


class RateLimits:
    """Buckets of tokens, by caller.

    Parameters
    ----------
    per_second, burst
        How many tokens a bucket gains each second, and how many it holds.
    monotonic
        A clock in seconds that never goes back.
    """

    def __init__(self, *, per_second: float, burst: float, monotonic: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str, tokens: float = 1.0) -> None:
        """Take tokens from a caller's bucket.

        Raises
        ------
        RateLimited
            There are not enough; it says how many seconds to wait.
        """
        now = self._monotonic()
        left, since = self._buckets.get(caller, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        # A request of more tokens than a bucket holds is let through by a full one.
        if left < min(tokens, self._burst):
            raise RateLimited(max(1, math.ceil((min(tokens, self._burst) - left) / self._per_second)))
        self._buckets[caller] = left - tokens, now
        self._buckets.move_to_end(caller)
        if len(self._buckets) > API_RATE_KEYS_MAX:
            self._buckets.popitem(last=False)
