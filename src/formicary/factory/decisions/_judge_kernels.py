"""Deciding about one transfer that the ledger would make.

What is known of it is read, a forest scores it, rules say what is to come out, caps may say otherwise; the
row that records all of it is written. Nothing else changes.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from formicary.base.kernels import fixed, kernel, kernel_part
from formicary.base.lots import lot
from formicary.base.records import Note
from formicary.factory.decisions._cap_kernels import capped
from formicary.factory.decisions._explore_kernels import explored
from formicary.factory.decisions._judge_layout import (
    AT_FEATURES,
    AT_MODEL,
    AT_OUTCOME,
    AT_POINT,
    AT_POLICY,
    AT_PROPENSITY,
    AT_RULES_TRUE,
    AT_RULES_UNKNOWN,
    AT_SCORE,
    AT_TIMESTAMP,
    AT_VALUE,
    CAPPED,
    IS_PENDING,
    NO_SCORE,
    NOT_TOLD,
    POINT_EXPLORES,
    POINT_FEATURES,
    POINT_FIRST_CAP,
    POINT_ID,
    POINT_KIND,
    POINT_PARTY,
    POINT_POLICY,
    POINT_PURPOSE,
    POINT_SAFE,
    POINT_SCORES,
    POINT_TRUSTS,
    ROW_WORDS,
    SLOT_CHALLENGER,
    SLOT_FIRST_COLUMN,
    SLOT_FIRST_KNOT,
    SLOT_IS_THERE,
    SLOT_ISOTONIC,
    SLOT_KNOTS,
    SLOT_MODEL,
    SLOT_ONLY_LOOKS,
    SLOT_TRIED_SALT,
    SLOT_TRIED_SHARE,
    SLOT_WIDTH,
    TRUSTED,
    Judge,
    open_judge,
)
from formicary.factory.decisions._reason_kernels import write_reasons
from formicary.factory.decisions._rule_kernels import TRUE, UNKNOWN, run_rules_on
from formicary.factory.decisions._rule_layout import (
    RULE_ENABLED,
    RULE_IF_UNKNOWN,
    Items,
    open_rules,
)
from formicary.factory.decisions.effects import Effect
from formicary.factory.features._kernels import read_events
from formicary.factory.features._layout import Events, open_state
from formicary.factory.features._row_events import Feed, write_event
from formicary.factory.journal.rows import SCORES
from formicary.factory.ledger._layout import PENDING, VOID
from formicary.factory.models._calibration_kernels import chance_of
from formicary.factory.models._forest_kernels import score_one

__all__ = ["decide_about"]

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
    outcome, cap = capped(table, point, outcome, amount, at)
    table.row[AT_TIMESTAMP] = at
    table.row_reals[AT_PROPENSITY] = _PROPENSITY
    ruled = outcome
    # The word of the outcome holds nothing but the path yet.
    if fixed(table.points, point, POINT_EXPLORES) and not cap and table.row[AT_OUTCOME] == 0:
        outcome = explored(table, rules_note, point, item, outcome, amount, at)
    _write_row(table, point, outcome, cap)
    if fixed(table.effects, point, outcome) != ALLOW:
        write_reasons(table, rules_note, point, ruled, cap)
    table.numbers[IS_PENDING] = 1
    return int(outcome)


@kernel_part
def _score(table: Judge, point: Any) -> int:
    """Write the scores of all models of a point; return ``NO_SCORE`` where one that decides gives none."""
    bits = 0
    for slot in range(fixed(table.points, point, POINT_SCORES)):
        at = point * SCORES + slot
        only_looks = fixed(table.slots, at, SLOT_ONLY_LOOKS)
        if fixed(table.slots, at, SLOT_CHALLENGER):
            at = _tried(table, point, at)
        table.asked[slot] = at
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
def _tried(table: Judge, point: Any, at: Any) -> Any:
    """Return the row of the model that a slot asks: the challenger's for its share of parties."""
    party = fixed(table.points, point, POINT_PARTY)
    high = table.event_ids[0, party, 0]
    low = table.event_ids[0, party, 1]
    # Nobody is in no trial.
    is_known = high != 0 or low != 0
    drawn = lot(high, low, fixed(table.slots, at, SLOT_TRIED_SALT))
    is_tried = is_known and drawn < fixed(table.slots, at, SLOT_TRIED_SHARE)
    return fixed(table.slots, at, SLOT_CHALLENGER) if is_tried else at


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
def _write_row(table: Judge, point: Any, outcome: Any, cap: Any) -> None:
    row = table.row
    features = fixed(table.points, point, POINT_FEATURES)
    own_cap = cap - fixed(table.points, point, POINT_FIRST_CAP) if cap else 0
    row[AT_POINT] = fixed(table.points, point, POINT_ID)
    row[AT_POLICY] = fixed(table.points, point, POINT_POLICY) | (table.withheld[0] << _HALF)
    path = (row[AT_OUTCOME] >> _HALF) | (CAPPED if cap else 0)
    effect = fixed(table.effects, point, outcome)
    row[AT_OUTCOME] = outcome | (effect << _SHORT) | (path << _HALF) | (own_cap << (_HALF + _SHORT))
    row[AT_FEATURES] = features
    for slot in range(SCORES):
        table.row_reals[AT_SCORE + slot] = table.raw[slot]
    for feature in range(features):
        table.row_reals[AT_VALUE + feature] = table.told[0, feature]
