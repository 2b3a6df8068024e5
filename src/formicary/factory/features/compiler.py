"""From definitions to a plan: which words a key's row has, what an event changes, what a view reads."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from formicary.base.purposes import NEEDS_CONSENT, Purpose
from formicary.factory.features._layout import Plan, View
from formicary.factory.features._plan_builder import CONSENT_KIND, PlanBuilder
from formicary.factory.features._view_builder import build_view
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.errors import (
    BudgetExceeded,
    DuplicateFeature,
    FeatureMalformed,
    FeatureRefused,
    PurposeNotDeclared,
)
from formicary.factory.features.kinds import EventKind
from formicary.factory.features.names import require_names

__all__ = ["Compiled", "CompiledView", "all_findings", "compile_sets", "compiled", "features_of", "findings"]

_WORD_BYTES: Final = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class CompiledView:
    """One set of features, ready to be read."""

    set: FeatureSet
    view: View
    subjects: tuple[str, ...]
    """The names of the asking event's ids, by column: bit k of what is withheld is the k-th."""
    key_bytes: int
    """What the rows of one asking event's keys and their entries take together at most."""

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the features, in the order of their columns."""
        return tuple(feature.name for feature in self.set.features)

    @functools.cache  # noqa: B019, a view lives as long as its process, and purposes are few
    def consent_bit(self, purpose: Purpose) -> int:
        """Return what the kernels take for a purpose.

        Raises
        ------
        PurposeNotDeclared
            A feature of the set may not be read for it.
        """
        for feature in self.set.features:
            if purpose not in feature.purposes:
                message = f"it may not be read for {purpose.name.lower()}"
                raise feature.error(PurposeNotDeclared, message)
        return int(purpose) if purpose in NEEDS_CONSENT else -1


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """Sets of features over one state."""

    plan: Plan
    views: Mapping[str, CompiledView]
    kinds: tuple[EventKind, ...]
    """Event kinds by their number."""
    tables: tuple[str, ...]
    """What the keys of each table are made of."""
    fingerprint: str
    """The hash of all that the state's words mean: a state is read by the plan that wrote it."""

    @property
    def id_columns(self) -> int:
        """How many columns of ids events need."""
        return max(len(kind.ids) for kind in self.kinds)

    @property
    def number_columns(self) -> int:
        """How many columns of numbers events need."""
        return max(len(kind.numbers) for kind in self.kinds)

    def row_bytes(self, table: int) -> int:
        """Return what one key's row and the entries of its rings take at most, in bytes."""
        return _row_bytes(self.plan, table)


def compile_sets(sets: Sequence[FeatureSet]) -> Compiled:
    """Compile sets of features that share their rows.

    Raises
    ------
    FeatureRefused
        Something in them is wrong: the first thing that is; ``all_findings`` gives all.
    """
    wrong = findings(sets)
    if wrong:
        raise wrong[0]
    made = _compile(sets)
    wrong = _over_budget(made)
    if wrong:
        raise wrong[0]
    return made


def _compile(sets: Sequence[FeatureSet]) -> Compiled:
    builder = PlanBuilder()
    for one in sets:
        builder.add_set(one)
    plan = builder.build()
    views: dict[str, CompiledView] = {}
    for one in sets:
        view = build_view(one, builder, plan)
        key_bytes = sum(_row_bytes(plan, table) for table in set(view.lookups[:, 0].tolist()))
        views[one.name] = CompiledView(set=one, view=view, subjects=one.on.ids, key_bytes=key_bytes)
    return Compiled(
        plan=plan,
        views=views,
        kinds=tuple(builder.kinds),
        tables=builder.table_names,
        fingerprint=_fingerprint(plan, builder.kinds),
    )


def _row_bytes(plan: Plan, table: int) -> int:
    rings = plan.chunk_words[plan.table_rings[table] : plan.table_rings[table + 1]]
    return int(plan.row_words[table] + rings.sum()) * _WORD_BYTES


@functools.cache
def compiled(sets: tuple[FeatureSet, ...]) -> Compiled:
    """Return sets compiled, once in a process."""
    return compile_sets(sets)


def findings(sets: Sequence[FeatureSet]) -> list[FeatureRefused]:
    """Return all that is wrong with sets of features, in the order of their definition."""
    wrong: list[FeatureRefused] = []
    places: dict[str, str] = {}
    for one in sets:
        if one.name in places:
            wrong.append(one.error(DuplicateFeature, f"also the name of a set at {places[one.name]}"))
        places.setdefault(one.name, one.place)
        for feature in one.features:
            wrong += feature.findings()
        wrong += require_names(one)
    wrong += _kinds_in_conflict(sets)
    return wrong


def all_findings(sets: Sequence[FeatureSet]) -> list[FeatureRefused]:
    """Return all that is wrong with sets of features; where nothing else is, with the bytes they take."""
    wrong = findings(sets)
    if wrong or not sets:
        return wrong
    try:
        return _over_budget(_compile(sets))
    except BudgetExceeded as error:
        return [error]


def features_of(sets: Sequence[FeatureSet]) -> list[tuple[FeatureSet, Feature]]:
    """Return every feature with its set, in order."""
    return [(one, feature) for one in sets for feature in one.features]


def _over_budget(made: Compiled) -> list[FeatureRefused]:
    return [
        view.set.error(
            BudgetExceeded,
            f"the keys of a {view.set.on.name} take {view.key_bytes} bytes, over {view.set.key_bytes_max}",
        )
        for view in made.views.values()
        if view.key_bytes > view.set.key_bytes_max
    ]


def _kinds_in_conflict(sets: Sequence[FeatureSet]) -> list[FeatureRefused]:
    # Every plan has the kind of consent, whether a set mentions it or not.
    meanings = {CONSENT_KIND.name: CONSENT_KIND.canonical()}
    wrong: dict[tuple[str, str], FeatureRefused] = {}
    for one in sets:
        for kind in PlanBuilder.kinds_of([one]):
            if meanings.setdefault(kind.name, kind.canonical()) != kind.canonical():
                message = f"two different kinds of event are called {kind.name}"
                wrong.setdefault((one.name, kind.name), one.error(FeatureMalformed, message))
    return list(wrong.values())


def _fingerprint(plan: Plan, kinds: Sequence[EventKind]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name, array in zip(plan._fields, plan, strict=True):
        digest.update(f"{name} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    for kind in kinds:
        digest.update(kind.canonical().encode())
    return digest.hexdigest()
