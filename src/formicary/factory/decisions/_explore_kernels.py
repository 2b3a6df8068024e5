"""Exploration: of what scores alone refuse a share passes, drawn by lot, so that it is learnt what it was.

A case may be explored or it may not, and that is known before its lot is looked at. So the chance of what
came out is exact, and stands in the row: the share where it was explored, what is left of one where it could
have been, and one everywhere else.
"""

from __future__ import annotations

from typing import Any, Final

from formicary.base.kernels import fixed, kernel_part
from formicary.base.lots import LOTS, lot
from formicary.base.records import Note
from formicary.factory.decisions._cap_kernels import capped, counted_at
from formicary.factory.decisions._judge_layout import (
    AT_OUTCOME,
    AT_PROPENSITY,
    CAP_COUNT,
    CAP_THEN,
    EXPLORED,
    POINT_EXPLORED_AMOUNT,
    POINT_EXPLORED_OF,
    POINT_EXPLORED_SALT,
    POINT_EXPLORED_SHARE,
    POINT_EXPLORES,
    POINT_FIRST_RULE,
    Judge,
)
from formicary.factory.decisions._rule_kernels import TRUE, UNKNOWN
from formicary.factory.decisions._rule_layout import (
    RULE_ENABLED,
    RULE_IF_UNKNOWN,
    RULE_OUTCOME,
    open_rules,
)

__all__ = ["explored"]

_HALF: Final = 32


@kernel_part
def explored(
    table: Judge, rules_note: Note, point: Any, item: Any, outcome: Any, amount: Any, at: Any
) -> Any:
    """Return the outcome after the lot of a transfer, and note the chance of it.

    It is asked of what no cap, no missing score and no rule that could not be told has decided.
    """
    cap = fixed(table.points, point, POINT_EXPLORES) - 1
    then = fixed(table.caps, cap, CAP_THEN)
    is_meant = (fixed(table.points, point, POINT_EXPLORED_OF) >> outcome) & 1 == 1
    if not is_meant or amount > fixed(table.points, point, POINT_EXPLORED_AMOUNT):
        return outcome
    if _said_without_scores(table, rules_note, point) > then:
        return outcome
    count, _ = counted_at(table, cap, at)
    # What a cap would not let come out is not explored either.
    _, reached = capped(table, point, then, amount, at)
    if count >= fixed(table.caps, cap, CAP_COUNT) or reached:
        return outcome
    share = fixed(table.points, point, POINT_EXPLORED_SHARE)
    if lot(item["id_high"], item["id_low"], fixed(table.points, point, POINT_EXPLORED_SALT)) < share:
        table.row_reals[AT_PROPENSITY] = share / LOTS
        table.row[AT_OUTCOME] |= EXPLORED << _HALF
        return then
    table.row_reals[AT_PROPENSITY] = (LOTS - share) / LOTS
    return outcome


@kernel_part
def _said_without_scores(table: Judge, rules_note: Note, point: Any) -> Any:
    """Return the outcome of the armed rules that read no score: what they refuse is never explored."""
    rules = open_rules(rules_note, 0)
    first = fixed(table.points, point, POINT_FIRST_RULE)
    most = 0
    for rule in range(len(rules.rules)):
        if fixed(rules.rules, rule, RULE_ENABLED) and table.rule_slots[first + rule] < 0:
            verdict = table.verdicts[0, rule]
            if verdict == TRUE:
                most = max(most, fixed(rules.rules, rule, RULE_OUTCOME))
            elif verdict == UNKNOWN:
                most = max(most, fixed(rules.rules, rule, RULE_IF_UNKNOWN))
    return most
