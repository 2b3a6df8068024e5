"""Limits of early warning as it runs, with unit and reason."""

from __future__ import annotations

from typing import Final

WATCH_WEEKS_KEPT: Final = 26
"""Weeks whose counts are kept of a borrower: 12 of its past and a quarter of a year that is watched."""

WATCH_PARTIES_MAX: Final = 2_000
"""Borrowers whose week one command notes: some 40 bytes of an event each, so that it stays below 96 KiB."""

WATCH_LOANS_MAX: Final = 800
"""Loans that one command looks at for lines to cut: some 90 bytes of events each where all are cut."""
