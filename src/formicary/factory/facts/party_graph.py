"""What the daily job found, as commands that record it.

A command's key is the day, the group of columns and the number of its rows' chunk. So a run of the same day
again tells nothing twice; and it cannot tell a day otherwise than it was told first: that is refused, since
decisions may have read it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.limits import FACTS_BYTES_MAX, FACTS_PER_EVENT_MAX
from formicary.factory.facts.messages import RecordFacts
from formicary.factory.features.slow.party_graph import PARTY_GRAPH_GROUPS, fact_kind
from formicary.factory.features.slow.spans import day_start

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PRINCIPAL", "SOURCE", "DaySummary", "day_commands", "rows_max"]

PRINCIPAL: Final = "daily job"
SOURCE: Final = int.from_bytes(hashlib.blake2b(b"party graph", digest_size=16).digest())
"""The source that tells slow features."""

# Characters of JSON of a row: its time and its id in quotes, and the bits of each real, each with a comma.
_ROW_BYTES: Final = 21 + 35
_REAL_BYTES: Final = 21
# What names a column beside its name, and everything that stands once.
_NAME_BYTES: Final = 8
_FRAME_BYTES: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySummary:
    """What the job of a day did.

    Attributes
    ----------
    day
        Counted from 1970-01-01.
    position
        The last position of the journal that was known when the day ended.
    transfers, devices, labels
        How many of each were known then.
    parties, features
        How many parties have slow features, and how many each.
    recorded, there
        The facts that were recorded now, and those that had been before.
    """

    day: int
    position: int
    transfers: int
    devices: int
    labels: int
    parties: int
    features: int
    recorded: int
    there: int


def rows_max(names: tuple[str, ...]) -> int:
    """Return how many parties' facts with these columns fit one command, whatever their values."""
    once = _FRAME_BYTES + sum(len(name) + _NAME_BYTES for name in names)
    of_each = _ROW_BYTES + _REAL_BYTES * len(names)
    return min(FACTS_PER_EVENT_MAX, (FACTS_BYTES_MAX - once) // of_each)


def day_commands(
    found: pl.DataFrame, parties: npt.NDArray[Any], day: int
) -> Iterator[tuple[str, RecordFacts]]:
    """Yield the idempotency key and the command for each chunk of what was found of a day.

    Parameters
    ----------
    found
        What ``daily`` returned: ``node`` and the slow features, null where missing; (n) rows.
    parties
        The id of each party by ``node``, as two words, (p, 2).
    day
        Counted from 1970-01-01; the facts are dated its last nanosecond.
    """
    ids = [f"{high:016x}{low:016x}" for high, low in parties[found["node"].to_numpy()].tolist()]
    at = day_start(day + 1) - 1
    for group, names in PARTY_GRAPH_GROUPS.items():
        rows = rows_max(names)
        for chunk, first in enumerate(range(0, len(ids), rows)):
            part = found.slice(first, rows)
            command = RecordFacts(
                subject=SOURCE,
                kind=fact_kind(group),
                at=[at] * len(part),
                ids={"party": ids[first : first + rows]},
                reals={name: _reals(part[name]) for name in names},
            )
            yield f"{fact_kind(group)}:{day}:{chunk}", command


def _reals(column: pl.Series) -> list[float | None]:
    # Written as integers, counts would be other commands than the same counts as reals.
    return [None if value is None or not np.isfinite(value) else float(value) for value in column.to_list()]
