"""Deciding again what a journal holds: the same kernel on the same rows, in the order of their positions.

A decision is computed from what the rows before it say, recorded decisions included: those are what caps
count. So one that differs does not make the next ones differ.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from formicary.base.kernels import fixed, kernel, kernel_part
from formicary.base.records import Note
from formicary.factory.decisions._cap_kernels import count_decision
from formicary.factory.decisions._checked_kernels import follow_row
from formicary.factory.decisions._judge_kernels import decide_about
from formicary.factory.decisions._judge_layout import (
    AT_POSITION,
    IS_PENDING,
    ROW_WORDS,
    TRIPPED,
    Judge,
    Words,
    open_judge,
)
from formicary.factory.ledger._layout import (
    BALANCING,
    HELD,
    IMPORTED,
    LINKED,
    PENDING,
    RESOLVES,
    VOID,
    Records,
)
from formicary.factory.ledger.statuses import CreateTransferStatus as Status

__all__ = [
    "DIFFERS",
    "IS_LOST",
    "NOT_ASKED",
    "NO_TRANSFER",
    "PASSED",
    "SAME",
    "UNTOLD",
    "decide_again",
]

# What became of a recorded decision.
NO_TRANSFER: Final = 0
"""The row after it is no transfer."""
PASSED: Final = 1
"""It stands before those that are asked for."""
SAME: Final = 2
DIFFERS: Final = 3
NOT_ASKED: Final = 4
"""No decision point is armed for the transfer."""
UNTOLD: Final = 5
"""It was about what balancing would have moved, and nothing was: the journal does not tell how much."""

# What is said of a transfer.
IS_LOST: Final = 1
"""A decision point was armed for it, and there is no decision."""

_MOVES_NOTHING: Final = PENDING | VOID


@kernel
def decide_again(
    judge: Note,
    transfers: Records,
    decisions: Words,
    first_position: int,
    is_whole: bool,
    verdicts: Words,
    lost: Words,
    recomputed: Words,
) -> int:
    """Decide about transfers (n,) of the journal again, then let them change what is known and counted.

    Parameters
    ----------
    judge
        The note of a ``Judge``.
    transfers, decisions
        Rows between two events, in order: (n,) of ``TRANSFER_ROW`` and (m, ``ROW_WORDS``).
    first_position
        Decisions before it are not taken again, only counted.
    is_whole
        Whether a chain ends with the last row in any case, as something else follows.
    verdicts, recomputed, lost
        Room for (m,), (m, ``ROW_WORDS``) and (n,): what became of each recorded decision, what the kernel
        decides, and which transfers lack a decision.

    Returns
    -------
    How many transfers are done: fewer than all where a cap tripped, or where a chain goes on after the last.
    """
    table = open_judge(judge, 0)
    place = 0
    first, first_place = 0, 0
    for index in range(len(transfers)):
        row = transfers[index]
        point = _point_of(table, row)
        while place < len(decisions) and decisions[place, AT_POSITION] + 1 < row["position"]:
            verdicts[place] = NO_TRANSFER
            place += 1
        if place < len(decisions) and decisions[place, AT_POSITION] + 1 == row["position"]:
            if row["position"] <= first_position:
                verdicts[place] = PASSED
            elif point < 0:
                verdicts[place] = NOT_ASKED
            elif _is_untold(row):
                verdicts[place] = UNTOLD
            else:
                decide_about(judge, row, row["amount"], row["timestamp"], point)
                table.numbers[IS_PENDING] = 0
                verdicts[place] = _compare(table, decisions[place], recomputed[place])
            place += 1
        elif point >= 0 and row["position"] >= first_position and _was_decided(row):
            lost[index] = IS_LOST
        if not _goes_on(row) or (is_whole and index + 1 == len(transfers)):
            _follow_chain(judge, transfers, first, index + 1, decisions, first_place, place)
            first, first_place = index + 1, place
            if table.numbers[TRIPPED] != 0:
                break
    return first


@kernel_part
def _point_of(table: Judge, row: Any) -> Any:
    """Return the number of the decision point that decides about a transfer, -1 for none."""
    for place in range(len(table.codes)):
        if fixed(table.codes, place, 0) == np.int64(row["code"]):
            return fixed(table.codes, place, 1)
    return np.int64(-1)


@kernel_part
def _compare(table: Judge, recorded: Any, recomputed: Any) -> int:
    """Keep the decision that was taken again, with the position of the recorded one, and compare the two."""
    verdict = SAME
    for word in range(ROW_WORDS):
        recomputed[word] = recorded[word] if word == AT_POSITION else table.row[word]
        if recomputed[word] != recorded[word]:
            verdict = DIFFERS
    return verdict


@kernel_part
def _was_decided(row: Any) -> bool:
    """Tell whether a row of a code that is decided about cannot be there without a decision."""
    is_judged = row["status"] in (Status.CREATED, Status.DECLINED, Status.STEP_UP_REQUIRED)
    # What was imported happened elsewhere, and what resolves a hold was decided before.
    return bool(is_judged and row["flags"] & (RESOLVES | IMPORTED) == 0)


@kernel_part
def _is_untold(row: Any) -> bool:
    """Tell whether what the decision was about is not what the row says: a balancing transfer not made so."""
    is_as_decided = row["status"] == Status.CREATED and row["flags"] & HELD == 0
    return bool(row["flags"] & BALANCING != 0 and not is_as_decided)


@kernel_part
def _goes_on(row: Any) -> bool:
    """Tell whether the next row is one of the same chain; what is held or burnt broke its own."""
    return bool(row["status"] == Status.CREATED and row["flags"] & LINKED != 0 and row["flags"] & HELD == 0)


@kernel_part
def _follow_chain(
    judge: Note, transfers: Records, first: Any, end: Any, decisions: Words, place: Any, places_end: Any
) -> None:
    """Let the rows of a chain change what is known and counted, as they do when they are made."""
    for index in range(first, end):
        row = transfers[index]
        while place < places_end and decisions[place, AT_POSITION] + 1 < row["position"]:
            place += 1
        if place < places_end and decisions[place, AT_POSITION] + 1 == row["position"]:
            count_decision(judge, decisions[place], row["amount"])
        if row["status"] == Status.CREATED and row["flags"] & _MOVES_NOTHING == 0:
            follow_row(judge, row)
