"""A model that nobody trained: points that somebody declares, for a house that has no outcomes yet.

Whoever begins to decide has nothing to learn from. The usual first model is then an expert's scorecard: bins
of columns with points that add up, and what points mean is *stated*, not measured: so many points are odds of
so much to 1, and so many more double them (Siddiqi, *Credit Risk Scorecards*, 2006). It becomes a model like
any other: a tree of each column whose leaves are its bins, the same kernel, exact reasons, one hash, the
registry. Its chances are the odds that were stated, so that no data stand behind them; it says so wherever it
is shown, and its evidence is of no rows.

::

    points of a row = start + what the bin of each column adds          more are better
    log odds of label 1 = -(points - base) ln 2 / to_double - ln odds
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from formicary.factory.models._forest_content import LEAF, MISSING_NAN, Content, Description
from formicary.factory.models.calibration import identity
from formicary.factory.models.errors import ModelMalformed
from formicary.factory.models.forest import Forest
from formicary.factory.models.model import Evidence, Model
from formicary.factory.models.scorecard import PointsScale, Scorecard, ScorecardColumn
from formicary.factory.models.spec import Column, ModelSpec, Objective

__all__ = ["NO_DATA", "JudgedColumn", "Judgement"]

NO_DATA: Final = (
    "No data stand behind these points: they were declared by whoever knows the field, and the chances that "
    "come of them are the odds that were stated with them."
)
"""What a judged model's card says."""

_HUNDRED: Final = 100


