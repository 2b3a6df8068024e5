"""How events came out, as far as it was known at a cut-off: a label for each, or why there is none.

An outcome counts if it happened within the horizon after the event asked and was told up to the cut-off. Of
several the one that was told last counts: a verdict may be reversed, and the reversal is an outcome like any
other. What has none is negative once the horizon has passed, and immature before: nobody can know yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.limits import LABEL_PAIRS_AT_ONCE

__all__ = ["IMMATURE", "NEGATIVE", "POSITIVE", "UNNAMED", "Asked", "Cutoff", "Outcomes", "labels_of"]

Words: TypeAlias = npt.NDArray[np.int64]
Ids: TypeAlias = npt.NDArray[np.uint64]

NEGATIVE = 0
"""It came out well, or its horizon passed without an outcome."""
POSITIVE = 1
"""What is predicted happened."""
IMMATURE = -1
"""Its horizon has not passed, so that its outcome may still come."""
UNNAMED = -2
"""It has no id by which facts could name it, so that nobody can ever know."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """Events that asked, n of them.

    Attributes
    ----------
    ids
        What outcomes name, as two words, (n, 2); zero for nothing.
    at
        When each asked, in nanoseconds, (n,).
    positions
        Where each stands in the journal, (n,).
    """

    ids: Ids
    at: Words
    positions: Words


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """Outcomes as they were told, o of them.

    Attributes
    ----------
    ids
        What each names, (o, 2).
    at
        When each happened, in nanoseconds, (o,).
    positions
        Where each was told, (o,); those of one position in the order in which they stand there.
    values
        ``POSITIVE`` or ``NEGATIVE``, (o,).
    """

    ids: Ids
    at: Words
    positions: Words
    values: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """Up to where outcomes are known: the last position, and the time by then, in nanoseconds."""

    position: int
    now: int


def labels_of(
    asked: Asked,
    outcomes: Outcomes,
    cutoff: Cutoff,
    *,
    horizon_ns: int,
    is_early: bool = False,
    is_shared: bool = False,
) -> npt.NDArray[np.int8]:
    """Return the label of each event, or why it has none, (n,).

    Parameters
    ----------
    asked, outcomes
        In any order. An outcome that names no event of these is passed over.
    cutoff
        What was told behind it is not known.
    horizon_ns
        An outcome counts up to so many nanoseconds after its event asked.
    is_early
        Whether an outcome counts before the horizon has passed.
    is_shared
        Whether several events may have one id. Then only what happened after an event, and was told behind
        it, is an outcome of it. Of an event's own id there is no such bound: clocks of sources differ, and
        a transfer that was made is told of nobody before.
    """
    known = np.flatnonzero(outcomes.positions <= cutoff.position)
    codes = _numbered(np.concatenate([asked.ids, outcomes.ids[known]]))
    codes, told = codes[: len(asked.at)], codes[len(asked.at) :]
    # Sorting is stable: what stands later in an event of the journal was told later.
    order = np.lexsort((outcomes.positions[known], told))
    known, told = known[order], told[order]
    latest = np.full(len(asked.at), -1)
    for rows, places in _pairs(np.searchsorted(told, codes), np.searchsorted(told, codes, "right")):
        ones = known[places]
        counts = outcomes.at[ones] <= asked.at[rows] + horizon_ns
        if is_shared:
            counts &= outcomes.at[ones] >= asked.at[rows]
            counts &= outcomes.positions[ones] > asked.positions[rows]
        np.maximum.at(latest, rows[counts], places[counts])
    is_told = latest >= 0
    labels = np.full(len(asked.at), NEGATIVE, np.int8)
    labels[is_told] = outcomes.values[known[latest[is_told]]]
    is_young = asked.at + horizon_ns >= cutoff.now
    labels[is_young & ~is_told if is_early else is_young] = IMMATURE
    labels[~asked.ids.any(axis=1)] = UNNAMED
    return labels


def _pairs(starts: Words, ends: Words) -> Iterator[tuple[Words, Words]]:
    """Yield rows (p,), and with each a place from its start up to before its end, (p,), some at a time."""
    counts = ends - starts
    before = np.concatenate([[0], np.cumsum(counts)])
    first = 0
    while first < len(counts):
        # One row at least, however many outcomes it has.
        until = max(int(np.searchsorted(before, before[first] + LABEL_PAIRS_AT_ONCE, "right")) - 1, first + 1)
        rows = np.repeat(np.arange(first, until), counts[first:until])
        within = np.arange(len(rows)) - (before[rows] - before[first])
        yield rows, starts[rows] + within
        first = until


def _numbered(ids: Ids) -> Words:
    """Return ids (n, 2) as numbers (n,): equal ids, equal numbers."""
    order = np.lexsort((ids[:, 1], ids[:, 0]))
    in_order = ids[order]
    is_new = np.zeros(len(ids), np.bool_)
    is_new[1:] = (in_order[1:] != in_order[:-1]).any(axis=1)
    numbers = np.empty(len(ids), np.int64)
    numbers[order] = np.cumsum(is_new)
    return numbers
