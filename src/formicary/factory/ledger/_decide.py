"""Deciding transfers: the loop over the events of a group."""

from __future__ import annotations

from typing import Any

import numpy as np

from formicary.base.kernels import kernel, kernel_part
from formicary.factory.ledger._apply import (
    apply_row,
    begin_chain,
    new_row,
    note_timer,
    remember_for_undo,
    undo_chain,
)
from formicary.factory.ledger._expire import expire_due, inherit_from_hold
from formicary.factory.ledger._find import find_transfer, transfer_row
from formicary.factory.ledger._index import BY_ID, find_account
from formicary.factory.ledger._judge_plain import is_transient, judge_envelope, judge_plain
from formicary.factory.ledger._judge_resolution import judge_resolution
from formicary.factory.ledger._judge_retry import judge_retry
from formicary.factory.ledger._layout import (
    IMPORTED,
    LINKED,
    MADE_PENDING,
    PENDING,
    RESOLVES,
    Records,
    State,
)
from formicary.factory.ledger.statuses import CreateTransferStatus as Status

__all__ = ["create_transfers", "deciding"]


@kernel_part
def _resolve_accounts(state: State, items: Records, start: int, debits: Records, credits_: Records) -> None:
    """Find the accounts of a batch ahead of deciding it.

    A loop of nothing but independent look-ups lets the processor overlap their cache misses.
    """
    for i in range(start, len(items)):
        item = items[i]
        debits[i] = find_account(state, item["debit_account_id_high"], item["debit_account_id_low"])
        credits_[i] = find_account(state, item["credit_account_id_high"], item["credit_account_id_low"])


@kernel_part
def _copy_row_totals(result: Any, row: Any) -> None:
    result["debit_debits_pending"] = row["debit_debits_pending"]
    result["debit_debits_posted"] = row["debit_debits_posted"]
    result["debit_credits_pending"] = row["debit_credits_pending"]
    result["debit_credits_posted"] = row["debit_credits_posted"]
    result["credit_debits_pending"] = row["credit_debits_pending"]
    result["credit_debits_posted"] = row["credit_debits_posted"]
    result["credit_credits_pending"] = row["credit_credits_pending"]
    result["credit_credits_posted"] = row["credit_credits_posted"]


@kernel_part
def _copy_account_totals(result: Any, debit: Any, credit: Any) -> None:
    result["debit_debits_pending"] = debit["debits_pending"]
    result["debit_debits_posted"] = debit["debits_posted"]
    result["debit_credits_pending"] = debit["credits_pending"]
    result["debit_credits_posted"] = debit["credits_posted"]
    result["credit_debits_pending"] = credit["debits_pending"]
    result["credit_debits_posted"] = credit["debits_posted"]
    result["credit_credits_pending"] = credit["credits_pending"]
    result["credit_credits_posted"] = credit["credits_posted"]


@kernel_part
def _clear_result(result: Any, status: int, timestamp: int) -> None:
    result["status"] = status
    result["timestamp"] = timestamp
    result["debit_debits_pending"] = 0
    result["debit_debits_posted"] = 0
    result["debit_credits_pending"] = 0
    result["debit_credits_posted"] = 0
    result["credit_debits_pending"] = 0
    result["credit_debits_posted"] = 0
    result["credit_credits_pending"] = 0
    result["credit_credits_posted"] = 0


@kernel_part
def _fill_row(row: Any, item: Any, amount: int) -> None:
    row["id_high"] = item["id_high"]
    row["id_low"] = item["id_low"]
    row["debit_account_id_high"] = item["debit_account_id_high"]
    row["debit_account_id_low"] = item["debit_account_id_low"]
    row["credit_account_id_high"] = item["credit_account_id_high"]
    row["credit_account_id_low"] = item["credit_account_id_low"]
    row["amount"] = amount
    row["pending_id_high"] = item["pending_id_high"]
    row["pending_id_low"] = item["pending_id_low"]
    row["user_data_128_high"] = item["user_data_128_high"]
    row["user_data_128_low"] = item["user_data_128_low"]
    row["user_data_64"] = item["user_data_64"]
    row["user_data_32"] = item["user_data_32"]
    row["timeout"] = item["timeout"]
    row["ledger"] = item["ledger"]
    row["code"] = item["code"]
    row["flags"] = item["flags"]


