"""What a champion says where a decider asks it: a chance, why, and what it would say of other values.

Decision points score within the kernel of transfers. A decider that decides about something else is told by
name what the champion of a declared model makes of values that it read. Nothing is learnt or changed by it,
and nobody else's word takes the champion's place: where there is none, where it does not read what it is
given, or where what it says cannot be attributed exactly, there is no assessment.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.decisions._derive_kernels import derive_features
from formicary.factory.decisions.cuts import forest_cuts
from formicary.factory.decisions.live import LiveDecisions
from formicary.factory.features._expressions import STACK_MAX
from formicary.factory.features._layout import Events
from formicary.factory.features.compiler import Compiled, CompiledView
from formicary.factory.features.expressions import Op
from formicary.factory.models._forest_content import LEAF, Content, Description
from formicary.factory.models.calibration import identity
from formicary.factory.models.errors import ModelRefused, UnknownModel
from formicary.factory.models.forest import Forest, Scorer
from formicary.factory.models.model import Evidence, Model
from formicary.factory.models.spec import Column, ModelSpec
from formicary.factory.models.tree_shap import TreeShap

__all__ = ["Assessed", "Assessment", "Assessor", "Assessors", "load_kernels", "model_without_data"]

Reals: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_OF_EVENTS: Final = (Op.FIELD, Op.FIELD_REAL, Op.HOUR, Op.WEEKDAY)


class Assessor:
    """A model that is ready to be asked, in one thread at a time.

    Parameters
    ----------
    model
        It tells chances.
    view
        The set of features that it reads, None where it reads no events.

    Raises
    ------
    ModelRefused
        It tells amounts, reads names, or has ways that ask too many features to be attributed.
    """

    def __init__(self, model: Model, view: CompiledView | None = None) -> None:
        if model.calibration is None or model.categories:
            message = f"{model.name} tells no chances of numbers"
            raise ModelRefused(message)
        self.model: Final = model
        self.calibration: Final = model.calibration
        self.shap: Final = TreeShap(model.forest)
        self.names: Final = model.forest.feature_names if view is None else view.names
        """Of the values that it is given, in order."""
        self.places: Final = [self.names.index(name) for name in model.forest.feature_names]
        self._scorer = Scorer(model.forest)
        self._programs = None if view is None else _programs(view)

    @cached_property
    def cuts(self) -> Mapping[str, tuple[float, ...]]:
        """Where what it says can turn, by the name of a column."""
        return forest_cuts(self.model.forest)

    @cached_property
    def following(self) -> frozenset[str]:
        """The names of values that are computed anew from others, and so cannot be changed by themselves."""
        programs = [] if self._programs is None else self._programs[0][:, 0].tolist()
        return frozenset(self.names[place] for place in programs)

    def followed(self, rows: Reals) -> Reals:
        """Return rows (n, names) with those values computed anew that follow from others."""
        told: Reals = np.array(rows, np.float64, order="C")
        if self._programs is not None:
            programs, code, constants = self._programs
            derive_features(programs, code, constants, _no_events(len(told)), told, np.zeros(STACK_MAX))
        return told

    def raw_scores(self, rows: Reals) -> Reals:
        """Return raw scores (n,) of rows (n, names)."""
        return self._scorer.raw_scores(rows[:, self.places])


@dataclass(frozen=True, kw_only=True, eq=False)
class Assessment:
    """What a champion says of some values.

    Attributes
    ----------
    model, hash
        Its name, and which version it is: 32 hexadecimal digits.
    raw, chance
        The raw score, and the calibrated chance.
    values
        What it was given, (names,), NaN where something is missing.
    assessor
        What else it can be asked.
    """

    model: str
    hash: str
    raw: float
    chance: float
    values: Reals
    assessor: Assessor

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the values."""
        return self.assessor.names

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of those that the model reads, in its order."""
        return self.assessor.model.forest.feature_names

    @cached_property
    def attributions(self) -> Reals:
        """What each column added to the raw score, (columns,): exact Shapley values."""
        contributions: Reals = self.assessor.shap.contributions(self.values[None, self.assessor.places])[0]
        return contributions

    def raw_scores(self, rows: Reals) -> Reals:
        """Return raw scores (n,) of what the model reads, (n, columns), whatever else would follow."""
        return self.assessor.model.forest.raw_scores(rows)

    def chances(self, rows: Reals) -> Reals:
        """Return chances (n,) of other values, (n, names), in which what follows from others was computed."""
        return self.assessor.calibration.apply(self.assessor.raw_scores(rows))


@dataclass(frozen=True, kw_only=True, eq=False)
class Assessed:
    """What a champion says of rows of values: the version's hash, and chances (n,), NaN where it has none."""

    hash: str
    chances: Reals


