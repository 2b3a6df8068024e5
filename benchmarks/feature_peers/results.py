"""What a peer did, and how it is measured: in turns, checked row by row."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import polars as pl

from benchmarks.feature_peers.task import wrong_rows

__all__ = ["Contender", "PeerResult", "measure"]


@dataclass(frozen=True, kw_only=True)
class PeerResult:
    """What one peer did with one task.

    ``rows_wrong`` counts rows that came out with a value that is not the expected one; rows that did not
    come out at all are ``rows_lost``. Rates are medians of several runs, latencies are of one entity; None
    where the peer has no such figure.
    """

    name: str
    task: str
    rows_in: int
    rows_out: int
    rows_wrong: int
    rows_per_second: float | None = None
    latency_p50_us: float | None = None
    latency_p99_us: float | None = None
    note: str = ""

    @property
    def rows_lost(self) -> int:
        """Return how many rows did not come out."""
        return self.rows_in - self.rows_out


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A peer's way to do a task; ``expected`` (n) is what must come out, in any order."""

    name: str
    task: str
    run: Callable[[], pl.DataFrame]
    expected: pl.DataFrame
    note: str = ""


def measure(contenders: Sequence[Contender], *, repeats: int) -> list[PeerResult]:
    """Run each contender ``repeats`` times and check what came out the first time."""
    seconds: list[list[float]] = [[] for _ in contenders]
    checked: list[tuple[int, int]] = []
    # In turns: what else the machine does then meets every peer alike.
    for repeat in range(repeats):
        for contender, taken in zip(contenders, seconds, strict=True):
            began = time.perf_counter()
            found = contender.run()
            taken.append(time.perf_counter() - began)
            if repeat == 0:
                checked.append((found.height, wrong_rows(found, contender.expected)))
    return [
        PeerResult(
            name=contender.name,
            task=contender.task,
            rows_in=contender.expected.height,
            rows_out=rows_out,
            rows_wrong=rows_wrong,
            rows_per_second=contender.expected.height / median(taken),
            note=contender.note,
        )
        for contender, taken, (rows_out, rows_wrong) in zip(contenders, seconds, checked, strict=True)
    ]
