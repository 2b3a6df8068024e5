"""Who is in which experiment, and in which arm: a fold over nothing, it follows from a party's id alone.

A *layer* is a way of cutting all parties into ``LOTS`` lots. Experiments of one layer have lots of their own,
so a party is in at most one of them. Two layers cut independently: being in an experiment of one says nothing
about being in an experiment of the other. The *holdout* of a layer is a share of parties that see none of its
experiments; layers that name the same holdout leave out the same parties.

Three draws, by three salts: whether a party is held out, its lot in the layer, and its arm. So neither the
lots an experiment runs on nor those it shared with an earlier one say anything about arms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.lots import LOTS, lots, salt_of

__all__ = ["NOWHERE", "Slice", "arm_ends", "arms_drawn", "arms_of", "assigned", "salts_of"]

Parties: TypeAlias = npt.NDArray[np.uint64]
"""Ids of parties as two words, high and low, (n, 2)."""
Places: TypeAlias = npt.NDArray[np.int64]

NOWHERE = -1
"""In place of an arm or an experiment, where a party is in none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Where in a layer an experiment is, and how it divides its parties.

    Attributes
    ----------
    experiment, layer, holdout
        Names that lots are drawn for.
    held_out
        Lots of the holdout, from 0 on.
    first, count
        The experiment's lots in the layer.
    weights
        Of the arms, whole numbers from 1.
    """

    experiment: str
    layer: str
    first: int
    count: int
    weights: tuple[int, ...]
    holdout: str = "house"
    held_out: int = 0


def salts_of(one: Slice) -> tuple[int, int, int]:
    """Return the salts of the holdout's draw, the layer's and the arms'."""
    # No name has a space in it, so none of the three is another one.
    return salt_of(f"holdout {one.holdout}"), salt_of(f"layer {one.layer}"), salt_of(f"arms {one.experiment}")


def arm_ends(weights: npt.ArrayLike) -> Places:
    """Return the first lot after each arm (arms,), the last of them ``LOTS``.

    Examples
    --------
    >>> arm_ends([1, 1]).tolist()
    [500000, 1000000]
    """
    ends = np.cumsum(np.asarray(weights, np.int64))
    return np.asarray(ends * LOTS // ends[-1])


def arms_of(parties: Parties, one: Slice) -> Places:
    """Return the arm (n,) of parties (n, 2) in one experiment, from 0; ``NOWHERE`` for who is not in it.

    Examples
    --------
    >>> ids = np.array([[0, 1], [0, 2], [0, 3]], np.uint64)
    >>> whole = Slice(experiment="colour", layer="screens", first=0, count=LOTS, weights=(1, 1))
    >>> bool((arms_of(ids, whole) >= 0).all())
    True
    """
    return arms_drawn(
        parties,
        salts_of(one),
        held_out=one.held_out,
        first=one.first,
        count=one.count,
        ends=arm_ends(one.weights),
    )


def arms_drawn(
    parties: Parties, salts: tuple[int, int, int], *, held_out: int, first: int, count: int, ends: Places
) -> Places:
    """Return the arm (n,) of parties (n, 2), by what ``salts_of`` and ``arm_ends`` return."""
    of_holdout, of_layer, of_arms = salts
    drawn = lots(parties, of_layer)
    is_in = (drawn >= first) & (drawn < first + count) & (lots(parties, of_holdout) >= held_out)
    arms = np.searchsorted(ends, lots(parties, of_arms), side="right")
    return np.where(is_in, arms, NOWHERE)


def assigned(parties: Parties, slices: Sequence[Slice]) -> tuple[Places, Places]:
    """Return which experiment of a layer parties (n, 2) are in, (n,), and in which arm of it, (n,).

    Both are ``NOWHERE`` for who is in none. Experiments on the same lots do not run together; of two such the
    first counts here.
    """
    experiments = np.full(len(parties), NOWHERE, np.int64)
    arms = np.full(len(parties), NOWHERE, np.int64)
    for place, one in reversed(list(enumerate(slices))):
        found = arms_of(parties, one)
        is_in = found != NOWHERE
        experiments[is_in] = place
        arms[is_in] = found[is_in]
    return experiments, arms
