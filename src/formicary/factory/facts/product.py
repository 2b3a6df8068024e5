"""The manifest of facts: whatever a source tells is journaled as it was told; nothing is decided about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.limits import FACTS_BYTES_MAX
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    Product,
    TimerFired,
)
from formicary.factory.facts.columns import well_formed
from formicary.factory.facts.messages import FactInTheFuture, FactsRecorded, MalformedFact, RecordFacts
from formicary.factory.journal.fact_columns import bits_of_reals

__all__ = ["FACTS", "FACTS_PRODUCT"]

Rows = npt.NDArray[Any]

FACTS: Final = np.dtype([*AGGREGATE_HEADER, ("facts", "<u8"), ("latest", "<i8")])
"""A source: how many facts it told, and the latest time of any, in nanoseconds. Its events are counted in
the header; the facts themselves are in the journal, for whoever folds them."""


def decide(command: Command | TimerFired, _: Rows | None, context: Context) -> Decision:
    """Take facts down, unless they are malformed or dated ahead."""
    facts = well_formed(cast("RecordFacts", command))
    _require_past(facts.at, context.now)
    event = FactsRecorded(
        kind=facts.kind,
        at=facts.at,
        ids=facts.ids,
        numbers=facts.numbers,
        real_bits={field: bits_of_reals(column) for field, column in facts.reals.items()},
    )
    size = len(msgspec.json.encode(event))
    if size > FACTS_BYTES_MAX:
        message = f"the facts take {size:,} bytes, over {FACTS_BYTES_MAX:,}: send fewer rows at a time"
        raise MalformedFact(message)
    return Decision(events=[event])


def _require_past(times: Sequence[int], now: int) -> None:
    for row, at in enumerate(times):
        if at > now:
            message = f"at[{row}] is {at}, and it is {now} now"
            raise FactInTheFuture(message)


def evolve(_: str, sources: Rows, events: Sequence[Any]) -> None:
    """Count the facts of sources (n,) that told events (n,) of ``FactsRecorded``."""
    sources["facts"] += np.array([len(event.at) for event in events], np.uint64)
    sources["latest"] = np.maximum(sources["latest"], [max(event.at) for event in events])


FACTS_PRODUCT: Final = Product(
    name="facts",
    aggregate=FACTS,
    commands=(RecordFacts,),
    events=(FactsRecorded,),
    decide=decide,
    evolve=evolve,
)
