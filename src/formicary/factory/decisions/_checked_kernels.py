"""The ledger's loop with decision points asked between judging and moving.

So event k + 1 sees exactly what event k did. A chain is one event: its members are judged by what was known
before it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from formicary.base.kernels import fixed, kernel, kernel_part
from formicary.base.records import Note
from formicary.factory.decisions._cap_kernels import count_decision
from formicary.factory.decisions._judge_kernels import decide_about
from formicary.factory.decisions._judge_layout import (
    AT_POSITION,
    FOLLOWED,
    IS_PENDING,
    POINT_HOLD,
    ROW_WORDS,
    TRIPPED,
    Words,
    open_judge,
)
from formicary.factory.decisions.effects import Effect
from formicary.factory.features._kernels import follow_events
from formicary.factory.features._layout import Events, open_state
from formicary.factory.features._row_events import Feed, write_event
from formicary.factory.ledger._decide import deciding
from formicary.factory.ledger._index import absorb, finish
from formicary.factory.ledger._layout import PENDING, VOID, WORD_ZERO, Records, State
from formicary.factory.ledger.statuses import CreateTransferStatus as Status

__all__ = ["decide_transfers", "follow_row", "hash_decisions"]

STEP_UP: Final = int(Effect.STEP_UP)
ALLOW: Final = int(Effect.ALLOW)
HOLD: Final = int(Effect.HOLD)
_MOVES_NOTHING: Final = PENDING | VOID


@kernel_part
def _consult(judge: Note, item: Any, amount: int, stamp: int) -> tuple[Any, int]:
    """Ask the decision point of a transfer's code, if there is one."""
    table = open_judge(judge, 0)
    status = np.int64(Status.CREATED)
    seconds = 0
    for place in range(len(table.codes)):
        if fixed(table.codes, place, 0) == np.int64(item["code"]):
            point = fixed(table.codes, place, 1)
            outcome = decide_about(judge, item, amount, stamp, point)
            effect = fixed(table.effects, point, outcome)
            if effect == STEP_UP:
                status = np.int64(Status.STEP_UP_REQUIRED)
            elif effect == HOLD and item["flags"] & PENDING == 0:
                status = np.int64(Status.HELD)
                seconds = fixed(table.points, point, POINT_HOLD)
            elif effect != ALLOW:
                # What is pending by itself could be posted by whoever asked: it cannot be held.
                status = np.int64(Status.DECLINED)
            break
    return status, seconds


@kernel_part
def _record(judge: Note, state: State) -> None:
    table = open_judge(judge, 0)
    if table.numbers[IS_PENDING]:
        table.numbers[IS_PENDING] = 0
        scalars = state.scalars[0]
        scalars["position"] += 1
        table.row[AT_POSITION] = scalars["position"]
        place = scalars["decisions"]
        for word in range(ROW_WORDS):
            table.rows[place, word] = table.row[word]
        scalars["decisions"] = place + 1
        scalars["rows_hash"] += _row_hash(table.row)


@kernel_part
def _row_hash(row: Any) -> Any:
    value = WORD_ZERO
    for word in range(ROW_WORDS):
        value = absorb(value, np.uint64(row[word]))
    return finish(value)


@kernel_part
def _follow(judge: Note, state: State, first: int) -> bool:
    """Let rows that are final change what is known and counted; tell whether a cap tripped."""
    table = open_judge(judge, 0)
    for index in range(first, state.scalars[0]["recent"]):
        row = state.recent.rows[index]
        place = table.numbers[FOLLOWED]
        if place < state.scalars[0]["decisions"] and table.rows[place, AT_POSITION] + 1 == row["position"]:
            table.numbers[FOLLOWED] = place + 1
            count_decision(judge, table.rows[place], row["amount"])
        if row["status"] == Status.CREATED and row["flags"] & _MOVES_NOTHING == 0:
            follow_row(judge, row)
    return bool(table.numbers[TRIPPED] != 0)


@kernel
def follow_row(judge: Note, row: Any) -> None:
    """Let a transfer that was made change what is known of its keys."""
    table = open_judge(judge, 0)
    event = Events(table.event_kinds, table.event_at, table.event_ids, table.event_numbers)
    feed = Feed(table.feed_codes, table.feed_ids, table.feed_numbers)
    for place in range(len(feed.codes)):
        if fixed(feed.codes, place, 0) == np.int64(row["code"]):
            kind = fixed(feed.codes, place, 1)
            write_event(
                open_state(table.follow_note, 0), feed, kind, row, row["amount"], row["timestamp"], event
            )
            follow_events(table.follow_note, event)


_decide = deciding(_consult, _record, _follow)


@kernel
def decide_transfers(
    state: State,
    items: Records,
    ordinals: Records,
    first_stamp: int,
    start: int,
    expiries_max: int,
    sides: Records,
    results: Records,
    judge: Note,
) -> int:
    """Do what ``create_transfers`` does, asking decision points of their transfers; stop where a cap trips.

    ``judge`` is the note of a ``Judge`` with room for as many decisions as there are items.
    """
    return int(_decide(state, items, ordinals, first_stamp, start, expiries_max, sides, results, judge))


@kernel
def hash_decisions(state: State, decisions: Words) -> None:
    """Give effect to recorded decisions (n, ``ROW_WORDS``) on the hash of the state."""
    for number in range(len(decisions)):
        state.scalars[0]["rows_hash"] += _row_hash(decisions[number])
