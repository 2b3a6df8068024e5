"""Why something else than the least severe outcome came out: at most four reasons, all of them true."""

from __future__ import annotations

import math
from typing import Any, Final

from formicary.base.kernels import fixed, kernel_part
from formicary.base.records import Note
from formicary.factory.decisions._judge_layout import (
    AT_FEATURES,
    AT_LAST_REASON,
    POINT_FIRST_CAP,
    POINT_FIRST_RULE,
    REASON_CAP,
    REASON_FEATURE,
    SLOT_FIRST_COLUMN,
    SLOT_ONLY_LOOKS,
    SLOT_WIDTH,
    Judge,
)
from formicary.factory.decisions._rule_kernels import TRUE, UNKNOWN
from formicary.factory.decisions._rule_layout import (
    RULE_ENABLED,
    RULE_IF_UNKNOWN,
    RULE_OUTCOME,
    open_rules,
)
from formicary.factory.journal.rows import REASONS, SCORES
from formicary.factory.models._forest_kernels import attribute_one

__all__ = ["write_reasons"]

_SHORT: Final = 16


@kernel_part
def write_reasons(table: Judge, rules_note: Note, point: Any, outcome: Any, cap: Any) -> None:
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
        _add_features(table, found, table.asked[slot], slot)


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
