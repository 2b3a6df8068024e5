"""A journal on a server that may forget is no journal."""

from __future__ import annotations

import logging
from typing import Final

from formicary.factory.journal.errors import JournalNotDurable
from formicary.factory.journal.session import Session

__all__ = ["require_durable"]

_LOG: Final = logging.getLogger(__name__)
_SETTINGS: Final = ("fsync", "synchronous_commit", "full_page_writes")
_QUERY: Final = "SELECT " + ", ".join(f"current_setting('{name}')" for name in _SETTINGS)


def require_durable(session: Session, *, allow_full_page_writes_off: bool) -> None:
    """Raise ``JournalNotDurable`` when a commit on this session could be lost in a crash.

    ``fsync`` and ``synchronous_commit`` are never allowed to be off. ``full_page_writes`` may be off where
    the storage writes whole pages (some hosted services): only if the caller says so, and it is logged.
    """
    result = session.query(_QUERY)[-1]
    off = [name for place, name in enumerate(_SETTINGS) if result.get_value(0, place) == b"off"]
    if off == ["full_page_writes"] and allow_full_page_writes_off:
        _LOG.warning(
            "full_page_writes is off and was allowed: on storage that can tear a page, a crash of the "
            "machine can destroy journal rows"
        )
        return
    if off:
        session.close()
        message = f"the server has {', '.join(off)} off: acknowledged rows could be lost"
        raise JournalNotDurable(message)
