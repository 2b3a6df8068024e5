"""Outcomes from facts of the journal: what was told of a party in the days after it met an experiment.

A column is the sum of a fact's field from the first exposure on, for ``outcome_days``. ``before_`` and the
field's name is the sum of as many days until then, which makes a covariate. A proportion's column is 1 where
the sum is not 0. Of whom nothing was told, all of it is 0: no outcome is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.factory.experiments.definitions import Definition, Kind, OutcomeFacts
from formicary.factory.experiments.errors import OutcomesUnusable
from formicary.factory.experiments.outcomes import Outcomes
from formicary.factory.experiments.reading import Exposures
from formicary.factory.features.sources import RowSource
from formicary.factory.journal.events import Event
from formicary.factory.journal.fact_columns import FactColumns, facts_of

__all__ = ["BEFORE", "fact_outcomes"]

BEFORE: Final = "before_"
"""Begins the name of a column of what was so before the experiment."""

_FACTS: Final = "facts.FactsRecorded"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Told:
    """Facts (m,) of parties that met the experiment: whose, by its place, and when after it, nanoseconds."""

    places: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64]
    kept: npt.NDArray[np.bool_]
    facts: list[FactColumns]


def fact_outcomes(
    source: RowSource,
    definition: Definition,
    exposures: Exposures,
    wanted: OutcomeFacts,
    *,
    after: int = 0,
    until: int,
) -> Outcomes:
    """Return the outcomes of everybody who met an experiment.

    Parameters
    ----------
    source
        The journal.
    definition
        Of the experiment, whose outcomes take a day at least.
    exposures
        The first one of each party.
    wanted
        The facts.
    after
        The journal's position at which the experiment was started. A fact is not told before it happens, so
        that what was told before is read only where a column is of what was so before.
    until
        Nothing counts that was told later, in nanoseconds since 1970.

    Raises
    ------
    OutcomesUnusable
        No day has to pass for an outcome, or no fact of the kind has a field that is measured.
    """
    if not definition.outcome_days:
        message = "where outcomes are facts, outcome_days is 1 at least"
        raise OutcomesUnusable(message)
    names = {name: False for metric in definition.metrics for name in metric.columns}
    names |= {metric.column: True for metric in definition.metrics if metric.kind is Kind.PROPORTION}
    if any(name.startswith(BEFORE) for name in names):
        after = 0
    events = source.events_of([_FACTS], after=after, until=source.head())
    told = _told((event for event in events if event.timestamp <= until), exposures, wanted)
    columns = {}
    for name, is_proportion in names.items():
        total = _total(told, name, definition.outcome_ns, len(exposures.at))
        columns[name] = (total != 0).astype(np.float64) if is_proportion else total
    return Outcomes(parties=exposures.parties, columns=columns)


def _told(events: Iterable[Event], exposures: Exposures, wanted: OutcomeFacts) -> _Told:
    found = (facts_of(event.body) for event in events)
    facts = [one for one in found if one.kind == wanted.facts and wanted.party in one.ids]
    nobody, never = np.empty((0, 2), np.uint64), np.empty(0, np.int64)
    everybody = Outcomes(parties=exposures.parties, columns={})
    places = everybody.places_of(np.concatenate([nobody, *(one.ids[wanted.party] for one in facts)]))
    kept = places >= 0
    at = np.concatenate([never, *(one.at for one in facts)])[kept]
    return _Told(places=places[kept], after=at - exposures.at[places[kept]], kept=kept, facts=facts)


def _total(told: _Told, name: str, span: int, parties: int) -> npt.NDArray[np.float64]:
    """Return the sum of a field within a span of time after the exposures, or before them, (n,)."""
    field = name.removeprefix(BEFORE)
    if not any(field in one.numbers or field in one.reals for one in told.facts):
        message = f"no fact has a field {field}"
        raise OutcomesUnusable(message)
    values = joined([_values(one, field) for one in told.facts], np.dtype(np.float64))[told.kept]
    first, end = (-span, 0) if name.startswith(BEFORE) else (0, span)
    counts = (told.after >= first) & (told.after < end)
    total = np.bincount(told.places[counts], weights=values[counts], minlength=parties)
    return np.asarray(total, np.float64)


def _values(facts: FactColumns, field: str) -> npt.NDArray[np.float64]:
    """Return a field of facts (m,); what was not told adds nothing."""
    given = facts.numbers.get(field, facts.reals.get(field, np.zeros(len(facts.at))))
    return np.nan_to_num(given.astype(np.float64), nan=0.0)
