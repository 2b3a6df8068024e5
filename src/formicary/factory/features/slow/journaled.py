"""What the daily job works on, as the journal knew it when a day ended.

A day ends in the journal with the first row that the engine stamped after it; what stands behind, whatever
its own date, was not known yet. An imported row has a date of its own, which says nothing of when it was
journaled: it counts where a row stamped within the day follows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from formicary.base.arrays import joined
from formicary.factory.features.columns import MalformedEvents
from formicary.factory.features.journal_fold import FACTS_RECORDED, moved_rows
from formicary.factory.journal.blocks import Block, part_of
from formicary.factory.journal.fact_columns import FactColumns, facts_of
from formicary.factory.ledger import AccountFlags, TransferFlags
from formicary.factory.ledger.views import is_created

__all__ = ["DEVICE_USE", "KnownDay", "known_day"]

Rows = npt.NDArray[Any]
Ids = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int64]

DEVICE_USE: Final = "device_use"
"""The kind of the facts that say which party used which device, ids of these names."""

_SIDES: Final = ("debit", "credit")
_MOVED: Final = np.dtype(
    [
        ("position", "<i8"),
        ("timestamp", "<i8"),
        ("amount", "<i8"),
        *((f"{side}_account_id_{word}", "<u8") for side in _SIDES for word in ("high", "low")),
    ]
)
_HELD: Final = np.dtype(
    [(f"{name}_{word}", "<u8") for name in ("id", "user_data_128") for word in ("high", "low")]
)
_NOBODY: Final = np.zeros((0, 2), np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownDay:
    """What was known when a day ended, in the frames that ``daily`` takes.

    Attributes
    ----------
    transfers
        ``payer``, ``payee``, ``amount`` and ``at`` of what moved money from party to party. Amounts are minor
        units of whatever currency.
    devices
        ``party``, ``device`` and ``at`` of facts ``device_use``.
    labels
        ``party``, ``at`` and ``is_fraud`` of the facts that are labels.
    parties
        The id of each party by its number in the frames, two words each, (p, 2), growing.
    position
        The last position that was known.
    """

    transfers: pl.DataFrame
    devices: pl.DataFrame
    labels: pl.DataFrame
    parties: Ids
    position: int


def known_day(blocks: Iterable[Block], *, until: int, labels: str | None = None) -> KnownDay:
    """Return what rows of the journal, from its first on, tell of the time before a day's end.

    Parameters
    ----------
    blocks
        Without a gap; none behind the day's end is asked for.
    until
        The end of the day, ``day_start(D + 1)``, in nanoseconds since the Unix epoch.
    labels
        The kind of facts with an id ``party`` and a number ``is_fraud``, 0 for none; None if there are none.

    Raises
    ------
    MalformedEvents
        A fact of one of the kinds lacks a column.
    """
    gathered = _Gathered(labels=labels)
    for block in blocks:
        stamped, timestamps = _stamps(block)
        late = stamped[timestamps >= until]
        end = int(late.min()) - 1 if len(late) else block.until
        known = stamped[stamped <= end]
        if len(known):
            gathered.position = int(known.max())
        gathered.add(part_of(block, after=block.after, until=end))
        if len(late):
            break
    return gathered.day()


def _stamps(block: Block) -> tuple[Rows, Rows]:
    """Return position and timestamp of each row that the engine stamped, (n,) both."""
    accounts = block.accounts[(block.accounts["flags"] & int(AccountFlags.IMPORTED)) == 0]
    is_stamped = is_created(block.transfers) & ((block.transfers["flags"] & int(TransferFlags.IMPORTED)) == 0)
    transfers = block.transfers[is_stamped]
    positions = [event.position for event in block.events]
    timestamps = [event.timestamp for event in block.events]
    rows = (accounts, transfers, block.decisions)
    return (
        np.concatenate([*(one["position"] for one in rows), np.array(positions, np.int64)]),
        np.concatenate([*(one["timestamp"] for one in rows), np.array(timestamps, np.int64)]),
    )


class _Kind(msgspec.Struct):
    kind: str


@dataclass(kw_only=True)
class _Gathered:
    """The columns that are wanted of the blocks so far."""

    labels: str | None
    position: int = 0
    held: list[Rows] = field(default_factory=list)
    moved: list[Rows] = field(default_factory=list)
    uses: list[FactColumns] = field(default_factory=list)
    judged: list[FactColumns] = field(default_factory=list)

    def add(self, block: Block) -> None:
        """Keep what is wanted of a block: most of a row is not."""
        self.held.append(_some(block.accounts, _HELD))
        self.moved.append(_some(moved_rows(block.transfers), _MOVED))
        for event in block.events:
            if event.kind != FACTS_RECORDED:
                continue
            kind = msgspec.json.decode(event.body, type=_Kind).kind
            if kind == DEVICE_USE:
                self.uses.append(_complete(facts_of(event.body), ids=("party", "device")))
            if kind == self.labels:
                self.judged.append(_complete(facts_of(event.body), ids=("party",), numbers=("is_fraud",)))

    def day(self) -> KnownDay:
        """Return the frames of what stands up to the last position that is known."""
        moved = joined(self.moved, _MOVED)
        moved = moved[moved["position"] <= self.position]
        payers, payees = _holders(joined(self.held, _HELD), moved)
        # Money that comes from or goes to an account of nobody is between no two parties.
        is_between = payers.any(axis=1) & payees.any(axis=1)
        moved, payers, payees = moved[is_between], payers[is_between], payees[is_between]
        users, judged = _ids(self.uses, "party"), _ids(self.judged, "party")
        parties, (payer, payee, user, labelled) = _numbered(payers, payees, users, judged)
        _, (device,) = _numbered(_ids(self.uses, "device"))
        return KnownDay(
            transfers=pl.DataFrame(
                {"payer": payer, "payee": payee, "amount": moved["amount"], "at": moved["timestamp"]}
            ),
            devices=pl.DataFrame({"party": user, "device": device, "at": _times(self.uses)}),
            labels=pl.DataFrame(
                {"party": labelled, "at": _times(self.judged), "is_fraud": _fraud(self.judged)}
            ),
            parties=parties,
            position=self.position,
        )


def _some(rows: Rows, columns: np.dtype[np.void]) -> Rows:
    kept = np.empty(len(rows), columns)
    for name in columns.names or ():
        kept[name] = rows[name]
    return kept


def _complete(facts: FactColumns, *, ids: tuple[str, ...], numbers: tuple[str, ...] = ()) -> FactColumns:
    for names, columns in ((ids, set(facts.ids)), (numbers, set(facts.numbers))):
        for name in names:
            if name not in columns:
                message = f"a fact {facts.kind!r} has no {name!r}, which the daily job reads"
                raise MalformedEvents(message)
    return facts


def _ids(facts: list[FactColumns], name: str) -> Ids:
    return np.concatenate([_NOBODY, *(one.ids[name] for one in facts)])


def _times(facts: list[FactColumns]) -> Codes:
    return np.concatenate([np.empty(0, np.int64), *(one.at for one in facts)])


def _fraud(facts: list[FactColumns]) -> npt.NDArray[np.bool_]:
    told = np.concatenate([np.empty(0, np.int64), *(one.numbers["is_fraud"] for one in facts)])
    return told.astype(np.bool_)


def _holders(held: Rows, moved: Rows) -> tuple[Ids, Ids]:
    """Return the parties that hold the debited and the credited account of transfers (t,), (t, 2) both."""
    sides = [_words(moved, f"{side}_account_id") for side in _SIDES]
    accounts, (opened, debited, credited) = _numbered(_words(held, "id"), *sides)
    holders = np.zeros((len(accounts), 2), np.uint64)
    holders[opened] = _words(held, "user_data_128")
    return holders[debited], holders[credited]


def _words(rows: Rows, name: str) -> Ids:
    return np.stack([rows[f"{name}_high"], rows[f"{name}_low"]], axis=1)


def _numbered(*columns: Ids) -> tuple[Ids, list[Codes]]:
    """Return the distinct ids of columns, (k, 2), growing, and each column as the numbers of its ids."""
    ids = np.concatenate(columns)
    order = np.lexsort((ids[:, 1], ids[:, 0]))
    in_order = ids[order]
    is_first = np.ones(len(ids), np.bool_)
    is_first[1:] = (in_order[1:] != in_order[:-1]).any(axis=1)
    numbers = np.empty(len(ids), np.int64)
    numbers[order] = np.cumsum(is_first) - 1
    return in_order[is_first], np.split(numbers, np.cumsum([len(column) for column in columns])[:-1])
