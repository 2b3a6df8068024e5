"""Folding transfers commit by commit, and comparing the hash after each, compiled."""

from __future__ import annotations

from typing import Any

from formicary.base.kernels import kernel
from formicary.factory.ledger._fold import fold_transfers
from formicary.factory.ledger._layout import Records, State

__all__ = ["fold_commits"]


@kernel
def fold_commits(
    state: State, rows: Records, words: Records, ends: Records, hashes: Records, others_hash: Any
) -> tuple[int, int]:
    """Fold rows; compare the hash with ``hashes`` (c,) at the last positions ``ends`` (c,) of commits.

    ``words`` is the same memory as ``rows``, ``others_hash`` the hash of all state but the ledger's.
    Rows after the last end are folded as well.

    Returns
    -------
    How many rows and how many commits are sound. The fold ends at the first that is not: where that is a
    commit, all rows count as sound.
    """
    scalars = state.scalars[0]
    first, count = 0, len(rows)
    for commit in range(len(ends) + 1):
        last = first
        if commit == len(ends):
            last = count
        else:
            while last < count and rows[last]["position"] <= ends[commit]:
                last += 1
        sound = fold_transfers(state, rows[first:last], words[first:last])
        if sound < last - first:
            return first + sound, commit
        first = last
        if commit < len(ends):
            ledger_hash = scalars["accounts_hash"] + scalars["holds_hash"] + scalars["rows_hash"]
            if ledger_hash + others_hash != hashes[commit]:
                return count, commit
    return count, len(ends)
