"""Outcomes as the journal's facts tell them, for labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.journal.events import Event
from formicary.factory.journal.fact_columns import FactColumns, facts_of
from formicary.factory.models.labels import NEGATIVE, POSITIVE, Outcomes
from formicary.factory.models.questions import Label, Signs

__all__ = ["Told", "outcomes_of"]


class _Kind(msgspec.Struct):
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
    """What facts told.

    Attributes
    ----------
    outcomes
        Those that are a sign of an outcome, in the order in which they were told.
    passed_over
        How many facts of the kind were a sign of neither, or named no event.
    now
        When the latest event was journaled, in nanoseconds; 0 where there is none.
    """

    outcomes: Outcomes
    passed_over: int
    now: int


def outcomes_of(events: Iterable[Event], label: Label) -> Told:
    """Return what events ``facts.FactsRecorded`` tell of outcomes, those of other kinds of facts passed over.

    A fact that lacks the id or the numbers is passed over and counted: the journal cannot be mended, and one
    wrong source must not keep everybody from learning.
    """
    ids, at = [np.zeros((0, 2), np.uint64)], [np.zeros(0, np.int64)]
    positions, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int8)]
    passed_over = now = 0
    for event in events:
        now = max(now, event.timestamp)
        if msgspec.json.decode(event.body, type=_Kind).kind != label.fact:
            continue
        facts = facts_of(event.body)
        if label.event not in facts.ids:
            passed_over += len(facts.at)
            continue
        is_positive, is_negative = (_has(facts, signs) for signs in (label.positive, label.negative))
        is_told = (is_positive | is_negative) & facts.ids[label.event].any(axis=1)
        passed_over += int((~is_told).sum())
        ids.append(facts.ids[label.event][is_told])
        at.append(facts.at[is_told])
        positions.append(np.full(len(at[-1]), event.position))
        values.append(np.where(is_positive, POSITIVE, NEGATIVE)[is_told].astype(np.int8))
    outcomes = Outcomes(
        ids=np.concatenate(ids),
        at=np.concatenate(at),
        positions=np.concatenate(positions),
        values=np.concatenate(values),
    )
    return Told(outcomes=outcomes, passed_over=passed_over, now=now)


def _has(facts: FactColumns, signs: Signs) -> npt.NDArray[np.bool_]:
    """Return which facts (n,) have one of the signs."""
    found = np.zeros(len(facts.at), np.bool_)
    for name, value in signs:
        if name in facts.numbers:
            found |= facts.numbers[name] == value
    return found
