"""Deciding about scores: made with consent only, anew every month by the business date, and when asked.

The month's refresh is a timer of each party, and no batch: timers run in the journal's own order, one by one
between requests, so a stop in the middle loses and repeats nothing, and no list of parties is kept anywhere.
They fall due on the first day of the month, spread over its seconds by the party's id, so that no moment has
all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.purposes import Purpose
from formicary.factory.engine.products import Command, Context, Decision, Timer, TimerFired
from formicary.factory.engine.requests import require_well_formed
from formicary.factory.identity.consent import CONSENT_PRODUCT
from formicary.factory.identity.party import PARTY_PRODUCT, PartyStatus, require_active_party
from formicary.products.credit import refusals, schemas
from formicary.products.credit.schemas import Cause
from formicary.products.credit.scoring import Assessment, assess
from formicary.products.credit.terms import SCALES_MAX, TERMS, Terms, terms_of

__all__ = ["MONTHLY", "agrees", "business_day", "decide", "evolve", "kept_assessment", "refreshed"]

Rows = npt.NDArray[Any]

MONTHLY: Final = "monthly"

_SECOND: Final = 1_000_000_000
_DAY_SECONDS: Final = 86_400
_EPOCH: Final = date(1970, 1, 1)
_A_MONTH_AT_LEAST: Final = timedelta(days=32)


def decide(asked: Command | TimerFired, record: Rows | None, context: Context) -> Decision:
    """Decide a command or a timer of a party's score; the receipt's answer tells the score."""
    require_well_formed(asked)
    if isinstance(asked, TimerFired):
        return _fired(asked, record, context)
    require_active_party(context, asked.subject)
    if isinstance(asked, schemas.SwitchRelations):
        return _switch(asked, record, context)
    if agrees(context, asked.subject, Purpose.CREDIT):
        return _refresh(asked.subject, record, context, cause=Cause.ASKED)
    if _is_scored(record):
        return Decision(events=[schemas.ScoreWithdrawn()], answer={"score": None, "band": None})
    raise refusals.ScoreNeedsConsent


def _fired(timer: TimerFired, record: Rows | None, context: Context) -> Decision:
    if record is None or not _is_scored(record) or timer.due != record["due"]:
        raise refusals.ScoreTimerStale
    party = context.aggregate(PARTY_PRODUCT.name, timer.subject)
    is_active = party is not None and party["status"] == PartyStatus.ACTIVE
    if is_active and agrees(context, timer.subject, Purpose.CREDIT):
        return _refresh(timer.subject, record, context, cause=Cause.MONTHLY)
    return Decision(events=[schemas.ScoreWithdrawn()])


def _switch(asked: schemas.SwitchRelations, record: Rows | None, context: Context) -> Decision:
    if _relations(record) == asked.on:
        raise refusals.SwitchAlreadySo
    switched = schemas.RelationsSwitched(on=asked.on)
    if not _is_scored(record):
        return Decision(events=[switched], answer={"score": None, "band": None})
    if not agrees(context, asked.subject, Purpose.CREDIT):
        return Decision(events=[switched, schemas.ScoreWithdrawn()], answer={"score": None, "band": None})
    # At once: whom a party knows must not count for a month longer than it wants.
    made = _refresh(asked.subject, record, context, cause=Cause.SWITCHED, relations=asked.on)
    return Decision(events=[switched, *made.events], timers=made.timers, answer=made.answer)


def _refresh(
    party: int, record: Rows | None, context: Context, *, cause: Cause, relations: bool | None = None
) -> Decision:
    counted = _relations(record) if relations is None else relations
    event = refreshed(party, context, cause=cause, relations=counted)
    is_set = record is not None and _is_scored(record) and record["due"] == event.due
    return Decision(
        events=[event],
        timers=[] if is_set else [Timer(name=MONTHLY, due=event.due)],
        answer={"score": event.score, "band": event.band},
    )


def refreshed(party: int, context: Context, *, cause: Cause, relations: bool) -> schemas.ScoreRefreshed:
    """Return the event of a score that is made now, for a party that agreed to it."""
    values, position = _told(TERMS, party, context)
    readings = [scale.reading(values[scale.feature_set, scale.feature]) for scale in TERMS.scales]
    made = assess(TERMS, readings, relations=relations)
    day = business_day(context.now)
    return schemas.ScoreRefreshed(
        cause=cause,
        score=made.score,
        band=made.band,
        terms=TERMS.version,
        weights=[weight if most else 0 for weight, most in zip(TERMS.weights, made.most, strict=True)],
        bands=list(TERMS.bands),
        most=list(made.most),
        points=list(made.points),
        readings=[
            schemas.Reading(feature=scale.feature, reading=reading, marks=scale.marks(reading))
            for scale, reading in zip(TERMS.scales, made.readings, strict=True)
        ],
        position=position,
        business_day=day,
        at=context.now,
        due=_next_due(day, party),
    )


def _told(terms: Terms, party: int, context: Context) -> tuple[Mapping[tuple[str, str], float | None], int]:
    """Return what the scales' features are now, by set and name, and the position they were read at."""
    values: dict[tuple[str, str], float | None] = {}
    position = 0
    for name in sorted({scale.feature_set for scale in terms.scales}):
        told = context.features(name, purpose=Purpose.CREDIT, asking={"party": party})
        position = told.position
        values |= {
            (name, scale.feature): told.values[scale.feature]
            for scale in terms.scales
            if scale.feature_set == name
        }
    return values, position