class Assessors:
    """The champions of declared models, made ready as aliases move.

    Parameters
    ----------
    specs
        The models that products declare.
    live
        Which versions have the aliases.
    compiled
        The sets of features, None where there are none.
    """

    def __init__(self, specs: Iterable[ModelSpec], live: LiveDecisions, compiled: Compiled | None) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._live = live
        self._views: Mapping[str, CompiledView] = {} if compiled is None else compiled.views
        self._ready: dict[str, tuple[str, Assessor | None]] = {}

    def assess(self, name: str, values: Mapping[str, float | None]) -> Assessment | None:
        """Return what the champion of a model says of values by name, None where it cannot be asked.

        Raises
        ------
        UnknownModel
            No product declares a model of this name.
        """
        assessor = self._declared(name)
        if assessor is None or not set(assessor.model.forest.feature_names) <= values.keys():
            return None
        told = [values.get(one) for one in assessor.names]
        row = np.array([math.nan if one is None else one for one in told], np.float64)
        raw = assessor.raw_scores(row[None])
        if not np.isfinite(raw[0]):
            return None
        return Assessment(
            model=name,
            hash=assessor.model.hash,
            raw=float(raw[0]),
            chance=float(assessor.calibration.apply(raw)[0]),
            values=row,
            assessor=assessor,
        )

    def assess_all(self, name: str, names: Sequence[str], values: Reals) -> Assessed | None:
        """Return what the champion of a model says of rows (n, names), None where it cannot be asked.

        A row has the chance that ``assess`` tells of it alone.

        Raises
        ------
        UnknownModel
            No product declares a model of this name.
        """
        assessor = self._declared(name)
        if assessor is None or not set(assessor.model.forest.feature_names) <= set(names):
            return None
        places = [list(names).index(one) for one in assessor.model.forest.feature_names]
        raw = assessor.model.forest.raw_scores(values[:, places])
        chances = np.where(
            np.isfinite(raw), assessor.calibration.apply(np.where(np.isfinite(raw), raw, 0.0)), np.nan
        )
        return Assessed(hash=assessor.model.hash, chances=chances)

    def _declared(self, name: str) -> Assessor | None:
        if name not in self._specs:
            message = f"no product declares the model {name}"
            raise UnknownModel(message)
        return self._champion(name)

    def _champion(self, name: str) -> Assessor | None:
        digest = self._live.champion(name)
        known = self._ready.get(name)
        if known is None or known[0] != digest:
            self._ready[name] = known = (digest, self._made_ready(name, digest))
        return known[1]

    def _made_ready(self, name: str, digest: str) -> Assessor | None:
        model = self._live.model(digest) if digest else None
        question = self._specs[name].question
        view = None if question is None else self._views.get(question.features)
        if model is None or (view is not None and not set(model.forest.feature_names) <= set(view.names)):
            return None
        try:
            return Assessor(model, view)
        except ModelRefused as refused:
            self._live.unusable[digest] = str(refused)
            return None


def model_without_data(spec: ModelSpec) -> Model:
    """Return a model for a specification that says even odds of everything, for whoever checks a product."""
    none = np.zeros(1, np.int64)
    content = Content(
        tree_nodes=none + 1,
        features=none + LEAF,
        thresholds=np.zeros(1),
        children=none,
        decisions=none,
        values=np.zeros(1),
        counts=none,
        category_starts=np.zeros(2, np.int64),
        categories=np.zeros(0, np.int64),
    )
    return Model(
        name=spec.name,
        spec_hash=spec.hash,
        forest=Forest(content, Description(spec.names, "sigmoid", 1.0)),
        calibration=identity(),
        categories={},
        scorecard=None,
        evidence=Evidence(rows=0, positives=0, forest={}, scorecard={}, trials=0, suspected={}),
    )


def load_kernels() -> None:
    """Load the kernels of an assessment, compiling those that are not in the cache."""
    column = Column(name="first", reason="It is the first.")
    spec = ModelSpec(name="first", owner="factory", predicts="Nothing.", columns=(column,))
    assessor = Assessor(model_without_data(spec))
    row = np.zeros((1, 1))
    assessor.calibration.apply(assessor.raw_scores(row))
    assessor.shap.contributions(row)
    none = np.zeros((0, 3), np.int64)
    derive_features(none, none[:, :2].copy(), np.zeros(1), _no_events(1), row, np.zeros(STACK_MAX))


def _programs(view: CompiledView) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Reals]:
    """Return the programs of features that follow from other features alone, their code and constants."""
    of_events = np.isin(view.view.code[:, 0], _OF_EVENTS)
    own = [not of_events[first:end].any() for _, first, end in view.view.programs.tolist()]
    return view.view.programs[own], view.view.code, view.view.constants


def _no_events(count: int) -> Events:
    """Return so many events of which nothing is read."""
    kinds = np.zeros(count, np.int64)
    return Events(kinds, kinds.copy(), np.zeros((count, 1, 2), np.int64), np.zeros((count, 1), np.int64))