@kernel_part
def _judge(
    state: State, item: Any, stamp: int, debit: int, credit: int, import_mode: bool, result: Any
) -> tuple[int, int, int]:
    """Judge one event: its status, the amount that it moves, the hold that it resolves or -1."""
    status = judge_envelope(item, stamp, import_mode)
    if status != Status.CREATED:
        return status, 0, -1
    generation, index = find_transfer(state, BY_ID, item["id_high"], item["id_low"])
    if index >= 0:
        row = transfer_row(state, generation, index)
        status = judge_retry(state, item, row)
        if status in (Status.EXISTS, Status.HELD):
            result["timestamp"] = row["timestamp"]
            _copy_row_totals(result, row)
        return status, 0, -1
    if item["flags"] & RESOLVES != 0:
        return judge_resolution(state, item, stamp)
    timestamp = item["timestamp"] if item["flags"] & IMPORTED != 0 else stamp
    status, amount, reached = judge_plain(state, item, debit, credit, timestamp)
    if status != Status.CREATED and reached:
        _copy_account_totals(result, state.accounts[debit], state.accounts[credit])
    return status, amount, -1


@kernel_part
def _make(
    state: State,
    item: Any,
    stamp: int,
    ordinal: int,
    debit: int,
    credit: int,
    amount: int,
    hold: int,
    in_chain: bool,
    result: Any,
) -> None:
    """Move an amount that was judged, or resolve a hold."""
    timestamp = item["timestamp"] if item["flags"] & IMPORTED != 0 else stamp
    if in_chain:
        remember_for_undo(state, debit, credit, hold)
    row = new_row(state, Status.CREATED, timestamp, ordinal)
    _fill_row(row, item, amount)
    if hold >= 0:
        inherit_from_hold(row, state.hold_rows[hold])
    apply_row(state, debit, credit, hold)
    _copy_row_totals(result, row)
    result["timestamp"] = timestamp


@kernel_part
def _reserve(
    state: State,
    item: Any,
    stamp: int,
    ordinal: int,
    debit: int,
    credit: int,
    said: int,
    timeout: int,
    result: Any,
) -> int:
    """Reserve the money of an event that a decision holds; its chain was undone, so it is judged again."""
    if said != Status.HELD:
        return said
    status, amount, _ = judge_plain(state, item, debit, credit, stamp)
    result["status"] = status
    if status != Status.CREATED:
        return status
    row = new_row(state, Status.CREATED, stamp, ordinal)
    _fill_row(row, item, amount)
    row["flags"] = item["flags"] | MADE_PENDING
    row["timeout"] = timeout
    apply_row(state, debit, credit, -1)
    _copy_row_totals(result, row)
    if timeout != 0:
        note_timer(state, row)
    result["status"] = Status.HELD
    return Status.HELD


@kernel_part
def _burn(state: State, item: Any, status: int, stamp: int, ordinal: int) -> None:
    row = new_row(state, status, stamp, ordinal)
    _fill_row(row, item, item["amount"])
    apply_row(state, -1, -1, -1)


@kernel_part
def _note_timers(state: State, first_row: int) -> None:
    for index in range(first_row, state.scalars[0]["recent"]):
        row = state.recent.rows[index]
        if row["status"] == Status.CREATED and row["flags"] & PENDING != 0 and row["timeout"] != 0:
            note_timer(state, row)


@kernel_part
def _fail_chain(results: Records, chain: int, last: int, first_stamp: int, status: int) -> None:
    """Give every member of a broken chain its answer; the breaker, ``last``, keeps its own."""
    for i in range(chain, last):
        _clear_result(results[i], Status.LINKED_EVENT_FAILED, first_stamp + i)
    _clear_result(results[last], status, results[last]["timestamp"])


@kernel_part
def _break_chain(
    state: State, results: Records, chain: int, last: int, first_stamp: int, status: int
) -> None:
    """Undo a chain that broke at the event ``last``, whose stamp is used up all the same."""
    undo_chain(state)
    state.scalars[0]["timestamp"] = first_stamp + last
    _fail_chain(results, chain, last, first_stamp, status)


@kernel_part
def _nothing_said() -> tuple[Any, Any, int]:
    """Return the status, what a decision says and how long it holds, before anybody was asked."""
    return np.int64(Status.CREATED), np.int64(Status.CREATED), 0


def _decides_one(consult: Any, record: Any) -> Any:
    """Return what judges one event and makes it, unless a decision says otherwise."""

    @kernel_part
    def decide_one(
        state: State,
        item: Any,
        stamp: int,
        ordinal: int,
        debit: int,
        credit: int,
        import_mode: bool,
        in_chain: bool,
        result: Any,
        judge: Any,
    ) -> Any:
        judged, amount, hold = _judge(state, item, stamp, debit, credit, import_mode, result)
        said = np.int64(Status.CREATED)
        seconds = 0
        # What was imported happened elsewhere, and what resolves a hold was decided before.
        if judged == Status.CREATED and item["flags"] & (RESOLVES | IMPORTED) == 0:
            said, seconds = consult(judge, item, amount, stamp)
        if judged == Status.CREATED and said == Status.CREATED:
            if hold >= 0:
                debit, credit = int(state.holds[hold]["debit"]), int(state.holds[hold]["credit"])
            record(judge, state)
            _make(state, item, stamp, ordinal, debit, credit, amount, hold, in_chain, result)
        return (said if judged == Status.CREATED else np.int64(judged)), said, seconds

    return decide_one


