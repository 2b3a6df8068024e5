"""An account's entries as one chain, newest first: in memory where they are there, else in the journal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.base.limits import ENTRY_INDEX_STRIDE, HISTORY_ENTRIES_MAX
from formicary.factory.history._walk import pick
from formicary.factory.history.looks import Look, StepBack
from formicary.factory.history.memory import Step
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.rows import TRANSFER_ROW

__all__ = ["Allowance", "Chain", "QueryTooBroad"]

Rows = npt.NDArray[Any]

# What one statement reads grows up to here: little is wasted on a short page, few round trips on a long one.
_PAGE_ENTRIES_MAX: Final = 1_024


class QueryTooBroad(Refusal):
    """Too many entries would have to be looked through; ask for a shorter time or fewer conditions."""

    code = "query_too_broad"


class Allowance:
    """How many entries one question may still pass."""

    def __init__(self) -> None:
        self._left = HISTORY_ENTRIES_MAX

    def spend(self, entries: int) -> None:
        """Note entries that were passed; raise ``QueryTooBroad`` when they were too many."""
        self._left -= entries
        if self._left < 0:
            raise QueryTooBroad


class Chain:
    """Walks chains of entries.

    Parameters
    ----------
    reader
        The journal.
    look
        Reads the ledger's memory.
    """

    def __init__(self, reader: JournalReader, look: Look) -> None:
        self._reader = reader
        self._look = look

    def back(
        self,
        account_id: int,
        wanted: Rows,
        *,
        position: int,
        floor: int,
        limit: int,
        page: int,
        allowance: Allowance,
        in_memory: bool = True,
    ) -> Iterator[Step]:
        """Yield stretches of a walk back from the entry at ``position`` to the one after ``floor``.

        The caller may stop at any time, and go on elsewhere. They find at most ``limit`` rows.

        Parameters
        ----------
        account_id, wanted
            The account, and the conditions as a ``compiled_filter``.
        page
            How many entries to read from the journal at first.
        allowance
            What the question may still pass.
        in_memory
            False where ``position`` is known to have left memory, and with it everything before.

        Raises
        ------
        QueryTooBroad
            The allowance is spent.
        """
        while position > floor and limit > 0:
            if in_memory:
                step = self._in_memory(wanted, position=position, floor=floor, limit=limit)
                # Everything before an entry that left memory has left it too.
                in_memory = step.passed > 0
            if not in_memory:
                page = min(page, _PAGE_ENTRIES_MAX)
                step = self._in_journal(
                    account_id, wanted, position=position, floor=floor, limit=limit, page=page
                )
                page = max(2 * page, ENTRY_INDEX_STRIDE)
            allowance.spend(step.passed)
            position, limit = step.cursor, limit - len(step.rows)
            yield step

    def _in_memory(self, wanted: Rows, *, position: int, floor: int, limit: int) -> Step:
        return self._look(StepBack(wanted=wanted.tobytes(), position=position, floor=floor, limit=limit))

    def _in_journal(
        self, account_id: int, wanted: Rows, *, position: int, floor: int, limit: int, page: int
    ) -> Step:
        entries = self._reader.walk(account_id=account_id, from_position=position, limit=page)
        found = np.empty(min(limit, len(entries)), TRANSFER_ROW)
        count, cursor = pick(entries, wanted[()], floor, found)
        return Step(rows=found[:count], cursor=int(cursor), passed=len(entries))
