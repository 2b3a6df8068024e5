"""Deciding transfers: between judging and moving, a decision point is asked.

For one transfer: what is known of it is read, the forest scores it, rules say what is to come out, caps may
say otherwise; the ledger then makes it, reserves it or burns its id, and what is known of its keys changes.
So event k + 1 sees exactly what event k did. A chain is one event: its members are judged by what was known
before it.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from formicary.base.kernels import fixed, kernel, kernel_part
from formicary.base.records import Note
from formicary.factory.decisions._judge_layout import (
    ANY,
    AT_FEATURES,
    AT_LAST_REASON,
    AT_MODEL,
    AT_OUTCOME,
    AT_POINT,
    AT_POLICY,
    AT_POSITION,
    AT_PROPENSITY,
    AT_RULES_TRUE,
    AT_RULES_UNKNOWN,
    AT_SCORE,
    AT_TIMESTAMP,
    AT_VALUE,
    CAP_AMOUNT,
    CAP_COUNT,
    CAP_OUTCOME,
    CAP_PERIOD,
    CAP_RULE,
    CAP_THEN,
    CAPPED,
    COUNTED,
    COUNTED_AMOUNT,
    COUNTED_IS_NEW,
    COUNTED_PERIOD,
    COUNTED_TRIPPED,
    FOLLOWED,
    IS_PENDING,
    NO_SCORE,
    NOT_TOLD,
    POINT_END_CAP,
    POINT_FEATURES,
    POINT_FIRST_CAP,
    POINT_FIRST_RULE,
    POINT_HOLD,
    POINT_ID,
    POINT_KIND,
    POINT_POLICY,
    POINT_PURPOSE,
    POINT_SAFE,
    POINT_SCORES,
    POINT_TRUSTS,
    REASON_CAP,
    REASON_FEATURE,
    ROW_WORDS,
    SLOT_FIRST_COLUMN,
    SLOT_FIRST_KNOT,
    SLOT_IS_THERE,
    SLOT_ISOTONIC,
    SLOT_KNOTS,
    SLOT_MODEL,
    SLOT_ONLY_LOOKS,
    SLOT_WIDTH,
    TRIPPED,
    TRUSTED,
    Judge,
    Words,
    open_judge,
)
from formicary.factory.decisions._rule_kernels import TRUE, UNKNOWN, run_rules_on
from formicary.factory.decisions._rule_layout import (
    RULE_ENABLED,
    RULE_IF_UNKNOWN,
    RULE_OUTCOME,
    Items,
    open_rules,
)
from formicary.factory.decisions.effects import Effect
from formicary.factory.features._kernels import follow_events, read_events
from formicary.factory.features._layout import Events, open_state
from formicary.factory.features._row_events import Feed, write_event
from formicary.factory.journal.rows import REASONS, SCORES
from formicary.factory.ledger._decide import deciding
from formicary.factory.ledger._index import absorb, finish
from formicary.factory.ledger._layout import AMOUNT_MAX, PENDING, VOID, WORD_ZERO, Records, State
from formicary.factory.ledger.statuses import CreateTransferStatus as Status
from formicary.factory.models._calibration_kernels import chance_of
from formicary.factory.models._forest_kernels import attribute_one, score_one

__all__ = [
    "count_decision",
    "count_decisions",
    "decide_about",
    "decide_transfers",
    "follow_row",
    "hash_decisions",
]

ALLOW: Final = int(Effect.ALLOW)
STEP_UP: Final = int(Effect.STEP_UP)
HOLD: Final = int(Effect.HOLD)
_HALF: Final = 32
_SHORT: Final = 16
_SHORT_MASK: Final = 0xFFFF
_MOVES_NOTHING: Final = PENDING | VOID
_PROPENSITY: Final = 1.0


@kernel
def decide_about(judge: Note, item: Any, amount: int, at: int, point: int) -> int:
    """Decide about a transfer that the ledger would make, and return the outcome.

    Parameters
    ----------
    judge
        The note of a ``Judge``.
    item
        What was asked for, a record of ``TRANSFER``.
    amount
        What it would move, in minor units.
    at
        When, in nanoseconds.
    point
        The number of the decision point.

    The row of the decision, but for its position, is left in ``Judge.row``.
    """
    table = open_judge(judge, 0)
    event = Events(table.event_kinds, table.event_at, table.event_ids, table.event_numbers)
    feed = Feed(table.feed_codes, table.feed_ids, table.feed_numbers)
    kind = fixed(table.points, point, POINT_KIND)
    write_event(open_state(table.follow_note, 0), feed, kind, item, amount, at, event)
    purpose = fixed(table.points, point, POINT_PURPOSE)
    read_events(table.read_notes[point], event, purpose, table.told, table.withheld)
    for word in range(ROW_WORDS):
        table.row[word] = 0
    for slot in range(SCORES):
        table.raw[slot] = math.nan
        table.scores[0, slot] = math.nan
    asked = Items(
        table.event_at, table.event_ids, table.event_numbers, table.absent, table.told, table.scores
    )
    path = 0
    if fixed(table.points, point, POINT_TRUSTS):
        run_rules_on(
            table.trust_notes[point], asked, table.rule_room, table.verdicts, table.values, table.outcomes
        )
        path = TRUSTED if table.verdicts[0, 0] == TRUE else 0
    if path:
        rules_note = table.trusted_rule_notes[point]
    else:
        rules_note = table.rule_notes[point]
        path |= _score(table, point)
    run_rules_on(rules_note, asked, table.rule_room, table.verdicts, table.values, table.outcomes)
    outcome = _outcome(table, rules_note, point, path)
    outcome, cap = _capped(table, point, outcome, amount, at)
    table.row[AT_TIMESTAMP] = at
    _write_row(table, point, outcome, cap)
    if fixed(table.effects, point, outcome) != ALLOW:
        _write_reasons(table, rules_note, point, outcome, cap)
    table.numbers[IS_PENDING] = 1
    return int(outcome)


@kernel_part
def _score(table: Judge, point: Any) -> int:
    """Write the scores of all models of a point; return ``NO_SCORE`` where one that decides gives none."""
    bits = 0
    for slot in range(fixed(table.points, point, POINT_SCORES)):
        at = point * SCORES + slot
        only_looks = fixed(table.slots, at, SLOT_ONLY_LOOKS)
        if fixed(table.slots, at, SLOT_IS_THERE):
            first = fixed(table.slots, at, SLOT_FIRST_COLUMN)
            for column in range(fixed(table.slots, at, SLOT_WIDTH)):
                table.model_row[0, column] = table.told[0, table.columns[first + column]]
            score_one(table.forest_notes[at], table.model_row[0], table.raw[slot : slot + 1])
            table.row[AT_MODEL + slot] = fixed(table.slots, at, SLOT_MODEL)
            knot = fixed(table.slots, at, SLOT_FIRST_KNOT)
            table.scores[0, slot] = chance_of(
                fixed(table.slots, at, SLOT_ISOTONIC),
                table.slot_lines[at, 0],
                table.slot_lines[at, 1],
                table.knots[knot:],
                table.chances[knot:],
                fixed(table.slots, at, SLOT_KNOTS),
                table.raw[slot],
            )
        # No number is nobody's word: whoever decides by it has none.
        if not math.isfinite(table.raw[slot]):
            table.raw[slot] = math.nan
            table.scores[0, slot] = math.nan
            bits |= 0 if only_looks else NO_SCORE
    return bits


@kernel_part
def _outcome(table: Judge, rules_note: Note, point: Any, path: int) -> int:
    """Return what the rules say, never less than the safe outcome where a score is lacking; note verdicts."""
    outcome = table.outcomes[0]
    rules = open_rules(rules_note, 0)
    is_true = np.int64(0)
    is_unknown = np.int64(0)
    for rule in range(len(rules.rules)):
        if table.verdicts[0, rule] == TRUE:
            is_true |= np.int64(1) << rule
        elif table.verdicts[0, rule] == UNKNOWN:
            is_unknown |= np.int64(1) << rule
            if fixed(rules.rules, rule, RULE_ENABLED) and outcome > 0:
                path |= NOT_TOLD if fixed(rules.rules, rule, RULE_IF_UNKNOWN) == outcome else 0
    if path & NO_SCORE:
        outcome = max(outcome, fixed(table.points, point, POINT_SAFE))
    table.row[AT_RULES_TRUE] = is_true
    table.row[AT_RULES_UNKNOWN] = is_unknown
    table.row[AT_OUTCOME] = path << _HALF
    return int(outcome)


@kernel_part
def _counts(table: Judge, cap: Any, outcome: Any, rules_true: Any) -> bool:
    """Tell whether a cap counts a decision."""
    of = fixed(table.caps, cap, CAP_OUTCOME)
    rule = fixed(table.caps, cap, CAP_RULE)
    return (of in (ANY, outcome)) and (rule == ANY or (rules_true >> rule) & 1 == 1)


@kernel_part
def _capped(table: Judge, point: Any, outcome: Any, amount: Any, at: Any) -> tuple[Any, Any]:
    """Return the outcome after all caps, and the last one that changed it, from 1; 0 for none."""
    reached = 0
    rules_true = table.row[AT_RULES_TRUE]
    for cap in range(fixed(table.points, point, POINT_FIRST_CAP), fixed(table.points, point, POINT_END_CAP)):
        if _counts(table, cap, outcome, rules_true):
            is_now = table.counted[cap, COUNTED_PERIOD] == at // fixed(table.caps, cap, CAP_PERIOD)
            count = table.counted[cap, COUNTED] if is_now else 0
            moved = table.counted[cap, COUNTED_AMOUNT] if is_now else 0
            most = fixed(table.caps, cap, CAP_AMOUNT)
            if count >= fixed(table.caps, cap, CAP_COUNT) or amount > most - moved:
                outcome = fixed(table.caps, cap, CAP_THEN)
                reached = cap + 1
    return outcome, reached


@kernel_part
def _write_row(table: Judge, point: Any, outcome: Any, cap: Any) -> None:
    row = table.row
    features = fixed(table.points, point, POINT_FEATURES)
    own_cap = cap - fixed(table.points, point, POINT_FIRST_CAP) if cap else 0
    row[AT_POINT] = fixed(table.points, point, POINT_ID)
    table.row_reals[AT_PROPENSITY] = _PROPENSITY
    row[AT_POLICY] = fixed(table.points, point, POINT_POLICY) | (table.withheld[0] << _HALF)
    path = (row[AT_OUTCOME] >> _HALF) | (CAPPED if cap else 0)
    effect = fixed(table.effects, point, outcome)
    row[AT_OUTCOME] = outcome | (effect << _SHORT) | (path << _HALF) | (own_cap << (_HALF + _SHORT))
    row[AT_FEATURES] = features
    for slot in range(SCORES):
        table.row_reals[AT_SCORE + slot] = table.raw[slot]
    for feature in range(features):
        table.row_reals[AT_VALUE + feature] = table.told[0, feature]


@kernel_part
def _write_reasons(table: Judge, rules_note: Note, point: Any, outcome: Any, cap: Any) -> None:
    """Write why: the cap, the rules that said so, and for those that read a score, what raised it most."""
    found = 0
    if cap:
        found = _add_reason(table, found, REASON_CAP + cap - fixed(table.points, point, POINT_FIRST_CAP))
    rules = open_rules(rules_note, 0)
    slot = -1
    first = fixed(table.points, point, POINT_FIRST_RULE)
    for rule in range(len(rules.rules)):
        verdict = table.verdicts[0, rule]
        said = -1
        if verdict == TRUE:
            said = fixed(rules.rules, rule, RULE_OUTCOME)
        elif verdict == UNKNOWN:
            said = fixed(rules.rules, rule, RULE_IF_UNKNOWN)
        if said > 0 and fixed(rules.rules, rule, RULE_ENABLED) and (said == outcome or cap):
            reads = table.rule_slots[first + rule]
            if reads >= 0 and verdict == TRUE:
                slot = reads
            else:
                found = _add_reason(table, found, rule + 1)
    if slot >= 0 and not fixed(table.slots, point * SCORES + slot, SLOT_ONLY_LOOKS):
        _add_features(table, found, point * SCORES + slot, slot)


@kernel_part
def _add_features(table: Judge, found: int, at: Any, slot: Any) -> None:
    """Add the features that raised a score most as reasons, the largest first; none that lowered it."""
    attribute_one(table.forest_notes[at], table.attributions[slot])
    first = fixed(table.slots, at, SLOT_FIRST_COLUMN)
    before = math.inf
    last = -1
    while found < REASONS:
        best = -1
        most = 0.0
        for column in range(fixed(table.slots, at, SLOT_WIDTH)):
            raised = table.attributions[slot, column]
            is_next = raised < before or (raised == before and column > last)
            if raised > most and is_next:
                best, most = column, raised
        if best < 0:
            return
        found = _add_reason(table, found, REASON_FEATURE + table.columns[first + best] + 1)
        before, last = most, best


@kernel_part
def _add_reason(table: Judge, found: int, reason: Any) -> int:
    """Write a reason if there is room; return how many there are."""
    if found >= REASONS:
        return found
    if found < REASONS - 1:
        table.row[AT_FEATURES] |= reason << (_SHORT * (found + 1))
    else:
        table.row[AT_LAST_REASON] |= reason
    return found + 1


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


@kernel_part
def count_decision(judge: Note, decision: Any, amount: Any) -> None:
    """Let caps count a decision that stands, (``ROW_WORDS``,), and note those that tripped."""
    table = open_judge(judge, 0)
    for point in range(len(table.points)):
        is_its = fixed(table.points, point, POINT_ID) == decision[AT_POINT]
        is_armed = fixed(table.points, point, POINT_POLICY) == decision[AT_POLICY] & 0xFFFFFFFF
        if is_its and is_armed:
            first = fixed(table.points, point, POINT_FIRST_CAP)
            outcome = decision[AT_OUTCOME] & _SHORT_MASK
            reached = (decision[AT_OUTCOME] >> (_HALF + _SHORT)) & _SHORT_MASK
            for cap in range(first, fixed(table.points, point, POINT_END_CAP)):
                period = decision[AT_TIMESTAMP] // fixed(table.caps, cap, CAP_PERIOD)
                if _counts(table, cap, outcome, decision[AT_RULES_TRUE]):
                    if table.counted[cap, COUNTED_PERIOD] != period:
                        table.counted[cap, COUNTED_PERIOD] = period
                        table.counted[cap, COUNTED] = 0
                        table.counted[cap, COUNTED_AMOUNT] = 0
                    table.counted[cap, COUNTED] += 1
                    moved = table.counted[cap, COUNTED_AMOUNT]
                    table.counted[cap, COUNTED_AMOUNT] = moved + min(amount, AMOUNT_MAX - moved)
                if cap - first + 1 == reached and table.counted[cap, COUNTED_TRIPPED] != period:
                    table.counted[cap, COUNTED_TRIPPED] = period
                    table.counted[cap, COUNTED_IS_NEW] = 1
                    table.numbers[TRIPPED] += 1


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


@kernel
def count_decisions(judge: Note, decisions: Words, positions: Words, amounts: Words) -> None:
    """Let caps count recorded decisions (n, ``ROW_WORDS``).

    ``positions`` and ``amounts`` (m,) are those of transfers, in order: a decision is about the one that
    stands just after it.
    """
    place = 0
    for number in range(len(decisions)):
        while place < len(positions) and positions[place] <= decisions[number, AT_POSITION]:
            place += 1
        if place < len(positions):
            count_decision(judge, decisions[number], amounts[place])
