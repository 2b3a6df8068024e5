"""Every limit of the project, with its unit and its reason.

A loop, queue, file or message without a limit is an accident that waits for its first large
input. The unit stands in the name; the reason stands below the number, so that whoever
changes it knows what it held up.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "AMOUNT_CHARACTERS_MAX",
    "BLOCK_ROWS",
    "CONNECTIONS_MAX",
    "DEADLINE_SECONDS",
    "ENTRY_INDEX_STRIDE",
    "FOLLOWER_POSITIONS_MAX",
    "FOLLOWER_RETRY_SECONDS_MAX",
    "FRAME_BYTES_MAX",
    "GENERATION_ROWS",
    "GROUP_ITEMS_MAX",
    "GROUP_REQUESTS_MAX",
    "HISTORY_ENTRIES_MAX",
    "KERNEL_CACHES_KEPT_MAX",
    "MEMORY_WALK_ENTRIES_MAX",
    "QUERY_LIMIT_MAX",
    "QUEUE_REQUESTS_MAX",
    "RECEIPTS_IN_MEMORY_MAX",
    "REQUEST_ITEMS_MAX",
    "SEARCH_POSITIONS",
    "SEGMENT_POSITIONS",
    "SMALL_APPEND_ROWS_MAX",
    "SNAPSHOT_RECORDS_PER_ROW_MAX",
    "SNAPSHOT_ROWS",
    "SNAPSHOT_SECONDS",
    "TIMERS_PER_STEP_MAX",
    "VERIFY_STATEMENT_SECONDS",
]

REQUEST_ITEMS_MAX: Final = 8_189
"""Items in one request: the size the field's public model allows, so that its clients fit unchanged."""

GROUP_ITEMS_MAX: Final = 8_192
"""Items decided in one group: past it a commit gains little and everyone behind waits longer.

Never below ``REQUEST_ITEMS_MAX``, since a request is not torn apart by a group.
"""

GROUP_REQUESTS_MAX: Final = 1_024
"""Requests in one group: bounds the work per request (parsing, answering) between two commits."""

QUEUE_REQUESTS_MAX: Final = 4_096
"""Requests waiting for the engine: a longer queue only turns overload into time-outs, so it refuses."""

GENERATION_ROWS: Final = 1 << 20
"""Transfers kept in memory in one generation: the recent table is freed a generation at a time."""

SEGMENT_POSITIONS: Final = 1 << 20
"""Positions in one partition of the journal: small enough to index, archive or drop in seconds."""

TIMERS_PER_STEP_MAX: Final = 4_096
"""Timers run in one step: an hour in which many fall due must not delay a commit; the rest come next."""

FRAME_BYTES_MAX: Final = 2 << 20
"""Bytes of one frame on the engine's socket: a full request of 8,189 transfers of 120 bytes fits twice.

An answer of as many results of 80 bytes is smaller.
"""

BLOCK_ROWS: Final = 16_384
"""Rows in one block that the server packs for a reader.

Without a btree it also goes through up to two ranges of pages that are not the block's: halves cost a sixth
more. Larger blocks read no faster and hold more memory.
"""

SMALL_APPEND_ROWS_MAX: Final = 64
"""Rows up to which an append is one insert statement, in a single round trip.

Measured: it takes three quarters of COPY's time for 1 to 16 rows and as much at about 100, where COPY's
cheaper rows have made up for its second round trip.
"""

ENTRY_INDEX_STRIDE: Final = 64
"""Entries of an account per entry of the sparse index: a look-up walks at most this many back-pointers."""

QUERY_LIMIT_MAX: Final = 8_189
"""Rows one query answers: the size of a request, so that an answer fits one frame."""

DEADLINE_SECONDS: Final = 10
"""Seconds a caller waits for an answer before it is told "not now": longer than any take-over may last."""

KERNEL_CACHES_KEPT_MAX: Final = 4
"""Folders of compiled kernels kept in the cache: the present version and a few to go back to."""

AMOUNT_CHARACTERS_MAX: Final = 40
"""Characters of an amount as text: twice what 64 bits need; reading far longer numbers is slow."""

RECEIPTS_IN_MEMORY_MAX: Final = 1 << 16
"""Answers to commands kept in memory: retries come within minutes; older ones are read from the journal."""

CONNECTIONS_MAX: Final = 512
"""Callers connected to the engine's socket: API workers and tools, not end users; each holds buffers."""

FOLLOWER_POSITIONS_MAX: Final = 1 << 18
"""Positions the follower reads before it looks up: bounds its memory, and how late a snapshot may be."""

FOLLOWER_RETRY_SECONDS_MAX: Final = 2
"""Seconds between two attempts to reach a database that is gone: it is back seconds after a restart."""

HISTORY_ENTRIES_MAX: Final = 1 << 17
"""Entries one question about an account may pass: at worst seconds of reading; more is refused."""

MEMORY_WALK_ENTRIES_MAX: Final = 1 << 10
"""Entries walked in one look at the engine's memory: about 0.2 ms in which it decides nothing."""

SEARCH_POSITIONS: Final = 1 << 17
"""Positions one statement of a search looks through: far below the deadline even on a slow disk."""

SNAPSHOT_ROWS: Final = 1 << 18
"""Rows between two snapshots: about half a second to fold.

A recovery folds at most these, what came while the snapshot was written, and what the follower lags behind.
A snapshot adds to files of rows what came since the last one; it does not write again what is there.
"""

SNAPSHOT_RECORDS_PER_ROW_MAX: Final = 4
"""Accounts and holds in a snapshot for each row since the last: with many of them snapshots are rarer.

They are written whole, so this bounds what snapshots write to about three times the rows' own bytes.
"""

SNAPSHOT_SECONDS: Final = 300
"""Seconds between two snapshots of a journal that grows slowly: it never waits for its rows to fill up."""

VERIFY_STATEMENT_SECONDS: Final = 3_600
"""Seconds one statement of a verification may take: it sums up the whole journal, beside no one's request."""