@dataclass(frozen=True, kw_only=True)
class JudgedColumn:
    """What the bins of a column add.

    Attributes
    ----------
    name
        Of a column of the specification, of numbers.
    ends
        The highest number of each bin but the last, ascending, (k - 1,).
    points
        What each bin adds, (k,), the more the better.
    missing
        What is added where there is no number.
    shares
        How many of a hundred rows are thought to be in each bin, (k,); the rest of the hundred has no number.
        Reasons count from the mean of these rows.
    """

    name: str
    ends: tuple[float, ...]
    points: tuple[float, ...]
    missing: float
    shares: tuple[int, ...]

    @property
    def of_hundred(self) -> tuple[int, ...]:
        """How many rows of a hundred are in each bin, missing ones last, (k + 1,)."""
        return (*self.shares, _HUNDRED - sum(self.shares))

    def findings(self, column: Column) -> Iterator[str]:
        """Go through what is wrong with it for a column of the specification."""
        bins = len(self.ends) + 1
        if column.is_category:
            yield "names are not judged"
        if (len(self.points), len(self.shares)) != (bins, bins):
            yield f"{bins} bins have {len(self.points)} numbers of points and {len(self.shares)} shares"
        if not np.isfinite([*self.ends, *self.points, self.missing]).all():
            yield "a number of it is not finite"
        elif (np.diff(self.ends) <= 0).any():
            yield "its ends do not rise"
        elif (np.diff(self.points) * column.monotone > 0).any():
            yield "its points turn where the specification fixes a direction"
        if min(self.shares, default=1) < 1 or sum(self.shares) > _HUNDRED:
            yield "each bin has one of a hundred rows at least, and all of them a hundred at most"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A scorecard that is declared.

    Attributes
    ----------
    spec
        What is predicted; what learns from outcomes later has the same one.
    scale
        What points mean: ``base`` points are odds of ``odds`` to 1, ``to_double`` more double them.
    start
        The points of a row all of whose bins add nothing.
    columns
        What is added; columns of the specification that are not here add nothing.
    """

    spec: ModelSpec
    scale: PointsScale
    start: float
    columns: tuple[JudgedColumn, ...]

    @property
    def hash(self) -> str:
        """What is declared, as a hash: 32 hexadecimal digits."""
        text = repr((self.spec.hash, self.scale, self.start, self.columns))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def findings(self) -> list[str]:
        """Return all that is wrong with it."""
        wrong = self.spec.findings()
        if self.spec.objective != Objective.CLASSIFICATION:
            wrong.append("an amount has no odds")
        declared = {column.name: column for column in self.spec.columns}
        names = [column.name for column in self.columns]
        if not names or len(set(names)) < len(names) or not math.isfinite(self.start):
            wrong.append("it judges by no column, or by one twice, or starts nowhere")
        for column in self.columns:
            if column.name not in declared:
                wrong.append(f"{column.name} is no column of {self.spec.name}")
            else:
                wrong += [f"{column.name}: {found}" for found in column.findings(declared[column.name])]
        return wrong

    def model(self) -> Model:
        """Return the model that this is.

        Raises
        ------
        ModelMalformed
            It contradicts itself, or the specification.
        """
        if wrong := self.findings():
            raise ModelMalformed("; ".join(wrong))
        card = self._scorecard()
        return Model(
            name=self.spec.name,
            spec_hash=self.spec.hash,
            forest=_forest_of(card, self.spec.names),
            calibration=identity(),
            # Nobody has seen names yet: none has a code, and all of them are missing.
            categories={column.name: () for column in self.spec.columns if column.is_category},
            scorecard=card,
            evidence=Evidence(rows=0, positives=0, forest={}, scorecard={}, trials=0, suspected={}),
        )

    def _scorecard(self) -> Scorecard:
        per_log_odds = self.scale.per_log_odds
        declared = {column.name: column for column in self.spec.columns}
        return Scorecard(
            intercept=(self.scale.base - self.start) / per_log_odds - math.log(self.scale.odds),
            columns=tuple(
                ScorecardColumn(
                    name=column.name,
                    is_categorical=False,
                    direction=declared[column.name].monotone,
                    coefficient=1.0,
                    ends=tuple(map(float, column.ends)),
                    codes=(),
                    # Nobody was counted; the mass is what is thought of a hundred.
                    rows=(0,) * len(column.of_hundred),
                    mass=tuple(map(float, column.of_hundred)),
                    positives=(0.0,) * len(column.of_hundred),
                    weights=tuple(0.0 - points / per_log_odds for points in (*column.points, column.missing)),
                )
                for column in self.columns
            ),
            scale=self.scale,
            penalty=0.0,
            notes=(NO_DATA,),
        )


class _Node(NamedTuple):
    feature: int
    threshold: float
    left: int
    decision: int
    value: float
    rows: int


def _forest_of(card: Scorecard, names: tuple[str, ...]) -> Forest:
    """Return the forest that adds what a card adds, in the same order and so to the same bits."""
    trees = [[_Node(LEAF, 0.0, 0, 0, card.intercept, _HUNDRED)]]
    trees += [_tree_of(column, names.index(column.name)) for column in card.columns]
    nodes = [node for tree in trees for node in tree]
    content = Content(
        tree_nodes=np.array([len(tree) for tree in trees], np.int64),
        features=np.array([node.feature for node in nodes], np.int64),
        thresholds=np.array([node.threshold for node in nodes], np.float64),
        children=np.array([node.left for node in nodes], np.int64),
        decisions=np.array([node.decision for node in nodes], np.int64),
        values=np.array([node.value for node in nodes], np.float64),
        counts=np.array([node.rows for node in nodes], np.int64),
        category_starts=np.zeros(len(nodes) + 1, np.int64),
        categories=np.zeros(0, np.int64),
    )
    return Forest(content, Description(names, "sigmoid", 1.0))


def _tree_of(column: ScorecardColumn, feature: int) -> list[_Node]:
    """Return a tree whose leaves are a column's bins.

    Every number is below infinity and goes left of the root, what is missing goes right. Bins then leave one
    by one, each to the left, and what is left of them to the right::

        root, all bins, missing, bin 0, the other bins, bin 1, ..., last bin
    """
    values, rows = column.added.tolist()[:-1], [int(mass) for mass in column.mass]
    *bins, missing = (_Node(LEAF, 0.0, 0, 0, *one) for one in zip(values, rows, strict=True))
    rest = [_asking(feature, end, 2 * place + 3, bins[place:]) for place, end in enumerate(column.ends)]
    rest.append(bins[-1])
    pairs = [(rest[0], missing), *zip(bins, rest[1:], strict=False)]
    return [_asking(feature, math.inf, 1, [*bins, missing]), *(node for pair in pairs for node in pair)]


def _asking(feature: int, threshold: float, left: int, leaves: list[_Node]) -> _Node:
    """Return a node above leaves (n,): it has the mean of their rows' values, and all of their rows."""
    rows = sum(leaf.rows for leaf in leaves)
    mean = math.fsum(leaf.value * leaf.rows for leaf in leaves) / rows
    return _Node(feature, threshold, left, MISSING_NAN, mean, rows)
