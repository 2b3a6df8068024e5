"""Schedules of loans: how many are valued a second.

``formicary bench schedules`` or ``python -m benchmarks.schedules``. Mixed loans, drawn by hash: every
method, day count and unit, 3 to 60 instalments, grace, fees, some with two disbursements. They are valued in
blocks, since nobody needs all rows at once, by one thread for each core. Kernels are compiled before.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks._machine import machine
from formicary.base.draws import draws
from formicary.products.lending.schedules import (
    LOAN,
    MOVEMENT,
    DayCount,
    Method,
    Unit,
    check_loans,
    valued_rows,
)

LOANS: Final = 1_000_000
BLOCK: Final = 10_000
SEED: Final = 20
Records = npt.NDArray[np.void]
Batch = tuple[Records, Records, npt.NDArray[np.int64]]


def batch(seed: int, count: int) -> Batch:
    """Return so many mixed loans, drawn from a seed."""
    drawn = draws(seed, count * 16).reshape(16, count)

    def pick(row: int, below: int) -> npt.NDArray[np.int64]:
        chosen: npt.NDArray[np.int64] = (drawn[row] % np.uint64(below)).astype(np.int64)
        return chosen

    loans: Records = np.zeros(count, LOAN)
    loans["rate"] = 1_000_000 * pick(0, 400) + 12_500 * pick(1, 80)
    loans["instalments"] = np.array([3, 6, 12, 12, 18, 24, 36, 60])[pick(2, 8)]
    loans["unit"] = np.array([Unit.MONTHS] * 6 + [Unit.WEEKS, Unit.DAYS])[pick(3, 8)]
    loans["every"] = np.where(loans["unit"] == Unit.DAYS, 10, 1)
    loans["method"] = np.array([Method.EQUAL_INSTALMENTS] * 5 + [*Method][1:])[pick(4, 8)]
    loans["day_count"] = pick(5, len(DayCount))
    loans["interest"] = pick(6, 2)
    loans["month_end"] = pick(7, 2)
    loans["adjusted"] = (loans["method"] == Method.EQUAL_INSTALMENTS) & (pick(8, 4) == 0)
    loans["principal_grace"] = np.where(pick(9, 8) == 0, 2, 0)
    loans["interest_free"] = np.where(pick(10, 16) == 0, 1, 0)
    loans["multiple"] = 1
    loans["instalment_fee"] = np.where(pick(11, 8) == 0, 500, 0)
    loans["start"] = 19_000 + pick(12, 1_000)
    sizes = np.where((pick(13, 8) == 0) & (loans["unit"] != Unit.DAYS), 2, 1)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    movements: Records = np.zeros(int(starts[-1]), MOVEMENT)
    first, amounts = starts[:-1], 10_000 + 100 * pick(14, 50_000)
    for place in (0, 1):
        rows = (first + place)[sizes > place]
        movements["day"][rows] = loans["start"][sizes > place] + 20 * place
        movements["amount"][rows] = amounts[sizes > place]
    return loans, movements, starts


def value_block(block: Batch) -> tuple[int, int]:
    """Return how many rows and how much interest the loans of a block have."""
    rows = valued_rows(*block)
    ends = rows.starts + rows.counts
    is_row = np.zeros(len(rows.records) + 1, np.int64)
    np.add.at(is_row, rows.starts, 1)
    np.add.at(is_row, ends, -1)
    used = np.cumsum(is_row)[:-1] > 0
    return int(rows.counts.sum()), int(rows.records["interest"][used].sum())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--loans", type=int, default=LOANS, help="how many")
    parser.add_argument("--threads", type=int, default=2, help="how many cores are used")
    arguments = parser.parse_args()
    blocks = [batch(SEED + place, BLOCK) for place in range(-(-arguments.loans // BLOCK))]
    value_block(blocks[0])
    begin = time.perf_counter()
    for block in blocks:
        check_loans(*block)
    checked = time.perf_counter() - begin
    begin = time.perf_counter()
    with ThreadPoolExecutor(arguments.threads) as threads:
        told = list(threads.map(value_block, blocks))
    seconds = time.perf_counter() - begin
    loans = len(blocks) * BLOCK
    figures: dict[str, Any] = {
        "schedules": loans,
        "rows": sum(rows for rows, _ in told),
        "interest_minor_units": sum(interest for _, interest in told),
        "threads": arguments.threads,
        "seconds": round(seconds, 2),
        "seconds_to_check": round(checked, 2),
        "schedules_a_second": round(loans / seconds),
        "rows_a_second": round(sum(rows for rows, _ in told) / seconds),
    }
    if arguments.json:
        sys.stdout.write(json.dumps({"machine": machine(), **figures}) + "\n")
        return
    table = Table("figure", "value")
    for name, figure in (*machine().items(), *figures.items()):
        table.add_row(name.replace("_", " "), f"{figure:,}" if isinstance(figure, int) else str(figure))
    Console().print(table)


if __name__ == "__main__":
    main()
