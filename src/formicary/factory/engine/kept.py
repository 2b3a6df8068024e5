"""What a decision leaves in the journal: its events in their order, before they have positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from formicary.base.errors import Refusal
from formicary.base.limits import SWEEP_BYTES_MAX
from formicary.factory.engine.columnar import ColumnarAggregates, ids_of
from formicary.factory.engine.products import Decision, Product
from formicary.factory.engine.state import TIMER_SET, FactoryState, PendingTimer
from formicary.factory.engine.sweeps import created_ids, is_applicable

__all__ = ["Kept", "SweepOutOfRange", "SweepTooLarge", "kept_of", "require_sweeps"]


class SweepOutOfRange(Refusal):
    """A sweep is of aggregates that are not there, creates some that are, or lacks values for some."""

    code = "sweep_out_of_range"


class SweepTooLarge(Refusal):
    """The sweeps of one command take more bytes than may stand before an answer; make several of it."""

    code = "sweep_too_large"


class Kept(NamedTuple):
    """What an event will be, before it has a position."""

    kind: str
    version: int
    subject: int
    body: Any


def kept_of(
    products: Mapping[str, Product], product: Product, subject: int, decision: Decision
) -> list[Kept]:
    """Return the events of a decision about an aggregate: its own, its consequences, its timers."""
    version = product.event_version
    events = [Kept(product.event_kind(type(event)), version, subject, event) for event in decision.events]
    for consequence in decision.consequences:
        other, event = products[consequence.product], consequence.event
        kind = other.event_kind(type(event))
        events.append(Kept(kind, other.event_version, consequence.subject, event))
    named = f"{subject:032x}"
    timers = [
        Kept(TIMER_SET, 1, subject, PendingTimer(product.name, named, timer.name, timer.due))
        for timer in decision.timers
    ]
    return [*events, *timers]


def require_sweeps(state: FactoryState, events: Sequence[Kept]) -> None:
    """Refuse events of a decision, about to happen in their order, among which a sweep cannot be applied.

    Raises
    ------
    SweepOutOfRange
        It is of aggregates that will not be there, creates some that will, or has a column of another length.
    SweepTooLarge
        Together they take more than ``SWEEP_BYTES_MAX`` bytes of JSON.
    """
    sweeps = [event.body for event in events if event.kind in state.sweeps]
    if not sweeps:
        return
    if sum(len(msgspec.json.encode(sweep)) for sweep in sweeps) > SWEEP_BYTES_MAX:
        raise SweepTooLarge
    to_come = {name: _ToCome(kept) for name, kept in state.columns.items()}
    for event in events:
        product = event.kind.partition(".")[0]
        if event.kind in state.sweeps:
            to_come[product].sweep(event.body)
        elif product in to_come:
            to_come[product].change(event.subject)


class _ToCome:
    """The aggregates of a product as they will be when some events of a decision have happened."""

    def __init__(self, kept: ColumnarAggregates) -> None:
        self._kept = kept
        self._created = ids_of([])

    def change(self, subject: int) -> None:
        created = np.concatenate([self._created, ids_of([subject])])
        if self._kept.are_new(created):
            self._created = created

    def sweep(self, sweep: Any) -> None:
        created = np.concatenate([self._created, created_ids(sweep)])
        count = len(self._kept) + len(self._created)
        if not is_applicable(sweep, count=count) or not self._kept.are_new(created):
            raise SweepOutOfRange
        self._created = created
