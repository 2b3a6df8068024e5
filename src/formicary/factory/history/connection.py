"""A connection that is made when it is first needed, and again after it failed."""

from __future__ import annotations

from formicary.base.limits import DEADLINE_SECONDS
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.session import Session

__all__ = ["Connection"]


class Connection:
    """A session that is opened again when an error closed it. For one thread at a time.

    Parameters
    ----------
    access, role
        The database, and as whom it is entered.
    purpose
        Shown in ``pg_stat_activity``.
    settings
        SQL run on every new session.
    deadline_seconds
        How long one call may wait for the server.
    """

    def __init__(
        self,
        access: Access,
        *,
        role: Role,
        purpose: str,
        settings: str = "",
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._conninfo = access.conninfo_for(role)
        self._purpose = purpose
        self._settings = settings
        self._deadline_seconds = deadline_seconds
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The open session."""
        if self._session is None or self._session.closed:
            self._session = Session(
                self._conninfo, purpose=self._purpose, deadline_seconds=self._deadline_seconds
            )
            if self._settings:
                self._session.query(self._settings)
        return self._session

    def close(self) -> None:
        """Close the session; a later use opens a new one."""
        if self._session is not None:
            self._session.close()