def deciding(consult: Any, record: Any, follow: Any) -> Any:
    """Return the loop over the events of a group, with what stands between judging and moving.

    Parameters
    ----------
    consult
        ``(judge, item, amount, stamp) -> (status, seconds)`` of an event that the ledger would make:
        ``CREATED``, or what a decision says of it, and how long it may be held.
    record
        ``(judge, state)``: keep the decision that was taken last, if any was, at the next position.
    follow
        ``(judge, state, first) -> bool``: rows from number ``first`` on are final; whether the loop is to
        stop for something that comes before the next event.
    """
    return _loop(_decides_one(consult, record), record, follow)


def _loop(decide_one: Any, record: Any, follow: Any) -> Any:
    @kernel_part
    def decide(
        state: State,
        items: Records,
        ordinals: Records,
        first_stamp: int,
        start: int,
        expiries_max: int,
        sides: Records,
        results: Records,
        judge: Any,
    ) -> int:
        scalars = state.scalars[0]
        count = len(items)
        debits, credits_ = sides[0], sides[1]
        _resolve_accounts(state, items, start, debits, credits_)
        chain = -1
        broken = False
        for i in range(start, count):
            item, result, stamp = items[i], results[i], first_stamp + i
            linked = item["flags"] & LINKED != 0
            first_row = scalars["recent"]
            if chain < 0:
                if expiries_max >= 0:
                    expired, all_due_ran = expire_due(state, stamp, expiries_max)
                    expiries_max -= expired
                    if not all_due_ran:
                        return i
                first_row = scalars["recent"]
                if linked:
                    chain, broken = i, False
                    begin_chain(state)
            scalars["timestamp"] = stamp
            ends_request = i + 1 == count or ordinals[i + 1] == 0
            side = debits[i], credits_[i]
            status, said, seconds = _nothing_said()
            _clear_result(result, Status.CREATED, stamp)
            if linked and ends_request:
                status = np.int64(Status.LINKED_EVENT_CHAIN_OPEN)
            elif broken:
                status = np.int64(Status.LINKED_EVENT_FAILED)
            else:
                import_mode = items[i - ordinals[i]]["flags"] & IMPORTED != 0
                status, said, seconds = decide_one(
                    state, item, stamp, ordinals[i], *side, import_mode, chain >= 0, result, judge
                )
            result["status"] = status
            if status != Status.CREATED:
                if chain >= 0 and not broken:
                    _break_chain(state, results, chain, i, first_stamp, status)
                    broken = True
                if said != Status.CREATED:
                    record(judge, state)
                    status = _reserve(state, item, stamp, ordinals[i], *side, said, seconds, result)
                if is_transient(status):
                    _burn(state, item, status, stamp, ordinals[i])
            elif chain < 0:
                _note_timers(state, first_row)
            if chain >= 0 and (not linked or ends_request):
                first_row = state.chain_start[0]["recent"]
                if not broken:
                    _note_timers(state, first_row)
                chain, broken = -1, False
            if chain < 0 and follow(judge, state, first_row):
                return i + 1
        return count

    return decide


@kernel_part
def _consult_nobody(_judge: Any, _item: Any, _amount: int, _stamp: int) -> tuple[Any, int]:
    return np.int64(Status.CREATED), 0


@kernel_part
def _record_nothing(_judge: Any, _state: State) -> None:
    return


@kernel_part
def _follow_nothing(_judge: Any, _state: State, _first: int) -> bool:
    return False


_decide = deciding(_consult_nobody, _record_nothing, _follow_nothing)


@kernel
def create_transfers(
    state: State,
    items: Records,
    ordinals: Records,
    first_stamp: int,
    start: int,
    expiries_max: int,
    sides: Records,
    results: Records,
) -> int:
    """Decide the events of a group of requests from ``start`` on, and write their rows.

    ``ordinals`` (n,) counts each event within its own request, from 0. Event i is stamped
    ``first_stamp + i``. ``sides`` is room for (2, n) numbers of accounts.
    Returns how many events of the group are decided: fewer than all when a timer comes first that
    is not the ledger's, or when ``expiries_max`` holds expired; the caller then goes on from there.
    """
    return int(_decide(state, items, ordinals, first_stamp, start, expiries_max, sides, results, ()))