def business_day(now: int) -> int:
    """Return the business date of a time in nanoseconds: the day in UTC, counted from 1970-01-01."""
    return now // (_DAY_SECONDS * _SECOND)


def _next_due(day: int, party: int) -> int:
    """Return when the score of a business date is made next: on the first of the month after."""
    month = (_EPOCH + timedelta(days=day)).replace(day=1)
    first = (month + _A_MONTH_AT_LEAST).replace(day=1)
    return ((first - _EPOCH).days * _DAY_SECONDS + party % _DAY_SECONDS) * _SECOND


def agrees(context: Context, party: int, purpose: Purpose) -> bool:
    """Tell whether a party agrees to a purpose now."""
    consent = context.aggregate(CONSENT_PRODUCT.name, party)
    return consent is not None and bool(int(consent["granted"]) >> purpose & 1)


def _is_scored(record: Rows | None) -> bool:
    return record is not None and bool(record["score"])


def _relations(record: Rows | None) -> bool:
    return record is not None and bool(record["relations"])


def kept_assessment(fields: Mapping[str, Any]) -> Assessment:
    """Return how a score came about, of an aggregate's fields: by the terms that made it."""
    terms = terms_of(int(fields["terms"]))
    known = zip(fields["readings"], fields["known"], strict=True)
    readings = [int(reading) if is_known else None for reading, is_known in known]
    return assess(terms, readings[: len(terms.scales)], relations=bool(fields["relations"]))


# -- evolving ------------------------------------------------------------------------------


def evolve(kind: str, scores: Rows, events: Sequence[Any]) -> None:
    """Change scores (n,) as events (n,) of one kind say."""
    _EVOLVE[kind](scores, events)


def _refreshed(scores: Rows, events: Sequence[schemas.ScoreRefreshed]) -> None:
    for name in ("score", "band", "terms", "cause", "business_day", "due", "most", "points"):
        scores[name] = [getattr(event, name) for event in events]
    scores["refreshed_at"] = [event.at for event in events]
    scores["refreshes"] += 1
    scores["readings"] = scores["known"] = 0
    for score, event in zip(scores, events, strict=True):
        for place, one in enumerate(event.readings[:SCALES_MAX]):
            score["readings"][place] = one.reading or 0
            score["known"][place] = one.reading is not None


def _withdrawn(scores: Rows, _: Sequence[schemas.ScoreWithdrawn]) -> None:
    # What was read goes with it: nothing of it is needed for anything that the party still agrees to.
    for name in ("score", "band", "terms", "cause", "due", "most", "points", "readings", "known"):
        scores[name] = 0


def _switched(scores: Rows, events: Sequence[schemas.RelationsSwitched]) -> None:
    scores["relations"] = np.array([event.on for event in events], np.uint32)


_EVOLVE: Final[dict[str, Callable[[Rows, Sequence[Any]], None]]] = {
    "ScoreRefreshed": _refreshed,
    "ScoreWithdrawn": _withdrawn,
    "RelationsSwitched": _switched,
}
