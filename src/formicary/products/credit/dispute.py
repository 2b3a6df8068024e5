"""Disputes: a party says that its score rests on something wrong; the house corrects it, or says why not.

Who upholds a dispute corrects the facts in the same decision, and the score is made anew at once: a timer
that is due now runs before anything else, when the facts are known to the features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy.typing as npt

from formicary.base.purposes import Purpose
from formicary.factory.engine.products import (
    Command,
    Consequence,
    Context,
    Decision,
    DomainEvent,
    Timer,
    TimerFired,
)
from formicary.factory.engine.requests import require_well_formed
from formicary.factory.facts import FACTS_PRODUCT, FactInTheFuture, FactsRecorded
from formicary.factory.identity.party import require_active_party
from formicary.products.credit import refusals, schemas
from formicary.products.credit.decider import agrees, refreshed
from formicary.products.credit.schemas import NAME, Cause, CorrectedFact, DisputeStatus

__all__ = ["RECOMPUTE", "SOURCE", "decide", "evolve"]

Rows = npt.NDArray[Any]

RECOMPUTE: Final = "recompute"
SOURCE: Final = int.from_bytes(b"score correction", "big")
"""The source that tells corrected facts."""

_WORD: Final = 2**64 - 1
# What counts, and what came of it, by the kind of the fact.
_NUMBERS: Final = {
    CorrectedFact.OBLIGATION: ("obligation", "due", "late"),
    CorrectedFact.IDENTITY_CHECK: ("identity_check", "checks", "passed"),
}


def decide(asked: Command | TimerFired, record: Rows | None, context: Context) -> Decision:
    """Decide a command or the timer of a party's dispute."""
    require_well_formed(asked)
    if isinstance(asked, TimerFired):
        return _recompute(asked, record, context)
    if isinstance(asked, schemas.OpenDispute):
        return _open(asked, record, context)
    if record is None or record["status"] != DisputeStatus.OPEN:
        raise refusals.DisputeNotOpen
    if isinstance(asked, schemas.UpholdDispute):
        return _uphold(asked, context)
    assert isinstance(asked, schemas.RejectDispute)  # noqa: S101, the last one
    return Decision(events=[schemas.DisputeRejected(by=asked.by)])


def _open(asked: schemas.OpenDispute, record: Rows | None, context: Context) -> Decision:
    require_active_party(context, asked.subject)
    if record is not None and record["status"] == DisputeStatus.OPEN:
        raise refusals.DisputeExists
    kept = context.aggregate(NAME, asked.subject)
    if kept is None or not kept["score"]:
        raise refusals.ScoreNotThere
    return Decision(events=[schemas.DisputeOpened(dimension=asked.dimension)])


def _uphold(asked: schemas.UpholdDispute, context: Context) -> Decision:
    if any(one.at > context.now for one in asked.corrections):
        raise FactInTheFuture
    upheld = schemas.DisputeUpheld(by=asked.by, corrections=asked.corrections, due=context.now)
    facts = [_facts(asked.subject, one) for one in asked.corrections]
    return Decision(
        events=[upheld],
        consequences=[Consequence(product=FACTS_PRODUCT.name, subject=SOURCE, event=one) for one in facts],
        timers=[Timer(name=RECOMPUTE, due=context.now)],
    )


def _facts(party: int, correction: schemas.Correction) -> DomainEvent:
    """Return what was told with its numbers negative, and what is right, if anything is, at the same time."""
    kind, count, outcome = _NUMBERS[correction.fact]
    told = list(_signed(correction))
    return FactsRecorded(
        kind=kind,
        at=[correction.at] * len(told),
        ids={"party": [f"{party:032x}"] * len(told)},
        numbers={count: [one for one, _ in told], outcome: [one for _, one in told]},
        real_bits={},
    )


def _signed(correction: schemas.Correction) -> Iterator[tuple[int, int]]:
    yield -1, -correction.was
    if correction.is_now is not None:
        yield 1, correction.is_now


def _recompute(timer: TimerFired, record: Rows | None, context: Context) -> Decision:
    kept = context.aggregate(NAME, timer.subject)
    if record is None or record["due"] != timer.due or kept is None or not kept["score"]:
        raise refusals.ScoreTimerStale
    if not agrees(context, timer.subject, Purpose.CREDIT):
        event: DomainEvent = schemas.ScoreWithdrawn()
    else:
        made = refreshed(timer.subject, context, cause=Cause.CORRECTED, relations=bool(kept["relations"]))
        # The month's timer is the score's own, and stays as it is.
        event = msgspec.structs.replace(made, due=int(kept["due"]))
    return Decision(consequences=[Consequence(product=NAME, subject=timer.subject, event=event)])


def evolve(kind: str, disputes: Rows, events: Sequence[Any]) -> None:
    """Change disputes (n,) as events (n,) of one kind say."""
    _EVOLVE[kind](disputes, events)


def _opened(disputes: Rows, events: Sequence[schemas.DisputeOpened]) -> None:
    disputes["status"] = DisputeStatus.OPEN
    disputes["dimension"] = [event.dimension for event in events]
    disputes["opened"] += 1
    for name in ("corrections", "due", "by_high", "by_low"):
        disputes[name] = 0


def _upheld(disputes: Rows, events: Sequence[schemas.DisputeUpheld]) -> None:
    disputes["status"] = DisputeStatus.UPHELD
    disputes["corrections"] = [len(event.corrections) for event in events]
    disputes["due"] = [event.due for event in events]
    _put_by(disputes, events)


def _rejected(disputes: Rows, events: Sequence[schemas.DisputeRejected]) -> None:
    disputes["status"] = DisputeStatus.REJECTED
    _put_by(disputes, events)


def _put_by(disputes: Rows, events: Sequence[Any]) -> None:
    ids = [int(event.by, 16) for event in events]
    disputes["by_high"] = [one >> 64 for one in ids]
    disputes["by_low"] = [one & _WORD for one in ids]


_EVOLVE: Final[dict[str, Callable[[Rows, Sequence[Any]], None]]] = {
    "DisputeOpened": _opened,
    "DisputeUpheld": _upheld,
    "DisputeRejected": _rejected,
}
