"""Decisions of this installation: looked up, explained and taken again, beside whoever writes the journal."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

from formicary.factory.engine.state import known_events
from formicary.factory.follower import StateSnapshots
from formicary.factory.follower.replayed_decisions import ReplayedDecisions, replay_decisions
from formicary.factory.history.decision_search import DecisionSearch
from formicary.factory.registry.decided import Decisions, LedgerLook
from formicary.runtime.backfill import open_journal
from formicary.runtime.database import open_database
from formicary.runtime.ledgers import open_ledger
from formicary.runtime.products import model_specs, products_of
from formicary.runtime.settings import Settings

__all__ = ["open_decisions", "replay"]


@contextmanager
def open_decisions(settings: Settings) -> Iterator[Decisions]:
    """Yield the journal's decisions; the ledger is reached when an id is asked for."""
    products = products_of(settings)
    with ExitStack() as stack:
        access = stack.enter_context(open_database(settings))
        reader = stack.enter_context(open_journal(settings, known_events(products)))
        search = stack.enter_context(closing(DecisionSearch(access)))

        @functools.cache
        def ledger() -> LedgerLook:
            return stack.enter_context(open_ledger(settings))

        yield Decisions(reader, search, products, ledger, model_specs(products))


def replay(
    settings: Settings,
    *,
    first: int,
    last: int | None,
    cuts: int | None,
    progress: Callable[[int, int], None],
) -> ReplayedDecisions:
    """Take decisions again, and compare every word of them; see ``replay_decisions``."""
    products = products_of(settings)
    with open_journal(settings, known_events(products)) as reader:
        return replay_decisions(
            reader,
            products,
            snapshots=StateSnapshots(settings.snapshots_folder),
            first=first,
            last=last,
            cuts=cuts,
            progress=progress,
        )
