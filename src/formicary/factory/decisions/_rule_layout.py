"""What the kernel of rules is given: a compiled set of rules, and items to judge.

Inputs, constants and results lie in one array of *slots*, in this order. An operation reads two slots and
writes the next one, so that there is no stack, and what several rules compute is computed once.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.records import Table, opener

__all__ = ["Input", "Items", "Rules", "open_rules"]

Words = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

FOREVER: Final = 2**63 - 1
"""The end of an entry of a list that has none."""

# Factors of the hash of an id, odd and below 2^63, and the bits that its high half is folded by.
HIGH_FACTOR: Final = 0x1E3779B97F4A7C15
LOW_FACTOR: Final = 0x42B2AE3D27D4EB4F
FOLD: Final = 32


class Input(IntEnum):
    """What is read of an item, with up to two arguments."""

    FIELD = 0
    """A whole number: its column."""
    REAL = 1
    """A floating-point number: its column."""
    FEATURE = 2
    SCORE = 3
    HOUR = 4
    """Of the item's time: minutes that clocks are ahead of UTC."""
    WEEKDAY = 5
    ABSENT = 6
    """Whether a number is: its column."""
    ABSENT_ID = 7
    REAL_MISSING = 8
    """Whether a floating-point number is there and no number."""
    IN_LIST = 9
    """Column of the id, list."""
    SAME_ID = 10
    """Two columns of ids."""
    IS_ID = 11
    """Column of the id, row of ``Rules.ids``."""


# Columns of ``Rules.inputs``.
INPUT_KIND: Final = 0
INPUT_A: Final = 1
INPUT_B: Final = 2
INPUT_COLUMNS: Final = 3

# Columns of ``Rules.code``: the operation, and the slots it reads; one of one operand reads it twice.
CODE_OP: Final = 0
CODE_LEFT: Final = 1
CODE_RIGHT: Final = 2
CODE_COLUMNS: Final = 3

# Columns of ``Rules.rules``.
RULE_SLOT: Final = 0
RULE_OUTCOME: Final = 1
RULE_IF_UNKNOWN: Final = 2
RULE_ENABLED: Final = 3
RULE_COLUMNS: Final = 4

# Columns of ``Rules.lists`` and ``Rules.entries``: an open-addressing table, at most half full.
LIST_FIRST: Final = 0
LIST_MASK: Final = 1
LIST_COLUMNS: Final = 2
ENTRY_HIGH: Final = 0
ENTRY_LOW: Final = 1
ENTRY_UNTIL: Final = 2
ENTRY_COLUMNS: Final = 3


class Rules(NamedTuple):
    """A compiled set of rules."""

    inputs: Table
    """(inputs, 3): the kind of ``Input`` and its arguments."""
    constants: Reals
    code: Table
    """(operations, 3)."""
    rules: Table
    """(rules, 4): the slot of its condition, its outcome, that of unknown, whether it is armed."""
    ids: Table
    """(n, 2): ids that conditions name, high and low words."""
    lists: Table
    """(lists, 2): where its table begins in ``entries``, its length less one."""
    entries: Table
    """(n, 3): high and low words, both 0 for none, and the time from which the id is no member any more."""


class Items(NamedTuple):
    """Items to judge, in columns."""

    at: Words
    """(n,) nanoseconds since the Unix epoch."""
    ids: Words
    """(n, columns, 2): high and low words, both 0 for an absent one; columns as in ``EventKind.ids``."""
    numbers: Words
    """(n, columns), as in ``EventKind.numbers``; floating-point numbers by their bits."""
    absent: Words
    """(n,): one bit for each column of ``numbers``."""
    features: Reals
    """(n, features); NaN for a missing one."""
    scores: Reals
    """(n, scores); NaN for a missing one."""


open_rules: Final = opener(Rules)
