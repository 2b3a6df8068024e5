"""Many seeds, on as many processes as wanted; each seed alone is a single process and repeatable."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from proofs.simulator.dice import Fault
from proofs.simulator.parts import Parts
from proofs.simulator.planted import PLANTED
from proofs.simulator.run import Verdict, run_seed

__all__ = ["Report", "run_seeds", "trace_of"]

_CHUNK: Final = 50
_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a private folder is made in it


@dataclass(slots=True)
class Report:
    """What came of many seeds."""

    seeds: int = 0
    steps: int = 0
    rows: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    failures: list[Verdict] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        """Count one more seed."""
        self.seeds += 1
        self.steps += verdict.steps
        self.rows += verdict.rows
        self.faults += verdict.faults
        if verdict.failure:
            self.failures.append(verdict)

    def figures(self) -> dict[str, Any]:
        """Return the counts, as plain values."""
        return {
            "seeds": self.seeds,
            "steps": self.steps,
            "rows": self.rows,
            "failures": len(self.failures),
            "faults": {fault.value: self.faults[fault] for fault in Fault},
        }


def run_seeds(
    seeds: Sequence[int],
    *,
    planted: str = "",
    has_model: bool = True,
    jobs: int = 1,
    failures_max: int = 1,
) -> Report:
    """Simulate seeds in their order until enough of them have failed.

    Parameters
    ----------
    seeds
        Any integers.
    planted
        The name of a planted bug, or nothing.
    has_model
        Whether everything is compared with the independent model as well.
    jobs
        Processes.
    failures_max
        After so many failures the rest is left out.
    """
    parts = replace(_parts(planted), has_model=has_model)
    report = Report()
    for verdict in _verdicts(seeds, parts, jobs):
        report.add(verdict)
        if len(report.failures) == failures_max:
            break
    return report


def trace_of(seed: int, *, planted: str = "") -> tuple[str, ...]:
    """Return everything that happens in one seed."""
    with _folder() as folder:
        return run_seed(seed, Path(folder), _parts(planted), traced=True).trace


def _parts(planted: str) -> Parts:
    return PLANTED[planted] if planted else Parts()


def _verdicts(seeds: Sequence[int], parts: Parts, jobs: int) -> Iterator[Verdict]:
    if jobs == 1:
        yield from _run_each(seeds, parts)
        return
    chunks = [seeds[first : first + _CHUNK] for first in range(0, len(seeds), _CHUNK)]
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        pending = [pool.submit(_run_chunk, chunk, parts) for chunk in chunks]
        try:
            for future in pending:
                yield from future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _run_chunk(seeds: Sequence[int], parts: Parts) -> list[Verdict]:
    return list(_run_each(seeds, parts))


def _run_each(seeds: Iterable[int], parts: Parts) -> Iterator[Verdict]:
    with _folder() as folder:
        for seed in seeds:
            yield run_seed(seed, Path(folder), parts)


def _folder() -> tempfile.TemporaryDirectory[str]:
    parent = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
    return tempfile.TemporaryDirectory(prefix="formicary-simulator-", dir=parent)
