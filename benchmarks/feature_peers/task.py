"""What every peer computes, and an independent loop that says what is right.

*Windows*: for every event, what was known of its payer and payee before it. *Join*: for every event, the
payer's features as the payer's last event left them, looked up by time.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Final

import polars as pl

from benchmarks.feature_peers.events import NANOSECONDS_PER_DAY

__all__ = ["DAYS", "OPERATORS", "expected_join", "expected_windows", "features_of", "wrong_rows"]

DAYS: Final = (1, 7, 30)
"""The windows: an event at t sees the earlier events at (t - days, t]."""

OPERATORS: Final = {"payer": ("count", "sum", "mean", "max"), "payee": ("count", "mean")}
"""The features of a key; of no event count and sum are 0, mean and maximum are null."""

# Means are divided in double precision everywhere, yet not everywhere in the same order.
_TOLERANCE: Final = 1e-12

Value = int | float | None


def features_of(key: str) -> list[str]:
    """Return the names of a key's features, window by window."""
    return [f"{key}_{operator}_{days}d" for days in DAYS for operator in OPERATORS[key]]


class _Window:
    """The events of one key in one window, and those that can still become its largest."""

    def __init__(self, days: int) -> None:
        self._nanoseconds = days * NANOSECONDS_PER_DAY
        self._events: deque[tuple[int, int]] = deque()
        self._falling: deque[tuple[int, int]] = deque()
        self._sum = 0

    def features(self, at: int) -> dict[str, Value]:
        """Forget what has left the window at ``at``, and return the rest's features by operator."""
        begins = at - self._nanoseconds
        while self._events and self._events[0][0] <= begins:
            self._sum -= self._events.popleft()[1]
        while self._falling and self._falling[0][0] <= begins:
            self._falling.popleft()
        count = len(self._events)
        mean = self._sum / count if count else None
        largest = self._falling[0][1] if count else None
        return {"count": count, "sum": self._sum, "mean": mean, "max": largest}

    def add(self, at: int, amount: int) -> None:
        self._events.append((at, amount))
        self._sum += amount
        while self._falling and self._falling[-1][1] <= amount:
            self._falling.pop()
        self._falling.append((at, amount))


def expected_windows(events: pl.DataFrame) -> pl.DataFrame:
    """Return ``position`` and the 18 features of events (n) of ``EVENTS``, by one loop in plain Python."""
    columns = [events["position"]]
    for key, operators in OPERATORS.items():
        keyed: defaultdict[int, list[_Window]] = defaultdict(lambda: [_Window(days) for days in DAYS])
        rows: list[list[Value]] = []
        for at, owner, amount in events.select("at", key, "amount").iter_rows():
            row: list[Value] = []
            for window in keyed[owner]:
                found = window.features(at)
                row += [found[operator] for operator in operators]
                window.add(at, amount)
            rows.append(row)
        kinds = {name: pl.Float64 if "mean" in name else pl.Int64 for name in features_of(key)}
        columns += pl.DataFrame(rows, schema=kinds, orient="row").get_columns()
    return pl.DataFrame(columns)


def expected_join(events: pl.DataFrame, updates: pl.DataFrame) -> pl.DataFrame:
    """Return ``position`` and, for each event, the row of ``updates`` (n) its payer left last, or nulls."""
    last: dict[int, int] = {}
    before = []
    for position, payer in enumerate(events["payer"]):
        before.append(last.get(payer))
        last[payer] = position
    rows = updates.select(features_of("payer"))[pl.Series(before, dtype=pl.UInt32)]
    return rows.insert_column(0, events["position"])


def wrong_rows(found: pl.DataFrame, expected: pl.DataFrame, *, key: str = "position") -> int:
    """Return how many rows of ``found`` differ in any feature from the row of ``expected`` of their key."""
    kinds = {name: kind for name, kind in expected.schema.items() if name != key}
    pairs = found.select(key, *[pl.col(name).cast(kind) for name, kind in kinds.items()]).join(
        expected, on=key, how="left", suffix=" expected"
    )
    return pairs.filter(pl.any_horizontal(_differs(name, kind) for name, kind in kinds.items())).height


def _differs(name: str, kind: pl.DataType) -> pl.Expr:
    found, expected = pl.col(name), pl.col(f"{name} expected")
    if kind.is_integer():
        return found.ne_missing(expected)
    far = (found - expected).abs() > _TOLERANCE * expected.abs()
    return (found.is_null() != expected.is_null()) | far.fill_null(value=False)
