"""What the kernel of decisions is given: every decision point that is armed, laid out in tables.

Kernels of features, forests and rules take notes of addresses; a table holds one note a row, so that a
decision point is a row number, and arming one compiles nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.records import Table, opener
from formicary.factory.journal.rows import DECISION_ROW, REASONS, SCORES, VALUES

__all__ = ["ROW_WORDS", "Judge", "open_judge"]

Words = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

ROW_WORDS: Final = DECISION_ROW.itemsize >> 3


def _word(name: str) -> int:
    fields: Any = DECISION_ROW.fields
    return int(fields[name][1]) >> 3


# Where the fields of a row of a decision lie, in words; the small ones share words.
AT_POSITION: Final = _word("position")
AT_TIMESTAMP: Final = _word("timestamp")
AT_POINT: Final = _word("point")
AT_MODEL: Final = _word("model_0")
AT_RULES_TRUE: Final = _word("rules_true")
AT_RULES_UNKNOWN: Final = _word("rules_unknown")
AT_PROPENSITY: Final = _word("propensity")
AT_SCORE: Final = _word("score_0")
AT_POLICY: Final = _word("policy")
AT_OUTCOME: Final = _word("outcome")
AT_FEATURES: Final = _word("features")
AT_LAST_REASON: Final = _word("reason_3")
AT_VALUE: Final = _word("value_00")

# What ``path`` tells, as bits.
TRUSTED: Final = 1
"""What the policy trusts: no score was asked for."""
NOT_TOLD: Final = 2
"""The outcome is that of an armed rule that could not be told."""
NO_SCORE: Final = 4
"""A score that decides was not there, or no number."""
CAPPED: Final = 8
"""A cap was reached: the outcome is what the cap says then."""
EXPLORED: Final = 16
"""Scores alone were against it, and the lot let it pass: the outcome is what exploration says then."""

# What a reason is: a rule, a feature that raised the score, or a cap; the number from 1 is added.
REASON_FEATURE: Final = 0x4000
REASON_CAP: Final = 0x8000

# Columns of ``Judge.points``.
POINT_ID: Final = 0
POINT_POLICY: Final = 1
POINT_KIND: Final = 2
POINT_PURPOSE: Final = 3
POINT_FEATURES: Final = 4
POINT_HOLD: Final = 5
POINT_SAFE: Final = 6
POINT_TRUSTS: Final = 7
POINT_RULES: Final = 8
POINT_SCORES: Final = 9
POINT_FIRST_CAP: Final = 10
POINT_END_CAP: Final = 11
POINT_FIRST_RULE: Final = 12
POINT_PARTY: Final = 13
"""The column of the id by which parties are drawn."""
POINT_EXPLORES: Final = 14
"""The row of ``Judge.caps`` that counts what is explored, from 1; 0 where nothing is."""
POINT_EXPLORED_OF: Final = 15
"""A bit for each outcome that may give way."""
POINT_EXPLORED_SHARE: Final = 16
POINT_EXPLORED_AMOUNT: Final = 17
POINT_EXPLORED_SALT: Final = 18
POINT_COLUMNS: Final = 19

# Columns of ``Judge.slots``: ``SCORES`` rows a point, whether there is a model or not, then the challengers.
SLOT_IS_THERE: Final = 0
SLOT_ONLY_LOOKS: Final = 1
SLOT_WIDTH: Final = 2
SLOT_FIRST_COLUMN: Final = 3
SLOT_ISOTONIC: Final = 4
SLOT_FIRST_KNOT: Final = 5
SLOT_KNOTS: Final = 6
SLOT_MODEL: Final = 7
SLOT_CHALLENGER: Final = 8
"""The row of the model that is tried out in its place, 0 where none is."""
SLOT_TRIED_SHARE: Final = 9
SLOT_TRIED_SALT: Final = 10
SLOT_COLUMNS: Final = 11

# Columns of ``Judge.caps`` and of what is counted of each: all caps, then what each point explores.
CAP_OUTCOME: Final = 0
CAP_RULE: Final = 1
CAP_PERIOD: Final = 2
CAP_COUNT: Final = 3
CAP_AMOUNT: Final = 4
CAP_THEN: Final = 5
CAP_COLUMNS: Final = 6
COUNTED_PERIOD: Final = 0
COUNTED: Final = 1
COUNTED_AMOUNT: Final = 2
COUNTED_TRIPPED: Final = 3
COUNTED_IS_NEW: Final = 4
"""Whether it tripped at the last event."""
COUNTED_COLUMNS: Final = 5

ANY: Final = -1
"""In place of an outcome or a rule that a cap counts."""

# Places in ``Judge.numbers``.
IS_PENDING: Final = 0
"""Whether a decision was taken whose row has no position yet."""
FOLLOWED: Final = 1
"""How many rows of decisions were counted by the caps."""
TRIPPED: Final = 2
"""How many caps tripped at the last event."""
NUMBERS: Final = 3


class Judge(NamedTuple):
    """All decision points that are armed, and room to decide in."""

    numbers: Words
    codes: Table
    """(n, 2): a code of transfers, and the point that decides about them."""
    points: Table
    effects: Table
    """(points, outcomes): what comes of an outcome, an ``Effect``."""
    follow_note: Words
    read_notes: Table
    rule_notes: Table
    trusted_rule_notes: Table
    """The same rules, of which those that read a score are disarmed."""
    trust_notes: Table
    """One rule that says what is trusted."""
    rule_slots: Words
    """The score that each rule reads, -1 for none; the rules of all points, end to end."""
    slots: Table
    slot_lines: Annotated[Reals, 2]
    """(slots, 2): slope and intercept."""
    forest_notes: Table
    columns: Words
    """The feature that each column of a model is, end to end."""
    knots: Reals
    chances: Reals
    caps: Table
    counted: Table
    feed_codes: Table
    feed_ids: Table
    feed_numbers: Table
    event_kinds: Words
    event_at: Words
    event_ids: Annotated[Words, 3]
    event_numbers: Table
    told: Annotated[Reals, 2]
    withheld: Words
    model_row: Annotated[Reals, 2]
    raw: Reals
    asked: Words
    """(``SCORES``,): the row of ``slots`` whose model gave the score."""
    attributions: Annotated[Reals, 2]
    """(``SCORES``, columns)."""
    scores: Annotated[Reals, 2]
    absent: Words
    rule_room: Reals
    verdicts: Annotated[npt.NDArray[np.int8], 2]
    values: Annotated[Reals, 2]
    outcomes: Words
    row: Words
    """The row of the decision that was taken last, (``ROW_WORDS``,)."""
    row_reals: Reals
    """The same memory."""
    rows: Table
    """(room, ``ROW_WORDS``): rows of decisions of the group in progress."""


open_judge: Final = opener(Judge)

assert REASONS == SCORES == 4 and VALUES <= ROW_WORDS  # noqa: S101, PT018, PLR2004, the layout above relies on it
