"""What a view reads: look-ups, windows, features and programs."""

from __future__ import annotations

import numpy as np

from formicary.factory.features import _layout as layout
from formicary.factory.features._code import Code
from formicary.factory.features._layout import Plan, View
from formicary.factory.features._plan_builder import PlanBuilder
from formicary.factory.features._plan_parts import DISTINCT_SLOTS, Ring
from formicary.factory.features.aggregates import KEY_IDS_MAX, Aggregate, Operator
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.kinds import FieldType
from formicary.factory.features.names import in_order, referred

__all__ = ["build_view"]

_READS = {
    Operator.COUNT: layout.READS_SUM,
    Operator.SUM: layout.READS_SUM,
    Operator.MEAN: layout.READS_MEAN,
    Operator.STD: layout.READS_STD,
    Operator.SHARE: layout.READS_MEAN,
    Operator.MIN: layout.READS_MINIMUM,
    Operator.MAX: layout.READS_MAXIMUM,
    Operator.DISTINCT: layout.READS_DISTINCT,
    Operator.LAST: layout.READS_VALUE,
    Operator.FIRST: layout.READS_VALUE,
    Operator.TIME_SINCE: layout.READS_AGE,
    Operator.AGE: layout.READS_AGE,
}


def build_view(one: FeatureSet, builder: PlanBuilder, plan: Plan) -> View:
    """Return the view of a set whose plan is built."""
    kind = builder.kind_number(one.on)
    reads = _Reads(one, builder)
    features = [reads.feature(feature.value) for feature in one.features]
    columns = {feature.name: number for number, feature in enumerate(one.features)}
    code = Code()
    programs = []
    for number in in_order(one):
        value = one.features[number].value
        if not isinstance(value, Aggregate):
            programs.append([number, *code.add(value, columns)])
    steps, constants = code.arrays()
    windows, update_windows = _windows_by_update(plan, reads.windows, features)
    remembered, update_remembered = _remembered_by_update(plan, reads.lookups, features)
    return View(
        kind=kind,
        lookups=_words([[*one, _touch_of(plan, kind, one)] for one in reads.lookups], 2 + KEY_IDS_MAX),
        windows=windows,
        update_windows=update_windows,
        features=_words(features, layout.FEATURE_COLUMNS),
        remembered=remembered,
        update_remembered=update_remembered,
        programs=_words(programs, 3),
        code=steps,
        constants=constants,
        subjects=np.array(_subjects(one), np.int64),
        totals=reads.totals,
    )


def _touch_of(plan: Plan, kind: int, lookup: list[int]) -> int:
    """Return which touch of a kind's events has the key of a look-up, so that its row is looked for once."""
    for touch in range(plan.kind_touches[kind], plan.kind_touches[kind + 1]):
        if plan.touches[touch].tolist() == lookup:
            return touch - int(plan.kind_touches[kind])
    return -1


def _windows_by_update(
    plan: Plan, windows: list[list[int]], features: list[list[int]]
) -> tuple[layout.Words, layout.Words]:
    """Return windows in the order of the updates of their rings, and where those of each update begin.

    The windows of the features are numbered in that order, too.
    """
    update_of_ring = {
        int(update[layout.UPDATE_AT]): number
        for number, update in enumerate(plan.updates)
        if update[layout.UPDATE_KIND] == layout.RING
    }
    updates = [update_of_ring[ring] for _, ring, _, _ in windows]
    order = sorted(range(len(windows)), key=updates.__getitem__)
    for feature in features:
        if feature[layout.FEATURE_WINDOW] >= 0:
            feature[layout.FEATURE_WINDOW] = order.index(feature[layout.FEATURE_WINDOW])
    chosen = [[lookup, window, to] for lookup, _, window, to in (windows[place] for place in order)]
    return _words(chosen, 3), _bounds(plan, updates)


def _remembered_by_update(
    plan: Plan, lookups: list[list[int]], features: list[list[int]]
) -> tuple[layout.Words, layout.Words]:
    """Return the features that are told from what is remembered, and where those of each update begin."""
    update_of = {}
    for number, update in enumerate(plan.updates):
        if update[layout.UPDATE_KIND] != layout.RING:
            touch = plan.kind_touches[update[layout.UPDATE_OF]] + update[layout.UPDATE_TOUCH]
            update_of[int(plan.touches[touch, 0]), int(update[layout.UPDATE_AT])] = number
    updates = {
        number: update_of[lookups[feature[layout.FEATURE_LOOKUP]][0], feature[layout.FEATURE_A]]
        for number, feature in enumerate(features)
        if feature[layout.FEATURE_READS] != layout.READS_NOTHING and feature[layout.FEATURE_WINDOW] < 0
    }
    chosen = sorted(updates, key=updates.__getitem__)
    return np.array(chosen, np.int64), _bounds(plan, list(updates.values()))


