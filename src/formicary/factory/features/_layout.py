"""What the kernels work on: the packed rows of keys, the plan that definitions compile to, events in columns.

All keys of all tables lie in one array of 64-bit words, each in a row of whole cache lines whose length its
table's plan says::

    | id high | id low | table | latest at | rings | remembered | slots |

``_rings`` says what a ring is; its entries lie apart, in a chunk that grows with them. Reading changes
nothing.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.records import Table, opener

__all__ = ["Events", "Plan", "State", "View", "open_plan", "open_state", "open_view"]

Words = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

EMPTY: Final = -(2**63)
"""The time, or tile, of what has not happened: before all others."""
LARGEST: Final = 2**63 - 1

# The header of a row.
HEADER_WORDS: Final = 4
ROW_TABLE: Final = 2
ROW_LATEST: Final = 3

# Numbers of the state, in ``State.numbers``.
USED: Final = 0
ROWS: Final = 1
NOW: Final = 2
SWEEP_AT: Final = 3
SWEPT_UNTIL: Final = 4
TOO_LATE: Final = 5
LOST: Final = 6
HOLDER_WORDS: Final = 7
NUMBERS: Final = 8

LINE_WORDS: Final = 8
"""Words of a cache line."""

# Tables of every plan: what parties consented to, one bit a purpose; whose accounts are.
CONSENT_TABLE: Final = 0
HOLDER_TABLE: Final = 1
FIRST_TABLE: Final = 2
HEADER_CONSENT: Final = HEADER_WORDS
HEADER_HOLDER: Final = HEADER_WORDS

# What a look-up of a key answers besides the place of its row.
NO_ROW: Final = -1
NO_ID: Final = -2
NOT_KNOWN: Final = -3

# Columns of ``Plan.rings``. Places are words from the beginning of the row.
RING_OFFSET: Final = 0
RING_TILE: Final = 1
"""Which of ``Plan.tiles`` its tiles are."""
RING_ROOM: Final = 2
RING_SUMS: Final = 3
RING_WIDE_SUMS: Final = 4
"""Sums of two words each, the low one first."""
RING_EXTREMES: Final = 5
RING_FIRST_WINDOW: Final = 6
RING_END_WINDOW: Final = 7
RING_STRIDE: Final = 8
RING_COLUMNS: Final = 9

# Words of a ring from its offset, and of each of its windows: see ``_rings``.
RING_SPAN: Final = 0
RING_PLACE: Final = 1
RING_HEAD: Final = 2
RING_LOST: Final = 3
RING_NOW: Final = 4
WINDOW_FIRST: Final = 0
WINDOW_ENDS: Final = 1
WINDOW_EXTREMES: Final = 2

# Columns of ``Plan.windows``: how many tiles before the asking time a window begins and ends.
WINDOW_BEGIN: Final = 0
WINDOW_END: Final = 1
WINDOW_COLUMNS: Final = 2

# Columns of ``Plan.updates``, and their kinds.
UPDATE_KIND: Final = 0
UPDATE_AT: Final = 1
UPDATE_COLUMN: Final = 2
UPDATE_CONDITION: Final = 3
UPDATE_MASK: Final = 4
UPDATE_END: Final = 5
UPDATE_OF: Final = 6
"""The kind of event that does it."""
UPDATE_TOUCH: Final = 7
"""Which of the kind's touches has the row."""
UPDATE_COLUMNS: Final = 8
CONSENT_UPDATE: Final = 0
"""The first update of every plan: what a party consents to; by the first kind of event."""
FIRST_UPDATE: Final = 1
CONSENT_EVENT: Final = 0
RING: Final = 0
LAST: Final = 1
FIRST: Final = 2
SLOTS_OF_ID: Final = 3
SLOTS_OF_NUMBER: Final = 4
CONSENT: Final = 5

# Columns of ``Plan.parts``: what one event adds to a ring.
PART_OF: Final = 0
PART_PLACE: Final = 1
PART_COLUMN: Final = 2
PART_CONDITION: Final = 3
PART_COLUMNS: Final = 4
ONE: Final = 0
VALUE: Final = 1
SQUARE_LOW: Final = 2
SQUARE_HIGH: Final = 3
MINIMUM: Final = 4
MAXIMUM: Final = 5

