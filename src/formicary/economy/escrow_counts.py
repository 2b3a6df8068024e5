"""What happened to escrows, counted from the journal: states entered, timers that did something or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from formicary.factory.engine.state import TIMER_FIRED, TIMER_SET, PendingTimer, TimerFiring
from formicary.factory.journal.events import Event
from formicary.products.payments.escrow import Refund, Timing, Trade

__all__ = ["EscrowCounts", "count_escrows"]


@dataclass(slots=True)
class EscrowCounts:
    """How often each state was entered, and how often each timer fired with and without effect."""

    trades: Counter[Trade] = field(default_factory=Counter)
    refunds: Counter[Refund] = field(default_factory=Counter)
    timers: Counter[Timing] = field(default_factory=Counter)
    stale: Counter[Timing] = field(default_factory=Counter)


def count_escrows(events: Iterable[Event], *, product: str = "escrow") -> EscrowCounts:
    """Count the events of a journal, in order; those of other products are passed over."""
    counts = EscrowCounts()
    where: dict[int, tuple[Any, Any]] = {}
    names: dict[int, str] = {}
    for event in events:
        if event.kind.startswith(f"{product}."):
            body = msgspec.json.decode(event.body)
            trade, refund = Trade(body["trade"]), Refund(body["refund"])
            before = where.get(event.subject, (None, None))
            counts.trades[trade] += trade != before[0]
            counts.refunds[refund] += refund != before[1]
            where[event.subject] = (trade, refund)
        elif event.kind == TIMER_SET:
            timer = msgspec.json.decode(event.body, type=PendingTimer)
            if timer.product == product:
                names[event.position] = timer.name
        elif event.kind == TIMER_FIRED:
            fired = msgspec.json.decode(event.body, type=TimerFiring)
            if fired.set_at in names:
                timing = Timing[names.pop(fired.set_at).upper()]
                (counts.stale if fired.code else counts.timers)[timing] += 1
    return counts
