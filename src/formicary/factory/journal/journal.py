"""The journal as the engine sees it: one writer and what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.base.errors import OperationalFault
from formicary.base.limits import DEADLINE_SECONDS
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.batch import Batch
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.events import Event
from formicary.factory.journal.migrations import check_migrations
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.semantics import Era, require_known
from formicary.factory.journal.takeover import Lease
from formicary.factory.journal.upcasters import Upcasters
from formicary.factory.journal.writer import Writer

__all__ = ["Journal"]


class Journal:
    """One totally ordered log: every position from 1 to the head holds exactly one row.

    Appending (``take_over``, ``append``) and reading use connections of their own: a commit thread may append
    while another thread reads.

    Parameters
    ----------
    access
        A database that was migrated.
    semantics
        The version of the kernels' semantics in this code.
    upcasters
        The event kinds this release knows; without them events come as they are stored.
    allow_full_page_writes_off
        Accept a server without full page writes, with a warning in the log.
    deadline_seconds
        How long one call may wait for the server.

    Raises
    ------
    JournalTooNew
        A newer release changed the schema or activated newer semantics.
    MigrationChanged, JournalUnavailable
        See ``check_migrations``.
    """

    def __init__(
        self,
        access: Access,
        *,
        semantics: int,
        upcasters: Upcasters | None = None,
        allow_full_page_writes_off: bool = False,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        check_migrations(access, role=Role.WRITER)
        self._semantics = semantics
        self._writer = Writer(
            access, allow_full_page_writes_off=allow_full_page_writes_off, deadline_seconds=deadline_seconds
        )
        self._reader = JournalReader(
            access, role=Role.WRITER, upcasters=upcasters, deadline_seconds=deadline_seconds
        )
        try:
            require_known(self._reader.eras(), semantics=semantics)
        except OperationalFault:
            self.close()
            raise

    def take_over(self) -> Lease:
        """Depose every other writer and return the epoch and the last position written.

        Raises
        ------
        JournalNotDurable
            The server's settings could lose acknowledged rows.
        JournalTooNew
            Newer semantics were activated since.
        JournalCorrupted, JournalUnavailable
            See ``takeover.depose`` and ``takeover.require_tail``.
        """
        # Both sides begin anew: what broke one connection has most likely broken the other.
        self._reader.close()
        lease = self._writer.take_over()
        # Only now can no newer release activate anything any more.
        require_known(self._reader.eras(), semantics=self._semantics)
        return lease

    def append(self, batch: Batch) -> None:
        """Write one batch in one transaction; on return it is durable; see ``Writer.append``."""
        self._writer.append(batch)

    def begin(self, batch: Batch) -> Callable[[], None]:
        """Start an append; the function returned finishes it; see ``Writer.begin``."""
        return self._writer.begin(batch)

    def confirm(self) -> None:
        """Return if this journal's writer was not deposed; see ``Writer.confirm``."""
        self._writer.confirm()

    def head(self) -> int:
        """Return the last committed position; 0 in an empty journal."""
        return self._reader.head()

    def read(self, *, after: int, until: int) -> Iterator[Block]:
        """Yield the rows after ``after`` up to ``until`` in blocks; see ``JournalReader.read``."""
        return self._reader.read(after=after, until=until)

    def transfers_at(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Return the transfers at ``positions`` (n,), in that order. See ``JournalReader.transfers_at``."""
        return self._reader.transfers_at(positions)

    def walk(self, *, account_id: int, from_position: int, limit: int) -> npt.NDArray[Any]:
        """Return an account's entries, from ``from_position`` back; see ``JournalReader.walk``."""
        return self._reader.walk(account_id=account_id, from_position=from_position, limit=limit)

    def commits(self, *, after: int) -> Iterator[npt.NDArray[Any]]:
        """Yield ``COMMIT_ROW`` arrays of the commits after ``after``; see ``JournalReader.commits``."""
        return self._reader.commits(after=after)

    def caused_by(self, command_ids: Sequence[int], *, kind: str) -> dict[int, Event]:
        """Return the event of a kind that each command caused. See ``JournalReader.caused_by``."""
        return self._reader.caused_by(command_ids, kind=kind)

    def eras(self) -> tuple[Era, ...]:
        """Return the eras of the kernels' semantics in the order of their positions."""
        return self._reader.eras()

    def close(self) -> None:
        """Close all connections; the lease is given up."""
        self._writer.close()
        self._reader.close()
