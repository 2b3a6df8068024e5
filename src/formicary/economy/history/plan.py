"""A history as requests in order of time: parties first, their wallets, then transfers and facts.

Transfers are imported into the ledger with their own times. Times of the ledger only grow, so rows of one
time follow each other by a nanosecond, in the order of the mapping's events and of the file's rows. A fact
stands where it became known: after every transfer up to then, before any later one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from formicary.base.limits import GROUP_REQUESTS_MAX, REQUEST_ITEMS_MAX
from formicary.economy.history.facts import fact_request, facts_max
from formicary.economy.history.mapping import Fact, Mapping, code_of
from formicary.economy.history.parties import registrations
from formicary.economy.history.rows import EventRows
from formicary.economy.history.wallets import wallets
from formicary.economy.moments import Asked
from formicary.factory.engine.requests import CommandRequest
from formicary.factory.ledger import TRANSFER, TransferFlags

__all__ = ["Plan", "Step", "make_plan"]

_DAY: Final = 86_400_000_000_000
_WORDS: Final = ("id", "debit_account_id", "credit_account_id")

Items = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is asked for together.

    Attributes
    ----------
    at
        When, in nanoseconds: not before anything in it.
    requests
        What is asked for.
    rows
        Of each request, which rows of the plan it is of, (n) indices, none of parties and accounts.
    """

    at: int
    requests: tuple[Asked, ...]
    rows: tuple[Items, ...]

    def __len__(self) -> int:
        """Return how many parties, accounts and events it holds."""
        return sum(
            max(len(rows), 1 if isinstance(asked, CommandRequest) else len(asked))
            for asked, rows in zip(self.requests, self.rows, strict=True)
        )


class Plan:
    """Everything that a history asks for.

    Attributes
    ----------
    parties
        Registrations of parties.
    accounts
        Wallets to open, (n) of ``ACCOUNT`` without their times.
    events
        Every row in order: ``known`` (nanoseconds), ``event`` (the mapping's number), ``row``, ``index``
        among the transfers or among its event's facts, ``is_transfer``.
    first_at
        When the first of them is known, in nanoseconds; 0 where there is none.
    """

    def __init__(self, mapping: Mapping, read: Sequence[EventRows], parties: list[CommandRequest]) -> None:
        self.parties = parties
        self._mapping = mapping
        self._facts = {mapping.events.index(rows.event): rows for rows in read if rows.event.fact is not None}
        self.accounts, transfers = _transfers(mapping, read)
        self._transfers = transfers
        self.events = _in_order(mapping, read, transfers)
        self.first_at = int(self.events["known"][0]) if len(self.events) else 0

    def __len__(self) -> int:
        return len(self.parties) + len(self.accounts) + len(self.events)

    def limited(self, count: int) -> Plan:
        """Return the plan of its first events, at most so many; facts told together are not torn apart."""
        events = self.events
        if count < len(events):
            starts = np.flatnonzero(_starts(events))
            is_transfer = bool(events["is_transfer"][count])
            count = count if is_transfer else int(starts[starts <= count][-1])
        limited = object.__new__(Plan)
        limited.__dict__ = self.__dict__ | {"events": events[:count]}
        return limited

    def steps(self, latest: int) -> Iterator[Step]:
        """Yield what to ask a ledger for whose last time is ``latest``, in nanoseconds."""
        opened = max(latest + 1, self._first_after(latest) - len(self.accounts), 1)
        for at in range(0, len(self.parties), GROUP_REQUESTS_MAX):
            some = tuple(self.parties[at : at + GROUP_REQUESTS_MAX])
            yield Step(at=opened, requests=some, rows=(_NONE,) * len(some))
        accounts = self.accounts.copy()
        accounts["timestamp"] = opened + np.arange(len(accounts))
        for at in range(0, len(accounts), REQUEST_ITEMS_MAX):
            some_accounts = accounts[at : at + REQUEST_ITEMS_MAX]
            yield Step(at=opened + len(accounts), requests=(some_accounts,), rows=(_NONE,))
        stamps = self._stamps(latest, opened + len(accounts))
        starts = np.append(np.flatnonzero(_starts(self.events)), len(self.events))
        for at in range(0, len(self.events), REQUEST_ITEMS_MAX):
            yield self._step(at, min(at + REQUEST_ITEMS_MAX, len(self.events)), starts, stamps)

    def _first_after(self, latest: int) -> int:
        known = self.events["known"].to_numpy()
        at = int(np.searchsorted(known, latest, side="right"))
        return int(known[at]) if at < len(known) else latest + 1

    def _stamps(self, latest: int, first: int) -> Items:
        """Return the times of the events (n): those of transfers grow, but for what was there before."""
        known = self.events["known"].to_numpy()
        stamps = known.copy()
        # Not later than the ledger: either it has them, whatever their times, or it has to refuse them.
        is_new = self.events["is_transfer"].to_numpy() & (known > latest)
        ordinal = np.arange(int(is_new.sum()))
        stamps[is_new] = np.maximum.accumulate(np.maximum(known[is_new], first) - ordinal) + ordinal
        return stamps

    def _step(self, first: int, last: int, starts: Items, stamps: Items) -> Step:
        inside = starts[(starts > first) & (starts < last)]
        cuts = [first, *inside.tolist(), last]
        asked = [one for start, end in pairwise(cuts) for one in self._requests(start, end, stamps)]
        at = int(stamps[first:last].max()) + 1
        return Step(
            at=at, requests=tuple(request for request, _ in asked), rows=tuple(rows for _, rows in asked)
        )

    def _requests(self, first: int, last: int, stamps: Items) -> Iterator[tuple[Asked, Items]]:
        """Yield the requests of events that are all transfers, or facts of one kind and day."""
        rows, events = np.arange(first, last), self.events[first:last]
        index = events["index"].to_numpy()
        if events["is_transfer"][0]:
            transfers = _records(self._transfers, index)
            transfers["timestamp"] = stamps[first:last]
            yield transfers, rows
            return
        facts = self._facts[int(events["event"][0])]
        size = facts_max(facts.event.fact or Fact())
        for at in range(0, len(rows), size):
            some = slice(at, at + size)
            yield fact_request(self._mapping, facts, index[some]), rows[some]


