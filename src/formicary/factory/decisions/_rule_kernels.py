"""The kernel of rules: what a condition cannot be told of is unknown, and stays so (Kleene's strong logic).

A missing number and an unknown truth are both NaN; ``or`` of it and true is true, ``and`` of it and false is
false, and every other operation of it is NaN again.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import fixed, kernel, kernel_part
from formicary.base.records import Note
from formicary.factory.decisions._rule_layout import (
    CODE_LEFT,
    CODE_OP,
    CODE_RIGHT,
    ENTRY_HIGH,
    ENTRY_LOW,
    ENTRY_UNTIL,
    FOLD,
    HIGH_FACTOR,
    INPUT_A,
    INPUT_B,
    INPUT_KIND,
    LIST_FIRST,
    LIST_MASK,
    LOW_FACTOR,
    RULE_ENABLED,
    RULE_IF_UNKNOWN,
    RULE_OUTCOME,
    RULE_SLOT,
    Input,
    Items,
    Reals,
    Rules,
    Words,
    open_rules,
)
from formicary.factory.features.expressions import Op

__all__ = ["FALSE", "TRUE", "UNKNOWN", "run_rules", "run_rules_on"]

Verdicts = npt.NDArray[np.int8]

FALSE: Final = 0
TRUE: Final = 1
UNKNOWN: Final = 2

_DAY: Final = 86_400_000_000_000
_HOUR: Final = 3_600_000_000_000
_MINUTE: Final = 60_000_000_000
# The first day of 1970 was a Thursday.
_THURSDAY: Final = 3
_DAYS_PER_WEEK: Final = 7

# Kernels see enumerations as plain integers.
FIELD: Final = int(Input.FIELD)
REAL: Final = int(Input.REAL)
FEATURE: Final = int(Input.FEATURE)
SCORE: Final = int(Input.SCORE)
HOUR: Final = int(Input.HOUR)
WEEKDAY: Final = int(Input.WEEKDAY)
ABSENT: Final = int(Input.ABSENT)
ABSENT_ID: Final = int(Input.ABSENT_ID)
REAL_MISSING: Final = int(Input.REAL_MISSING)
IN_LIST: Final = int(Input.IN_LIST)
SAME_ID: Final = int(Input.SAME_ID)
ADD: Final = int(Op.ADD)
SUBTRACT: Final = int(Op.SUBTRACT)
MULTIPLY: Final = int(Op.MULTIPLY)
DIVIDE: Final = int(Op.DIVIDE)
NEGATE: Final = int(Op.NEGATE)
MAGNITUDE: Final = int(Op.MAGNITUDE)
SMALLER: Final = int(Op.SMALLER)
EQUAL: Final = int(Op.EQUAL)
UNEQUAL: Final = int(Op.UNEQUAL)
LESS: Final = int(Op.LESS)
LESS_OR_EQUAL: Final = int(Op.LESS_OR_EQUAL)
AND: Final = int(Op.AND)
OR: Final = int(Op.OR)
NOT: Final = int(Op.NOT)
IF_MISSING: Final = int(Op.IF_MISSING)
IS_MISSING: Final = int(Op.IS_MISSING)


@kernel
def run_rules_on(
    note: Note, items: Items, slots: Reals, verdicts: Verdicts, values: Reals, outcomes: Words
) -> None:
    """Judge items, each by itself.

    ``note`` is that of ``Rules``. ``slots`` is scratch, of one word for each input, constant and operation.
    ``verdicts`` (n, rules), ``values`` (n, inputs) and ``outcomes`` (n,) are written.
    """
    rules = open_rules(note, 0)
    for item in range(len(items.at)):
        outcomes[item] = run_rules(
            rules,
            items.at[item],
            items.ids[item],
            items.numbers[item],
            items.absent[item],
            items.features[item],
            items.scores[item],
            slots,
            verdicts[item],
        )
        for number in range(len(rules.inputs)):
            values[item, number] = slots[number]


@kernel_part
def run_rules(
    rules: Rules,
    at: Any,
    ids: Words,
    numbers: Words,
    absent: Any,
    features: Reals,
    scores: Reals,
    slots: Reals,
    verdicts: Verdicts,
) -> Any:
    """Judge one item and return its outcome: the most severe of the armed rules that hold, 0 without any.

    Parameters
    ----------
    rules
        The compiled set.
    at, ids, numbers, absent, features, scores
        The item: one row of each field of ``Items``.
    slots
        Scratch; afterwards the values read stand first, in the order of ``Rules.inputs``.
    verdicts
        (rules,): ``FALSE``, ``TRUE`` or ``UNKNOWN`` is written for each rule, armed or not.
    """
    slot = len(rules.inputs)
    for number in range(slot):
        slots[number] = _read(rules, number, at, ids, numbers, absent, features, scores)
    for number in range(len(rules.constants)):
        slots[slot] = rules.constants[number]
        slot += 1
    for step in range(len(rules.code)):
        left = slots[fixed(rules.code, step, CODE_LEFT)]
        right = slots[fixed(rules.code, step, CODE_RIGHT)]
        slots[slot] = _result(fixed(rules.code, step, CODE_OP), left, right)
        slot += 1
    outcome = 0
    for rule in range(len(rules.rules)):
        value = slots[fixed(rules.rules, rule, RULE_SLOT)]
        verdict = FALSE
        says = 0
        if value != value:  # noqa: PLR0124, what is not itself is NaN
            verdict = UNKNOWN
            says = fixed(rules.rules, rule, RULE_IF_UNKNOWN)
        elif value != 0.0:
            verdict = TRUE
            says = fixed(rules.rules, rule, RULE_OUTCOME)
        verdicts[rule] = verdict
        # A disarmed rule is only looked at.
        outcome = max(outcome, says * fixed(rules.rules, rule, RULE_ENABLED))
    return outcome


@kernel_part
def _result(op: Any, left: Any, right: Any) -> Any:
    # Which operation comes next is learnt by the processor, what it gives is not: so results are chosen,
    # not jumped to, and what is computed of NaN is NaN by itself.
    if op == ADD:
        return left + right
    if op == SUBTRACT:
        return left - right
    if op == MULTIPLY:
        return left * right
    if op == DIVIDE:
        return left / right if right != 0.0 else math.nan
    if op == NEGATE:
        return -left
    if op == MAGNITUDE:
        return abs(left)
    if op == NOT:
        return 1.0 - left
    if op == AND:
        return 0.0 if (left == 0.0) | (right == 0.0) else left * right
    if op == OR:
        return 1.0 if (left == 1.0) | (right == 1.0) else left + right
    if op == IS_MISSING:
        return 1.0 if left != left else 0.0  # noqa: PLR0124, what is not itself is NaN
    if op == IF_MISSING:
        return right if left != left else left  # noqa: PLR0124, as above
    if op == LESS:
        return _truth(left < right, left, right)
    if op == LESS_OR_EQUAL:
        return _truth(left <= right, left, right)
    if op == EQUAL:
        return _truth(left == right, left, right)
    if op == UNEQUAL:
        return _truth(left != right, left, right)
    if op == SMALLER:
        return left if (left < right) | (left != left) else right  # noqa: PLR0124, as above
    # What is left is LARGER.
    return left if (left > right) | (left != left) else right  # noqa: PLR0124, as above


@kernel_part
def _truth(holds: Any, left: Any, right: Any) -> Any:
    is_unknown = (left != left) | (right != right)  # noqa: PLR0124, what is not itself is NaN
    return math.nan if is_unknown else (1.0 if holds else 0.0)


@kernel_part
def _read(
    rules: Rules,
    number: Any,
    at: Any,
    ids: Words,
    numbers: Words,
    absent: Any,
    features: Reals,
    scores: Reals,
) -> Any:
    kind = fixed(rules.inputs, number, INPUT_KIND)
    first = fixed(rules.inputs, number, INPUT_A)
    second = fixed(rules.inputs, number, INPUT_B)
    if kind == FEATURE:
        return features[first]
    if kind == SCORE:
        return scores[first]
    if kind in (HOUR, WEEKDAY):
        shifted = at + first * _MINUTE
        if kind == HOUR:
            return np.float64((shifted % _DAY) // _HOUR)
        return np.float64((shifted // _DAY + _THURSDAY) % _DAYS_PER_WEEK)
    if kind in (FIELD, REAL, ABSENT, REAL_MISSING):
        return _of_number(kind, first, numbers, absent)
    high = ids[first, 0]
    low = ids[first, 1]
    is_absent = high == 0 and low == 0
    if kind == ABSENT_ID:
        return 1.0 if is_absent else 0.0
    if is_absent:
        return math.nan
    if kind == IN_LIST:
        return 1.0 if _is_member(rules, second, high, low, at) else 0.0
    if kind == SAME_ID:
        if ids[second, 0] == 0 and ids[second, 1] == 0:
            return math.nan
        return 1.0 if ids[second, 0] == high and ids[second, 1] == low else 0.0
    is_it = fixed(rules.ids, second, 0) == high and fixed(rules.ids, second, 1) == low
    return 1.0 if is_it else 0.0


@kernel_part
def _of_number(kind: Any, column: Any, numbers: Words, absent: Any) -> Any:
    is_absent = (absent >> column) & 1 == 1
    if kind == ABSENT:
        return 1.0 if is_absent else 0.0
    if kind == FIELD:
        return math.nan if is_absent else np.float64(numbers[column])
    value = numbers[column : column + 1].view(np.float64)[0]
    if kind == REAL_MISSING:
        return 1.0 if value != value and not is_absent else 0.0  # noqa: PLR0124, what is not itself is NaN
    return math.nan if is_absent else value


@kernel_part
def _is_member(rules: Rules, number: Any, high: Any, low: Any, at: Any) -> bool:
    first = fixed(rules.lists, number, LIST_FIRST)
    mask = fixed(rules.lists, number, LIST_MASK)
    mixed = high * HIGH_FACTOR ^ low * LOW_FACTOR
    place = (mixed ^ (mixed >> FOLD)) & mask
    # Half of a table is empty, so the search ends.
    while True:
        row = first + place
        found_high = fixed(rules.entries, row, ENTRY_HIGH)
        found_low = fixed(rules.entries, row, ENTRY_LOW)
        if found_high == high and found_low == low:
            return bool(at < fixed(rules.entries, row, ENTRY_UNTIL))
        if found_high == 0 and found_low == 0:
            return False
        place = (place + 1) & mask
