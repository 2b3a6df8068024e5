"""Caps: how much of an outcome one period allows, and what comes out beyond it.

What is explored has a row among them, which counts nothing else: it is kept and restored as caps are.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from formicary.base.kernels import fixed, kernel, kernel_part
from formicary.base.records import Note
from formicary.factory.decisions._judge_layout import (
    ANY,
    AT_OUTCOME,
    AT_POINT,
    AT_POLICY,
    AT_POSITION,
    AT_RULES_TRUE,
    AT_TIMESTAMP,
    CAP_AMOUNT,
    CAP_COUNT,
    CAP_OUTCOME,
    CAP_PERIOD,
    CAP_RULE,
    CAP_THEN,
    COUNTED,
    COUNTED_AMOUNT,
    COUNTED_IS_NEW,
    COUNTED_PERIOD,
    COUNTED_TRIPPED,
    EXPLORED,
    POINT_END_CAP,
    POINT_EXPLORES,
    POINT_FIRST_CAP,
    POINT_ID,
    POINT_POLICY,
    TRIPPED,
    Judge,
    Words,
    open_judge,
)
from formicary.factory.ledger._layout import AMOUNT_MAX

__all__ = ["capped", "count_decision", "count_decisions", "counted_at"]

_HALF: Final = 32
_SHORT: Final = 16
_SHORT_MASK: Final = 0xFFFF


@kernel_part
def _counts(table: Judge, cap: Any, outcome: Any, rules_true: Any) -> bool:
    """Tell whether a cap counts a decision."""
    of = fixed(table.caps, cap, CAP_OUTCOME)
    rule = fixed(table.caps, cap, CAP_RULE)
    return (of in (ANY, outcome)) and (rule == ANY or (rules_true >> rule) & 1 == 1)


@kernel_part
def counted_at(table: Judge, cap: Any, at: Any) -> tuple[Any, Any]:
    """Return how many decisions a cap counted in the period of a time, and what they moved."""
    if table.counted[cap, COUNTED_PERIOD] != at // fixed(table.caps, cap, CAP_PERIOD):
        return np.int64(0), np.int64(0)
    return table.counted[cap, COUNTED], table.counted[cap, COUNTED_AMOUNT]


@kernel_part
def capped(table: Judge, point: Any, outcome: Any, amount: Any, at: Any) -> tuple[Any, Any]:
    """Return the outcome after all caps, and the last one that changed it, from 1; 0 for none."""
    reached = 0
    rules_true = table.row[AT_RULES_TRUE]
    for cap in range(fixed(table.points, point, POINT_FIRST_CAP), fixed(table.points, point, POINT_END_CAP)):
        if _counts(table, cap, outcome, rules_true):
            count, moved = counted_at(table, cap, at)
            most = fixed(table.caps, cap, CAP_AMOUNT)
            if count >= fixed(table.caps, cap, CAP_COUNT) or amount > most - moved:
                outcome = fixed(table.caps, cap, CAP_THEN)
                reached = cap + 1
    return outcome, reached


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
                    _count(table, cap, period, amount)
                if cap - first + 1 == reached and table.counted[cap, COUNTED_TRIPPED] != period:
                    table.counted[cap, COUNTED_TRIPPED] = period
                    table.counted[cap, COUNTED_IS_NEW] = 1
                    table.numbers[TRIPPED] += 1
            explores = fixed(table.points, point, POINT_EXPLORES)
            # A policy that does not compile here explores nothing, whatever it did where it was armed.
            if explores and (decision[AT_OUTCOME] >> _HALF) & EXPLORED:
                period = decision[AT_TIMESTAMP] // fixed(table.caps, explores - 1, CAP_PERIOD)
                _count(table, explores - 1, period, amount)


@kernel_part
def _count(table: Judge, cap: Any, period: Any, amount: Any) -> None:
    if table.counted[cap, COUNTED_PERIOD] != period:
        table.counted[cap, COUNTED_PERIOD] = period
        table.counted[cap, COUNTED] = 0
        table.counted[cap, COUNTED_AMOUNT] = 0
    table.counted[cap, COUNTED] += 1
    moved = table.counted[cap, COUNTED_AMOUNT]
    table.counted[cap, COUNTED_AMOUNT] = moved + min(amount, AMOUNT_MAX - moved)


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
