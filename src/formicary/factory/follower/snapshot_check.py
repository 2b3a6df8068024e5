"""Whether a snapshot holds what folding the journal gives, array by array."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.factory.engine.state import FactoryState
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.rows import TRANSFER_ROW
from formicary.factory.journal.snapshot_file import Snapshot
from formicary.factory.ledger._layout import HOLD_OPEN, TIMER_OF_HOLD

__all__ = ["differing_parts"]

Rows = npt.NDArray[Any]
Sections = Mapping[str, Any]

_ROWS_AT_A_TIME: Final = 1 << 16

# Of the ledger's numbers those that follow from the journal alone; the others say how memory is laid out.
_SCALARS: Final = (
    *("position", "timestamp", "account_timestamp", "transfer_timestamp", "accounts", "holds_open"),
    *("accounts_hash", "holds_hash", "rows_hash"),
)


def differing_parts(state: FactoryState, snapshot: Snapshot, reader: JournalReader) -> list[str]:
    """Return the names of what differs between a folded state and a snapshot of the same position."""
    folded, kept = state.sections(), snapshot.sections
    mine, theirs = _comparable(folded), _comparable(kept)
    names = sorted({*mine, *theirs})
    differing = [name for name in names if not _same(mine.get(name), theirs.get(name))]
    if snapshot.header.state_hash != state.state_hash:
        differing.append("state hash")
    if not _rows_are_the_journals(folded, kept, reader):
        differing.append("rows in memory")
    return differing


def _comparable(sections: Sections) -> dict[str, Any]:
    """Return the parts of a snapshot that are the same wherever groups and generations were cut."""
    parts: dict[str, Any] = {name: sections["ledger.scalars"][name] for name in _SCALARS}
    parts["accounts"] = sections["ledger.accounts"]
    is_open = sections["ledger.holds"]["state"] == HOLD_OPEN
    parts["hold rows"] = _by_position(sections["ledger.hold_rows"][is_open])
    parts["hold due times"] = np.sort(sections["ledger.holds"]["due"][is_open])
    small = msgspec.json.decode(np.asarray(sections["engine"]).tobytes())
    parts["engine"] = small
    parts["timers"] = _timers_in_use(sections, is_open, {int(position) for position in small["timers"]})
    parts.update({name: array for name, array in sections.items() if name.startswith("aggregates.")})
    return parts


def _timers_in_use(sections: Sections, is_open: Rows, of_products: set[int]) -> Rows:
    """Return due time and position of the timers that still mean something, in order."""
    timers = sections["ledger.timers"]
    of_hold = timers["kind"] == TIMER_OF_HOLD
    in_use = np.isin(timers["position"], list(of_products)) & ~of_hold
    in_use[of_hold] = is_open[timers["reference"][of_hold]]
    pairs = np.column_stack([timers["due"][in_use], timers["position"][in_use]])
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _rows_are_the_journals(folded: Sections, kept: Sections, reader: JournalReader) -> bool:
    """Tell whether a snapshot's rows are those of the journal up to its position, without a gap."""
    mine = [(part, part["position"].copy()) for part in _generations(folded)]
    after = None
    for rows in _generations(kept):
        for first in range(0, len(rows), _ROWS_AT_A_TIME):
            piece = rows[first : first + _ROWS_AT_A_TIME]
            # What lies between two pieces belongs to the later one: there a row may be missing.
            after = int(piece[0]["position"]) - 1 if after is None else after
            until = int(piece[-1]["position"])
            if not _same(_rows_between(mine, after, until, reader), piece):
                return False
            after = until
    last = int(kept["ledger.scalars"]["position"][0])
    return after is None or not len(_rows_between(mine, after, last, reader))


def _generations(sections: Sections) -> tuple[Rows, Rows]:
    return sections["ledger.older"], sections["ledger.recent"]


def _rows_between(
    generations: list[tuple[Rows, Rows]], after: int, until: int, reader: JournalReader
) -> Rows:
    """Return the transfers after one position up to another: those folded, or what the journal has."""
    in_memory = [positions[0] for _, positions in generations if len(positions)]
    if after + 1 < min(in_memory, default=after + 2):
        parts = [block.transfers for block in reader.read(after=after, until=until)]
    else:
        parts = [
            rows[slice(*np.searchsorted(positions, [after, until], side="right"))]
            for rows, positions in generations
        ]
    return joined(parts, TRANSFER_ROW)


def _by_position(rows: Rows) -> Rows:
    return rows[np.argsort(rows["position"], kind="stable")]


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(_bytes(left), _bytes(right))
    return type(left) is type(right) and bool(left == right)


def _bytes(array: Rows) -> Rows:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)
