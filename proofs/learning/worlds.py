"""Small worlds of rows, drawn from a seed: what honest ones look like, and what bad ones have in common.

A world is told in eras: from a day on, bad rows of another kind come on top. Every era's kind is told by a
column that told nothing before it, as new kinds do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from formicary.factory.learning.plan import DAY
from formicary.factory.learning.rows import UNKNOWN, Rows
from formicary.factory.models.spec import Column, ModelSpec

__all__ = [
    "COLUMNS",
    "EXCESS",
    "HASTE",
    "HOUR",
    "REGION",
    "REMARK",
    "STRANGER",
    "World",
    "drawn_world",
    "merged",
    "spec_of",
]

Reals: TypeAlias = npt.NDArray[np.float64]

HOUR: Final = DAY // 24
COLUMNS: Final = ("excess", "haste", "distance", "region", "stranger", "remark")
EXCESS, HASTE, _, REGION, STRANGER, REMARK = range(len(COLUMNS))
_REGIONS: Final = 3
_KNOWN_BECAUSE: Final = dict.fromkeys(
    ("excess", "haste", "distance", "stranger"), "It is counted before the row asks."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Rows with the labels that they have in the end.

    Attributes
    ----------
    rows
        All of them, each with its label.
    label_days
        So late is a label known.
    """

    rows: Rows
    label_days: int

    def asked(self, first: int, after: int) -> Rows:
        """Return the rows from a time on and before another, in nanoseconds; no label is known."""
        rows = self.rows.between(first, after)
        return replace(rows, labels=np.full(len(rows), UNKNOWN, np.int8))

    def known(self, now: int) -> Rows:
        """Return the rows whose labels are known at a time, in nanoseconds."""
        return self.rows.between(0, now - self.label_days * DAY)

    def changed(self, since: int, how: Callable[[Rows, int], Rows], seed: int) -> World:
        """Return the world with what becomes of its rows from a time on."""
        place = int(np.searchsorted(self.rows.at, since))
        before, after = self.rows.chosen(slice(0, place)), self.rows.chosen(slice(place, None))
        return replace(self, rows=merged(before, how(after, seed)))


def spec_of(seed: int) -> ModelSpec:
    """Return what the labs let learn: one trial of a small forest."""
    return ModelSpec(
        name="lab",
        owner="labs",
        predicts="The chance that the row turns out bad.",
        columns=tuple(
            Column(name=name, reason=f"The {name} is unusual.", known_because=_KNOWN_BECAUSE.get(name, ""))
            for name in COLUMNS
        ),
        trials=1,
        seed=seed,
        search=(
            ("num_leaves", (8,)),
            ("learning_rate", (0.1,)),
            ("min_data_in_leaf", (20,)),
            ("feature_fraction", (0.8,)),
            ("extra_trees", (False,)),
        ),
    )


def drawn_world(
    seed: int, *, days: int, rows_a_day: int, second_era: int | None = None, label_days: int = 2
) -> World:
    """Draw a world; from the day ``second_era`` on, if any, rows with strangers may be bad as well."""
    draw = np.random.default_rng([seed, 1])
    count = days * rows_a_day
    at = np.sort(draw.integers(0, days * DAY, count))
    values = np.column_stack([
        draw.normal(size=count),
        draw.normal(size=count),
        draw.exponential(size=count),
        draw.integers(0, _REGIONS, count).astype(np.float64),
        draw.exponential(size=count),
        draw.normal(size=count),
    ])  # fmt: skip
    excess, haste, distance, _, stranger, _ = values.T
    odds = 3.0 * (1.2 * excess + 0.8 * haste + 0.5 * distance - 4.0)
    chance = expit(odds)
    if second_era is not None:
        later = expit(5.0 * (stranger - 4.2))
        chance = np.where(at >= second_era * DAY, 1 - (1 - chance) * (1 - later), chance)
    rows = Rows(
        values=values,
        at=at,
        amounts=np.round(np.exp(draw.normal(9.2, 0.6, count))).astype(np.int64),
        labels=(draw.random(count) < chance).astype(np.int8),
        parties=draw.integers(0, 2**63, (count, 2)).astype(np.uint64),
        segments={"region": values[:, REGION].astype(np.int64)},
    )
    return World(rows=rows, label_days=label_days)


def merged(one: Rows, other: Rows) -> Rows:
    """Return the rows of both, in the order of time."""
    order = np.argsort(np.concatenate([one.at, other.at]), kind="stable")

    def both(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(one, name), getattr(other, name)])[order]

    return Rows(
        **{name: both(name) for name in ("values", "at", "amounts", "labels", "parties")},
        segments={
            name: np.concatenate([column, other.segments[name]])[order]
            for name, column in one.segments.items()
        },
    )