VALUE_MAX: Final = 2**53
"""The largest magnitude of a value that is summed, 90 trillion of a currency with two decimals."""

# The last column of ``View.lookups``.
LOOKUP_TOUCH: Final = 5

# Columns of ``View.features``.
FEATURE_READS: Final = 0
FEATURE_LOOKUP: Final = 1
FEATURE_WINDOW: Final = 2
FEATURE_A: Final = 3
FEATURE_B: Final = 4
FEATURE_C: Final = 5
FEATURE_SPAN: Final = 6
FEATURE_COLUMNS: Final = 7

# What ``FEATURE_READS`` may be.
READS_NOTHING: Final = 0
READS_SUM: Final = 1
READS_MEAN: Final = 2
READS_STD: Final = 3
READS_MINIMUM: Final = 4
READS_MAXIMUM: Final = 5
READS_DISTINCT: Final = 6
READS_VALUE: Final = 7
READS_REAL: Final = 8
READS_AGE: Final = 9


NO_CONSENT_NEEDED: Final = -1
"""In place of a purpose's bit: what is read does not depend on consent."""


class State(NamedTuple):
    """All that is known of all keys."""

    slots: npt.NDArray[np.uint64]
    """An open-addressing index: bits of the hash above the row's place plus one."""
    words: Words
    """Rows, end to end."""
    entries: Words
    """Chunks of whole cache lines, each with the entries of a ring."""
    free: Words
    """The first free chunk of each length in lines, 0 for none; each names the next in its first word.

    In place of a length of 0: where chunks that never were in use begin.
    """
    numbers: Words


class Plan(NamedTuple):
    """What happens to which rows when an event of a kind comes; compiled from all features together."""

    templates: Words
    """New rows, end to end."""
    template_bounds: Words
    row_words: Words
    """For each table, the words of a row."""
    chunk_words: Words
    """For each ring, the words of its largest chunk."""
    table_rings: Words
    """Where the rings of each table begin in ``rings``."""
    horizons: Words
    """For each table, nanoseconds after its latest event when a row tells nothing any more; -1 for never."""
    hot_words: Words
    """For each table, the words at the beginning of a row that nearly every event looks at."""
    kind_touches: Words
    touches: Table
    """(n, 5): the table, and the columns of the ids that make its key, -1 for none."""
    updates: Table
    """Each changes one part of a row: a ring, or what is remembered."""
    parts: Table
    tiles: Words
    """The lengths of tiles, nanoseconds, each once."""
    rings: Table
    windows: Table
    kind_conditions: Words
    condition_bounds: Words
    code: Table
    """(n, 2) operations and their arguments, of all conditions."""
    constants: Reals


class View(NamedTuple):
    """What is read when an event of one kind asks."""

    kind: int
    lookups: Table
    """(n, 6): the table, the columns of the asking event's ids, the touch of the same key, -1 for none."""
    windows: Table
    """(n, 3): look-up, window of the plan, where its totals go; in the order of their rings' updates."""
    update_windows: Words
    """Where the windows of each update's ring begin in ``windows``."""
    features: Table
    remembered: Words
    """The features that are told from what is remembered, in the order of its updates."""
    update_remembered: Words
    """Where those of each update begin in ``remembered``."""
    programs: Table
    """(n, 3): the feature, and its operations in ``code``; in an order in which they can be computed."""
    code: Table
    constants: Reals
    subjects: Words
    """For each feature, which of the asking event's id columns are parties that it tells about, as bits."""
    totals: int
    """How many words the totals of all windows take."""


class Events(NamedTuple):
    """Events in columns, in the order in which they became known."""

    kinds: Words
    at: Words
    ids: Words
    """(n, columns, 2): high and low words; both zero for none."""
    numbers: Words
    """(n, columns); floating-point numbers by their bits."""


open_state: Final = opener(State)
open_plan: Final = opener(Plan)
open_view: Final = opener(View)
