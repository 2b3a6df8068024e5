"""The part of history that is still in the ledger's memory.

Every function here is a short, bounded look at a ``LedgerMachine``: in the engine it runs between two steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.limits import MEMORY_WALK_ENTRIES_MAX
from formicary.factory.history._walk import WANTED, rows_by_id, walk_memory
from formicary.factory.journal.rows import TRANSFER_ROW
from formicary.factory.ledger import TRANSFER, AccountFilter, LedgerMachine

__all__ = [
    "AccountHead",
    "Step",
    "account_head",
    "compiled_filter",
    "find_transfers",
    "step_back",
]

Rows = npt.NDArray[Any]

_WORD: Final = 2**64 - 1
_AS_THEY_ARE: Final = (
    *("user_data_64", "user_data_32", "code", "timestamp_min", "timestamp_max", "debits", "credits"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHead:
    """Where an account's history begins and ends: when it was opened, where its latest entry is (0: none)."""

    opened: int
    last_entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A stretch of a walk: rows found, newest first; where to go on, 0 at the end; entries passed."""

    rows: Rows
    cursor: int
    passed: int


def account_head(machine: LedgerMachine, account_id: int) -> AccountHead | None:
    """Return the head of an account, or None."""
    number = machine.account_number(account_id)
    if number < 0:
        return None
    account = machine.accounts[number]
    return AccountHead(opened=int(account["timestamp"]), last_entry=int(account["last_entry"]))


def compiled_filter(wanted: AccountFilter, *, expiries: bool) -> Rows:
    """Return a filter as kernels read it, shape () of ``WANTED``."""
    compiled = np.zeros((), WANTED)
    compiled["account_high"], compiled["account_low"] = wanted.account_id >> 64, wanted.account_id & _WORD
    compiled["user_data_128_high"] = wanted.user_data_128 >> 64
    compiled["user_data_128_low"] = wanted.user_data_128 & _WORD
    for name in _AS_THEY_ARE:
        compiled[name] = getattr(wanted, name)
    compiled["expiries"] = expiries
    return compiled


def step_back(machine: LedgerMachine, wanted: Rows, *, position: int, floor: int, limit: int) -> Step:
    """Walk an account's entries back from ``position`` to the one after ``floor``, as far as memory goes.

    ``wanted`` is a ``compiled_filter``. At most ``limit`` rows are found, ``MEMORY_WALK_ENTRIES_MAX`` passed.
    """
    older, recent = machine.rows_in_memory()
    found = np.empty(min(limit, MEMORY_WALK_ENTRIES_MAX), TRANSFER_ROW)
    count, cursor, passed = walk_memory(
        older, recent, wanted[()], position, floor, MEMORY_WALK_ENTRIES_MAX, found
    )
    return Step(rows=found[:count], cursor=int(cursor), passed=int(passed))


def find_transfers(machine: LedgerMachine, ids: Sequence[int]) -> tuple[Rows, Rows]:
    """Return the rows of ids in memory (n,), and the positions (m,) of those that left it."""
    keys = np.array([(wanted >> 64, wanted & _WORD) for wanted in ids], np.uint64).reshape(len(ids), 2)
    found = np.empty(len(ids), TRANSFER_ROW)
    rows = found[: rows_by_id(machine.state, keys, found)]
    items = np.zeros(len(ids), TRANSFER)
    items["id_high"], items["id_low"] = keys[:, 0], keys[:, 1]
    return rows, machine.missing(items)
