"""The daily job on this machine: reads beside a running engine, and tells it what was found.

What computes with frames is imported when it is asked for: the engine's process comes from the same command
line and must not carry it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing

from formicary.base.errors import Refusal
from formicary.factory.engine.client import EngineRefused
from formicary.factory.engine.state import known_events
from formicary.factory.facts import FACTS_PRODUCT
from formicary.factory.facts.party_graph import PRINCIPAL, SOURCE, DaySummary, day_commands
from formicary.factory.features.slow.spans import day_start
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.reader import JournalReader
from formicary.runtime.api_process import clock_of
from formicary.runtime.backfill import open_journal
from formicary.runtime.ledgers import InProcessLedger, RunningLedger, open_ledger
from formicary.runtime.products import products_of
from formicary.runtime.settings import Settings

__all__ = ["DayNotOver", "run_daily"]

Progress = Callable[[int, int], None]


class DayNotOver(Refusal):
    """The slow features of a day are found when it is over, as the machine's clock has it in UTC."""

    code = "day_not_over"


def run_daily(settings: Settings, day: int, labels: str | None, progress: Progress) -> DaySummary:
    """Find the slow features of a day and record them.

    Parameters
    ----------
    day
        Counted from 1970-01-01.
    labels
        The kind of facts that are labels; None for none.
    progress
        Called with how many positions were read and facts told, and how many there are as far as is known.

    Raises
    ------
    DayNotOver
        It is not over.
    KeyReused, EngineRefused
        The day was told before, and otherwise.
    """
    from formicary.factory.features.slow.job import daily  # noqa: PLC0415, see above
    from formicary.factory.features.slow.journaled import known_day  # noqa: PLC0415

    until = day_start(day + 1)
    if clock_of(settings).now() < until:
        raise DayNotOver
    with (
        open_ledger(settings) as ledger,
        open_journal(settings, known_events(products_of(settings))) as journal,
    ):
        # The engine answers after all that it stamped before, timers included, so the day's rows are there.
        before = _told(ledger)
        head = journal.head()
        with closing(_blocks(journal, head, progress)) as blocks:
            known = known_day(blocks, until=until, labels=labels)
        found = daily(known.transfers, known.devices, known.labels, until)
        commands = list(day_commands(found, known.parties, day))
        facts = sum(len(command.at) for _, command in commands)
        done = head
        for key, command in commands:
            receipt = ledger.command(FACTS_PRODUCT.name, command, principal=PRINCIPAL, key=key)
            if receipt.code:
                message = f"the facts of {key} were refused"
                raise EngineRefused(receipt.code, message)
            done += len(command.at)
            progress(done, head + facts)
        recorded = _told(ledger) - before
    return DaySummary(
        day=day,
        position=known.position,
        transfers=len(known.transfers),
        devices=len(known.devices),
        labels=len(known.labels),
        parties=len(found),
        features=found.width - 1,
        recorded=recorded,
        there=facts - recorded,
    )


def _told(ledger: InProcessLedger | RunningLedger) -> int:
    (source,) = ledger.aggregates(FACTS_PRODUCT.name, [SOURCE])
    return 0 if source is None else int(source["facts"])


def _blocks(journal: JournalReader, head: int, progress: Progress) -> Generator[Block]:
    for block in journal.read(after=0, until=head):
        yield block
        progress(block.until, head)
