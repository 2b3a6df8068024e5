"""The decisions about applications of this installation, taken again beside whoever writes the journal."""

from __future__ import annotations

from collections.abc import Callable

from formicary.factory.engine.state import known_events
from formicary.products.lending.applications.recomputed import Recomputed, recompute
from formicary.runtime.backfill import open_journal
from formicary.runtime.products import products_of
from formicary.runtime.settings import Settings

__all__ = ["verify_applications"]


def verify_applications(settings: Settings, progress: Callable[[int, int], None]) -> Recomputed:
    """Take every recorded decision again; see ``recompute``."""
    with open_journal(settings, known_events(products_of(settings))) as journal:
        return recompute(journal, progress)
