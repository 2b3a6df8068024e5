"""The state machine around the kernels: room, generations, groups of events, folding, snapshots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np

from formicary.base.errors import ProgrammingError
from formicary.base.limits import GENERATION_ROWS, REQUEST_ITEMS_MAX, TIMERS_PER_STEP_MAX
from formicary.factory.journal.rows import ACCOUNT_ROW
from formicary.factory.ledger._decide import create_transfers
from formicary.factory.ledger._expire import run_expiries
from formicary.factory.ledger._fold import fold_accounts, fold_transfers
from formicary.factory.ledger._index import account_number, account_numbers, enter_ids
from formicary.factory.ledger._layout import (
    SCALARS,
    TIMER_OF_HOLD,
    TIMER_OF_OTHERS,
    Generation,
    Records,
)
from formicary.factory.ledger._open import create_accounts
from formicary.factory.ledger.records import ACCOUNT
from formicary.factory.ledger.room import (
    FIRST_ROOM,
    WORDS_OF_ROW,
    empty_slots,
    empty_state,
    generation_in,
    generation_of,
    larger,
    room_for_accounts,
    room_for_holds,
    room_for_rows,
    room_for_timers,
    rotated,
)
from formicary.factory.ledger.sealed import SealedGenerations
from formicary.factory.ledger.views import accounts_view, trial_balance
from formicary.factory.timers import pop, push

__all__ = ["LedgerMachine"]

_GENERATIONS: Final = ("older", "recent")
_SCALAR_AT: Final = {name: place for place, name in enumerate(SCALARS.names or ())}


def _as_integers(scalars: Records) -> memoryview:
    """Return the same numbers as Python integers, at a fraction of what reading a record costs."""
    return scalars.view(np.int64).data


class LedgerMachine:
    """All accounts, holds and recent transfers, and the only code that changes them.

    Parameters
    ----------
    folder
        Where the ids of sealed generations are written.
    generation_rows
        Rows kept in memory in one generation; two generations are kept.
    """

    def __init__(self, folder: Path, *, generation_rows: int = GENERATION_ROWS) -> None:
        self.generation_rows = generation_rows
        self.sealed = SealedGenerations(folder)
        self.state = empty_state()
        self._scalars = _as_integers(self.state.scalars)

    # -- what is so ------------------------------------------------------------------------

    def scalar(self, name: str) -> int:
        """Return one number of the state, by the name it has in ``SCALARS``; a hash may be negative."""
        return self._scalars[_SCALAR_AT[name]]

    @property
    def position(self) -> int:
        """The journal position of the last row, 0 before the first."""
        return self.scalar("position")

    @property
    def timestamp(self) -> int:
        """The latest stamp, in nanoseconds."""
        return self.scalar("timestamp")

    @property
    def accounts(self) -> Records:
        """Every account in the order of opening: a view, shape (n,) of ``ACCOUNT_STATE``."""
        return self.state.accounts[: self.scalar("accounts")]

    @property
    def open_holds(self) -> int:
        """How many holds are open."""
        return self.scalar("holds_open")

    @property
    def state_hash(self) -> int:
        """An unsigned 64-bit hash of all state, the same for every order and layout in memory."""
        names = ("accounts_hash", "holds_hash", "rows_hash")
        return sum(self.scalar(name) for name in names) & (2**64 - 1)

    @property
    def due(self) -> int | None:
        """When the first timer falls due, in nanoseconds, or None."""
        return int(self.state.timers[0]["due"]) if self.scalar("timers") else None

    def account_number(self, account_id: int) -> int:
        """Return the number of an account in ``accounts``, or -1."""
        high, low = np.uint64(account_id >> 64), np.uint64(account_id & (2**64 - 1))
        return account_number(self.state, high, low)

    def account_view(self, number: int) -> Records:
        """Return one account as callers see it, shape () of ``ACCOUNT``."""
        return np.asarray(accounts_view(self.accounts[number : number + 1])[0])

    def account_views(self, ids: Sequence[int]) -> Records:
        """Return the accounts that exist, in the order asked, (n,) of ``ACCOUNT``."""
        return accounts_view(self.accounts[self._numbers(ids)])

    def accounts_at(self, ids: Records) -> Records:
        """Return accounts by ids (n, 2), high word first, (n,) of ``ACCOUNT``; zeros where there is none."""
        numbers = np.empty(len(ids), np.int64)
        # A copy can be written to: for other arrays the kernel would be compiled once more.
        account_numbers(self.state, np.array(ids, np.uint64, order="C"), numbers)
        there = np.flatnonzero(numbers >= 0)
        found = np.zeros(len(ids), ACCOUNT)
        found[there] = accounts_view(self.accounts[numbers[there]])
        return found

    def last_entries(self, ids: Sequence[int]) -> Records:
        """Return the position of the latest entry of each account that exists, (n,) int64, 0 for none."""
        return np.asarray(self.accounts["last_entry"][self._numbers(ids)])

    def _numbers(self, ids: Sequence[int]) -> list[int]:
        numbers = [self.account_number(account_id) for account_id in ids]
        return [number for number in numbers if number >= 0]

    def trial_balance(self) -> dict[int, tuple[int, int, int, int]]:
        """Sum the four totals per ledger: debits equal credits, pending and posted apart."""
        return trial_balance(self.accounts)

    @property
    def bytes_in_memory(self) -> int:
        """The size of all arrays, in bytes, with their room to spare."""
        state = self.state
        generations = (state.recent, state.older, state.fetched)
        arrays = [state.accounts, state.account_slots, state.hold_rows, state.holds, state.hold_slots]
        arrays += [array for generation in generations for array in (generation.words, generation.slots)]
        return sum(array.nbytes for array in arrays) + self.sealed.bytes_in_memory

    def recent_rows(self, first: int) -> Records:
        """Return the rows of the recent generation from number ``first`` on: a view."""
        return self.state.recent.rows[first : self.scalar("recent")]

    def rows_in_memory(self) -> tuple[Records, Records]:
        """Return the older and the recent rows, each a view in order of position."""
        older = self.state.older.rows[: self.scalar("older")]
        return older, self.recent_rows(0)

    # -- room ------------------------------------------------------------------------------

    def reserve(self, *, accounts: int = 0, transfers: int = 0) -> None:
        """Make room for so many events and the expiries before them; may seal a generation.

        Views of rows that were handed out earlier are not valid afterwards.
        """
        rows = transfers + TIMERS_PER_STEP_MAX
        used = self.scalar("recent")
        if used and used + rows > self.generation_rows:
            if self.scalar("older"):
                self.sealed.add(self.state.older, self.scalar("older"))
            self.state = rotated(self.state)
            self.sealed.prepare(self.state.older, self.scalar("older"))
        self.state = room_for_accounts(room_for_rows(self.state, rows), accounts)
        self.state = room_for_holds(self.state, transfers)

    # -- prefetch --------------------------------------------------------------------------

    def missing(self, items: Records) -> Records:
        """Return the positions, sorted, of sealed rows that deciding ``items`` (n,) needs."""
        return self.sealed.positions(items)

    def fetch(self, rows: Records) -> None:
        """Lay out rows read from the journal for the next batch; none clears them."""
        if not len(rows) and not self.scalar("fetched"):
            return
        self.state = self.state._replace(fetched=generation_of(rows, room=max(len(rows), 1)))
        self.state.scalars["fetched"] = len(rows)

    # -- deciding --------------------------------------------------------------------------

    def decide_transfers(
        self,
        items: Records,
        ordinals: Records,
        results: Records,
        *,
        first_stamp: int,
        start: int = 0,
        run_timers: bool = True,
        decide: Callable[..., int] = create_transfers,
    ) -> int:
        """Decide transfers ``items[start:]``; the rows are appended to ``recent_rows``.

        Parameters
        ----------
        items, ordinals, results
            (n,) ``TRANSFER``, the ordinal of each within its request, ``TRANSFER_RESULT`` to fill.
        first_stamp
            The stamp of ``items[0]`` in nanoseconds; each later event has the next nanosecond.
        start
            The first event to decide; the ones before it were decided by an earlier call.
        run_timers
            False where every timer that is due has run already.
        decide
            The kernel: ``create_transfers``, or one that asks somebody before it makes them.

        Returns
        -------
        How many of the events are decided by now. When not all are, something comes first, such as timers:
        run them (``tick``), then call again from there.
        """
        expiries_max = TIMERS_PER_STEP_MAX if run_timers else -1
        sides = np.empty((2, len(items)), np.int64)
        return decide(self.state, items, ordinals, first_stamp, start, expiries_max, sides, results)

    def decide_accounts(
        self,
        items: Records,
        ordinals: Records,
        results: Records,
        *,
        first_stamp: int,
        start: int = 0,
        run_timers: bool = True,
    ) -> int:
        """Decide accounts ``items[start:]``, as ``decide_transfers`` does; see ``opened``."""
        expiries_max = TIMERS_PER_STEP_MAX if run_timers else -1
        return create_accounts(self.state, items, ordinals, first_stamp, start, expiries_max, results)

    def opened(self, first: int, items: Records, results: Records, ordinals: Records) -> Records:
        """Return the rows, shape (k,) of ``ACCOUNT_ROW``, of the accounts from number ``first`` on."""
        created = results["status"] == 0
        accounts = self.accounts[first:]
        rows = np.zeros(len(accounts), ACCOUNT_ROW)
        for name in ACCOUNT_ROW.names or ():
            if name != "request":
                rows[name] = accounts[name]
        rows["request"] = ordinals[created]
        rows["flags"] = items["flags"][created]
        return rows

    def tick(self, stamp: int) -> bool:
        """Expire the holds due up to ``stamp``; tell whether no timer of any kind is due any more."""
        return run_expiries(self.state, stamp, TIMERS_PER_STEP_MAX)

    def set_timer(self, due: int, position: int) -> None:
        """Set a timer that is not the ledger's; ``position`` is the row that set it."""
        self.state = room_for_timers(self.state, 1)
        push(self.state.timers, self.scalar("timers"), due, position, TIMER_OF_OTHERS, 0)
        self.state.scalars["timers"] += 1

    def take_timer(self, stamp: int) -> int | None:
        """Take the first timer off if it is due and not the ledger's; return its position."""
        first = self.state.timers[0]
        if not self.scalar("timers") or first["due"] > stamp or first["kind"] == TIMER_OF_HOLD:
            return None
        position = int(first["position"])
        pop(self.state.timers, self.scalar("timers"))
        self.state.scalars["timers"] -= 1
        return position

    def note_stamp(self, stamp: int) -> None:
        """Let no later stamp be at or before ``stamp``."""
        self.state.scalars["timestamp"] = max(self.timestamp, stamp)

    def take_positions(self, count: int) -> int:
        """Give the next ``count`` positions to rows that are not the ledger's; return the first."""
        first = self.position + 1
        self.state.scalars["position"] += count
        return first

    def take_decisions(self) -> int:
        """Return how many decisions were recorded since the last call."""
        count = self.scalar("decisions")
        self.state.scalars["decisions"] = 0
        return count

    # -- folding ---------------------------------------------------------------------------

    def fold(self, accounts: Records, transfers: Records, *, until: int) -> int | None:
        """Give effect to recorded rows, in order of position.

        Returns None, or the position of the first row that is not what it does: the journal or
        this state is damaged, and the machine must not be used any more.
        """
        self.reserve(accounts=len(accounts))
        sound = fold_accounts(self.state, accounts)
        if sound < len(accounts):
            return int(accounts[sound]["position"])
        for first in range(0, len(transfers), REQUEST_ITEMS_MAX):
            rows = np.ascontiguousarray(transfers[first : first + REQUEST_ITEMS_MAX])
            self.reserve(transfers=len(rows))
            words = rows.view(np.uint64).reshape(len(rows), WORDS_OF_ROW)
            sound = fold_transfers(self.state, rows, words)
            if sound < len(rows):
                return int(rows[sound]["position"])
        self.state.scalars["position"] = until
        if len(accounts):
            self.note_stamp(int(accounts["timestamp"].max()))
        return None

    # -- snapshots -------------------------------------------------------------------------

    def sections(self) -> dict[str, Records]:
        """Return everything a snapshot needs, as named arrays."""
        older, recent = self.rows_in_memory()
        holds = self.scalar("holds")
        return {
            "scalars": self.state.scalars,
            "accounts": self.accounts,
            "older": older,
            "recent": recent,
            "hold_rows": self.state.hold_rows[:holds],
            "holds": self.state.holds[:holds],
            "timers": self.state.timers[: self.scalar("timers")],
        }

    def restore(self, sections: Mapping[str, Any]) -> None:
        """Take over the sections of a snapshot; the machine must be new.

        Rows are copied; arrays with room for more of them than there are become the machine's own.
        """
        if self.position:
            message = "only a new machine can take over a snapshot"
            raise ProgrammingError(message)
        scalars = np.array(sections["scalars"], SCALARS)
        scalars["fetched"] = 0
        accounts, hold_rows = (np.array(sections[name]) for name in ("accounts", "hold_rows"))
        room, hold_room = max(len(accounts), FIRST_ROOM), max(len(hold_rows), FIRST_ROOM)
        account_slots, hold_slots = empty_slots(room), empty_slots(hold_room)
        enter_ids(accounts, account_slots, len(accounts))
        enter_ids(hold_rows, hold_slots, len(hold_rows))
        # Most of the time goes into the two indexes, and kernels do not hold the GIL.
        with ThreadPoolExecutor(len(_GENERATIONS)) as pool:
            older, recent = pool.map(
                lambda name: self._restored(sections[name], int(scalars[name][0])), _GENERATIONS
            )
        self.state = self.state._replace(
            scalars=scalars,
            accounts=larger(accounts, room),
            account_slots=account_slots,
            older=older,
            recent=recent,
            hold_rows=larger(hold_rows, hold_room),
            holds=larger(sections["holds"], hold_room),
            hold_slots=hold_slots,
            timers=larger(sections["timers"], max(len(sections["timers"]), FIRST_ROOM)),
        )
        self._scalars = _as_integers(scalars)

    def _restored(self, rows: Records, count: int) -> Generation:
        if len(rows) > count:
            return generation_in(rows, count)
        return generation_of(rows, room=max(len(rows), self.generation_rows, 1))