_NONE: Final = np.empty(0, np.int64)


def make_plan(mapping: Mapping, read: Sequence[EventRows], declared: dict[str, pl.Series | None]) -> Plan:
    """Return the plan of rows that were read; ``declared`` are the keys of parties that files list."""
    return Plan(mapping, read, registrations(mapping, read, declared))


def _transfers(mapping: Mapping, read: Sequence[EventRows]) -> tuple[Items, pl.DataFrame]:
    """Return the wallets, and all transfers with their wallets' ids, event by event."""
    frames = [
        rows.frame.with_columns(
            event=pl.lit(mapping.events.index(rows.event), pl.UInt16),
            code=pl.lit(code_of(mapping, rows.event), pl.UInt16),
        )
        for rows in read
        if rows.event.transfer is not None and len(rows.frame)
    ]
    return wallets(pl.concat(frames)) if frames else wallets(None)


def _in_order(mapping: Mapping, read: Sequence[EventRows], transfers: pl.DataFrame) -> pl.DataFrame:
    columns = ["known", "event", "row", "index", "is_transfer"]
    frames = [transfers.with_row_index("index").with_columns(is_transfer=pl.lit(value=True)).select(columns)]
    frames += [
        rows.frame.with_row_index("index")
        .with_columns(
            event=pl.lit(mapping.events.index(rows.event), pl.UInt16), is_transfer=pl.lit(value=False)
        )
        .select(columns)
        for rows in read
        if rows.event.fact is not None and len(rows.frame)
    ]
    return pl.concat(frames).sort("known", "event", "row")


def _starts(events: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Return where a request begins anew (n): transfers go together, and facts of one kind and day."""
    is_fact = ~events["is_transfer"].to_numpy()
    kind = np.where(is_fact, events["event"].to_numpy().astype(np.int64) + 1, 0)
    day = np.where(is_fact, events["known"].to_numpy() // _DAY, 0)
    starts = np.ones(len(events), np.bool_)
    starts[1:] = (kind[1:] != kind[:-1]) | (day[1:] != day[:-1])
    return starts


def _records(transfers: pl.DataFrame, index: Items) -> Items:
    some = transfers[index]
    records = np.zeros(len(some), TRANSFER)
    for name in _WORDS:
        for word in ("high", "low"):
            records[f"{name}_{word}"] = some[f"{name}_{word}"].to_numpy()
    for name in ("amount", "ledger", "code"):
        records[name] = some[name].to_numpy()
    records["user_data_64"] = some["number"].to_numpy()
    records["flags"] = int(TransferFlags.IMPORTED)
    return records
