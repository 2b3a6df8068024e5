"""Does a pipeline tell the past only? Checked by changing the future.

A row of training data may depend on what was known before its event asked, and on what the asking event
itself brings with it. So for some events everything else is changed: later events, events of the same moment
that became known later, and labels that were not known yet, the event's own included. Whatever a row then
tells differently, it told too early. The check knows nothing of how a pipeline works: anything that makes
rows of events can be checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.factory.features._layout import Events, Reals
from formicary.factory.features.compiler import Compiled
from formicary.factory.features.errors import FeatureRefused

__all__ = ["FeatureLeaks", "Pipeline", "require_no_leak"]

Pipeline = Callable[[Events], Reals]
"""Events (n) in the order in which they became known; a row of features for each asking one, in order."""

_CHANGE: Final = 7


class FeatureLeaks(FeatureRefused):
    """A feature tells what was not known yet."""

    code = "feature_leaks"


def require_no_leak(
    pipeline: Pipeline, compiled: Compiled, view: str, events: Events, *, at: Sequence[int]
) -> None:
    """Refuse a pipeline that tells what was not known yet.

    Parameters
    ----------
    pipeline
        It is run once on the events, and once for each place.
    compiled, view
        What the events' columns are, and which features the rows are of.
    events
        (n), of which some ask.
    at
        Places in ``events`` of asking events to check, some of them at the same time as their neighbours.

    Raises
    ------
    FeatureLeaks
        Names the feature and the place.
    """
    one = compiled.views[view]
    asking = np.flatnonzero(events.kinds == one.view.kind)
    rows = {int(place): row for row, place in enumerate(asking)}
    told = pipeline(events)
    if told.shape != (len(asking), len(one.names)):
        message = f"{len(asking)} events asked for {len(one.names)} features, the answer is {told.shape}"
        raise FeatureLeaks(message)
    known = [_labels(compiled, number) for number in range(len(compiled.kinds))]
    for place in at:
        again = pipeline(_with_another_future(events, place, known))[rows[place]]
        before = told[rows[place]]
        # Two missing values may differ in bits that mean nothing.
        differs = np.flatnonzero((before != again) & ~(np.isnan(before) & np.isnan(again)))
        if len(differs):
            number = int(differs[0])
            message = (
                f"at place {place} it tells {float(before[number])!r}, but {float(again[number])!r} "
                "where what was not known yet is changed"
            )
            raise one.set.features[number].error(FeatureLeaks, message)


def _labels(compiled: Compiled, number: int) -> list[tuple[int, int]]:
    """Return which number columns of a kind are labels, and after how long each is known."""
    kind = compiled.kinds[number]
    delays = ((column, kind.field(name).known_after) for column, name in enumerate(kind.numbers))
    return [(column, delay) for column, delay in delays if delay]


def _with_another_future(events: Events, place: int, known: Sequence[list[tuple[int, int]]]) -> Events:
    """Return the events with all changed that the one at ``place`` cannot know."""
    numbers, ids = events.numbers.copy(), events.ids.copy()
    later = np.arange(len(events.kinds)) > place
    # Another amount, and keys in another order: what comes later happens to others.
    numbers[later] += _CHANGE
    ids[later] = ids[later][::-1]
    for number, labels in enumerate(known):
        for column, delay in labels:
            unknown = _unknown(events, place, number, delay)
            numbers[unknown, column] = 1 - numbers[unknown, column]
    return Events(events.kinds, events.at, ids, numbers)


def _unknown(events: Events, place: int, kind: int, delay: int) -> npt.NDArray[np.bool_]:
    known_before = np.arange(len(events.kinds)) <= place
    not_yet = events.at > events.at[place] - delay
    return np.asarray(known_before & not_yet & (events.kinds == kind))