def _bounds(plan: Plan, updates: list[int]) -> layout.Words:
    """Return where the things of each update begin, if they lie in the order of their updates."""
    return np.concatenate([[0], np.cumsum(np.bincount(updates, minlength=len(plan.updates)))]).astype(
        np.int64
    )


class _Reads:
    """The look-ups and windows of a view, each once."""

    def __init__(self, one: FeatureSet, builder: PlanBuilder) -> None:
        self._set = one
        self._builder = builder
        self.lookups: list[list[int]] = []
        self.windows: list[list[int]] = []
        self.totals = 0

    def feature(self, value: object) -> list[int]:
        described = [layout.READS_NOTHING, 0, -1, 0, 0, 0, 0]
        if not isinstance(value, Aggregate):
            return described
        described[layout.FEATURE_READS] = _READS[value.operator]
        described[layout.FEATURE_LOOKUP] = lookup = self._lookup(value)
        described[layout.FEATURE_SPAN] = value.window
        if not value.in_ring:
            described[layout.FEATURE_A] = self._builder.memory(value).offset
            described[layout.FEATURE_B] = DISTINCT_SLOTS
            if value.operator in (Operator.LAST, Operator.FIRST):
                is_real = value.kind.field(value.field).type == FieldType.REAL
                described[layout.FEATURE_READS] = layout.READS_REAL if is_real else layout.READS_VALUE
            return described
        return self._from_ring(value, lookup, described)

    def _from_ring(self, value: Aggregate, lookup: int, described: list[int]) -> list[int]:
        builder, ring = self._builder, self._builder.ring(value)
        place, base = self._window(lookup, ring, value)
        described[layout.FEATURE_WINDOW] = place
        counted = base + builder.sum_place(value, layout.ONE)
        described[layout.FEATURE_A] = described[layout.FEATURE_B] = counted
        if value.operator == Operator.SHARE:
            described[layout.FEATURE_B] = base + builder.sum_place(value, layout.ONE, whole=True)
        elif value.operator in (Operator.MIN, Operator.MAX):
            described[layout.FEATURE_A] = base + ring.sum_words + builder.extreme_place(value)
        elif value.operator != Operator.COUNT:
            described[layout.FEATURE_A] = base + builder.sum_place(value, layout.VALUE)
        if value.operator == Operator.STD:
            described[layout.FEATURE_C] = base + builder.square_place(value)
        return described

    def _lookup(self, value: Aggregate) -> int:
        columns = [self._set.on.id_column(name) for name in value.of]
        wanted = [self._builder.table(value.by), *columns, *[-1] * (KEY_IDS_MAX - len(columns))]
        if wanted not in self.lookups:
            self.lookups.append(wanted)
        return self.lookups.index(wanted)

    def _window(self, lookup: int, ring: Ring, value: Aggregate) -> tuple[int, int]:
        """Return the number of a window in the view, and where its totals begin."""
        window = self._first_window(ring) + ring.need_window(value.window, value.delay)
        for place, known in enumerate(self.windows):
            if known[:3] == [lookup, ring.number, window]:
                return place, known[3]
        self.windows.append([lookup, ring.number, window, self.totals])
        self.totals += ring.totals
        return len(self.windows) - 1, self.windows[-1][3]

    def _first_window(self, ring: Ring) -> int:
        before = [other for other in self._builder.rings.values() if other.number < ring.number]
        return sum(len(other.windows) for other in before)


def _subjects(one: FeatureSet) -> list[int]:
    """Return for each feature which ids of the asking event are parties that it tells about, as bits."""
    by_name: dict[str, int] = {}
    parties = {
        name: 1 << column
        for column, name in enumerate(one.on.ids)
        if one.on.field(name).type == FieldType.PARTY
    }

    def bits(name: str) -> int:
        if name not in by_name:
            feature = next(feature for feature in one.features if feature.name == name)
            value = feature.value
            told = [parties.get(field, 0) for field in value.of] if isinstance(value, Aggregate) else []
            told += [bits(other) for other in referred(feature)]
            by_name[name] = 0
            for bit in told:
                by_name[name] |= bit
        return by_name[name]

    return [bits(feature.name) for feature in one.features]


def _words(rows: list[list[int]], columns: int) -> layout.Words:
    return np.array(rows, np.int64).reshape(-1, columns)
