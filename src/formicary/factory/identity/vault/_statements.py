"""Statements of the vault: a few, each of them harmless to repeat, from any thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from formicary.factory.history.connection import Connection
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalUnavailable

__all__ = ["Statements"]


class Statements:
    """Runs statements one at a time as the vault's role.

    Parameters
    ----------
    access
        The database.
    purpose
        Shown in ``pg_stat_activity``.
    """

    def __init__(self, access: Access, *, purpose: str) -> None:
        self._connection = Connection(access, role=Role.VAULT, purpose=purpose)
        self._lock = threading.Lock()

    def run(self, statement: str, parameters: Sequence[bytes | None]) -> list[bytes | None] | None:
        """Return the columns of the first row, or None; values are binary.

        Raises
        ------
        JournalUnavailable
            The database did not do it, not even when asked again.
        """
        with self._lock:
            try:
                return self._once(statement, parameters)
            except JournalUnavailable:
                # The server may have been started again since the last call, minutes ago.
                return self._once(statement, parameters)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _once(self, statement: str, parameters: Sequence[bytes | None]) -> list[bytes | None] | None:
        result = self._connection.session.execute(statement, parameters)
        if not result.ntuples:
            return None
        return [result.get_value(0, column) for column in range(result.nfields)]
