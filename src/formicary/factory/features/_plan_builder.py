"""The plan of all sets together: tables, rings and what is remembered, each once for all that use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from formicary.factory.features import _layout as layout
from formicary.factory.features._blocks import PARTS_MAX
from formicary.factory.features._code import Code
from formicary.factory.features._entries import ROOM_MAX
from formicary.factory.features._layout import Plan, Words
from formicary.factory.features._plan_parts import (
    DISTINCT_SLOTS,
    EXACT_TILE,
    Remembered,
    Ring,
    lines,
    place_of,
)
from formicary.factory.features.aggregates import KEY_IDS_MAX, Aggregate, Operator
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.durations import SECOND
from formicary.factory.features.errors import BudgetExceeded
from formicary.factory.features.expressions import Expression
from formicary.factory.features.kinds import EventKind, FieldType, number, party

__all__ = ["CONSENT_KIND", "PlanBuilder"]

CONSENT_KIND: Final = EventKind("consent", None, party=party(), purpose=number(), granted=number())
"""The first kind of every plan: a party gave or took back its consent to a purpose."""

_ALL_TIME: Final = -1


@dataclass(frozen=True)
class _Laid:
    """Rings and windows with their places, and for each table how a new row begins and what rows take."""

    rings: list[list[int]] = field(default_factory=list)
    windows: list[tuple[int, int]] = field(default_factory=list)
    templates: list[Words] = field(default_factory=list)
    hot_words: list[int] = field(default_factory=list)
    row_words: list[int] = field(default_factory=list)
    chunk_words: list[int] = field(default_factory=list)
    ring_counts: list[int] = field(default_factory=list)


class PlanBuilder:
    """Collects what all features need, then lays it out."""

    def __init__(self) -> None:
        self.kinds: list[EventKind] = [CONSENT_KIND]
        self._tables: list[tuple[str, ...]] = [("consent",), ("holder",)]
        self.rings: dict[tuple[int, str, int], Ring] = {}
        self.remembered: dict[tuple[int, str, int, str, str], Remembered] = {}
        self._conditions: dict[tuple[str, str], Expression] = {}
        self._spans: dict[int, int] = {}

    @property
    def table_names(self) -> tuple[str, ...]:
        """What the keys of each table are made of."""
        return tuple("+".join(names) for names in self._tables)

    @staticmethod
    def kinds_of(sets: Sequence[FeatureSet]) -> Iterator[EventKind]:
        """Go through the kinds that sets mention."""
        for one in sets:
            yield one.on
            yield from (
                feature.value.kind for feature in one.features if isinstance(feature.value, Aggregate)
            )

    def add_set(self, one: FeatureSet) -> None:
        """Take up what a set of features needs."""
        for kind in self.kinds_of([one]):
            self.kind_number(kind)
        for feature in one.features:
            if isinstance(feature.value, Aggregate):
                self._add(feature.value, one.ring_events)
                self._require_parts(feature, feature.value)

    def kind_number(self, kind: EventKind) -> int:
        """Return the number of a kind, made if it is new."""
        for number_of, known in enumerate(self.kinds):
            if known.name == kind.name:
                return number_of
        self.kinds.append(kind)
        return len(self.kinds) - 1

    def table(self, by: tuple[str, ...]) -> int:
        """Return the number of the table of a key, made if it is new."""
        if by not in self._tables[layout.FIRST_TABLE :]:
            self._tables.append(by)
        return self._tables.index(by, layout.FIRST_TABLE)

    def ring(self, aggregate: Aggregate) -> Ring:
        """Return the ring of an aggregate, made if it is new."""
        table = self.table(aggregate.by)
        tile = aggregate.resolution or EXACT_TILE
        key = (table, aggregate.kind.name, tile)
        return self.rings.setdefault(key, Ring(table, aggregate.kind, tile))

    def memory(self, aggregate: Aggregate) -> Remembered:
        """Return what an aggregate without tiles is told from, made if it is new."""
        table = self.table(aggregate.by)
        update = _update_of(aggregate)
        where = self._condition(aggregate)
        key = (table, aggregate.kind.name, update, aggregate.field, where)
        made = Remembered(table, aggregate.kind, update, aggregate.field, where)
        return self.remembered.setdefault(key, made)

    def sum_place(self, aggregate: Aggregate, operation: int, *, whole: bool = False) -> int:
        """Return where a ring adds something up; ``whole`` without the aggregate's condition."""
        where = "" if whole else self._condition(aggregate)
        named = "" if operation == layout.ONE else aggregate.field
        return place_of(self.ring(aggregate).sums, (operation, named, where))

    def square_place(self, aggregate: Aggregate) -> int:
        """Return where a ring adds up squares, after its other sums."""
        ring = self.ring(aggregate)
        part = (layout.SQUARE_LOW, aggregate.field, self._condition(aggregate))
        return len(ring.sums) + 2 * place_of(ring.squares, part)

    def extreme_place(self, aggregate: Aggregate) -> int:
        """Return where a ring keeps an extreme, after its sums."""
        extreme = layout.MINIMUM if aggregate.operator == Operator.MIN else layout.MAXIMUM
        part = (extreme, aggregate.field, self._condition(aggregate))
        return place_of(self.ring(aggregate).extremes, part)

    def _condition(self, aggregate: Aggregate) -> str:
        if aggregate.where is None:
            return ""
        text = aggregate.where.canonical()
        self._conditions.setdefault((aggregate.kind.name, text), aggregate.where)
        return text

    def _add(self, aggregate: Aggregate, ring_events: int) -> None:
        span = aggregate.window + aggregate.delay + 2 * aggregate.resolution + SECOND
        table = self.table(aggregate.by)
        known = self._spans.get(table, 0)
        self._spans[table] = _ALL_TIME if not aggregate.window or known == _ALL_TIME else max(known, span)
        if aggregate.in_ring:
            self._add_to_ring(aggregate, ring_events)
        else:
            self.memory(aggregate)

    def _require_parts(self, feature: Feature, aggregate: Aggregate) -> None:
        if aggregate.in_ring:
            ring = self.ring(aggregate)
            if ring.totals > PARTS_MAX:
                message = f"with it, {ring.kind.name} by {'+'.join(aggregate.by)} takes over {PARTS_MAX} sums"
                raise feature.error(BudgetExceeded, message)
            if ring.room > ROOM_MAX:
                message = f"its windows take {ring.room} entries a key, over {ROOM_MAX}"
                raise feature.error(BudgetExceeded, message)

    def _add_to_ring(self, aggregate: Aggregate, ring_events: int) -> None:
        ring = self.ring(aggregate)
        ring.need_window(aggregate.window, aggregate.delay)
        if ring.tile == EXACT_TILE:
            ring.room = max(ring.room, ring_events)
        self.sum_place(aggregate, layout.ONE)
        if aggregate.operator == Operator.SHARE:
            self.sum_place(aggregate, layout.ONE, whole=True)
        if aggregate.operator in (Operator.SUM, Operator.MEAN, Operator.STD):
            self.sum_place(aggregate, layout.VALUE)
        if aggregate.operator == Operator.STD:
            self.square_place(aggregate)
        if aggregate.operator in (Operator.MIN, Operator.MAX):
            self.extreme_place(aggregate)

    def build(self) -> Plan:
        """Lay everything out."""
        laid = self._lay_rows()
        conditions, kind_conditions, condition_bounds, code = self._lay_conditions()
        touches, kind_touches, updates, parts = self._lay_updates(conditions)
        steps, constants = code.arrays()
        return Plan(
            templates=np.concatenate(laid.templates),
            template_bounds=np.cumsum([0, *map(len, laid.templates)]),
            row_words=_words(laid.row_words),
            chunk_words=_words(laid.chunk_words),
            table_rings=np.cumsum([0, *laid.ring_counts]),
            horizons=_words([_ALL_TIME, _ALL_TIME, *(self._spans[table] for table in self._own_tables())]),
            hot_words=_words(laid.hot_words),
            kind_touches=_words(kind_touches),
            touches=_words(touches, 1 + KEY_IDS_MAX),
            updates=_words(updates, layout.UPDATE_COLUMNS),
            parts=_words(parts, layout.PART_COLUMNS),
            tiles=_words(self._tiles()),
            rings=_words(laid.rings, layout.RING_COLUMNS),
            windows=_words(laid.windows, layout.WINDOW_COLUMNS),
            kind_conditions=_words(kind_conditions),
            condition_bounds=_words(condition_bounds),
            code=steps,
            constants=constants,
        )

    def _tiles(self) -> list[int]:
        return sorted({ring.tile for ring in self.rings.values()})

    def _own_tables(self) -> range:
        return range(layout.FIRST_TABLE, len(self._tables))

    def _lay_rows(self) -> _Laid:
        laid = _Laid()
        for _ in range(layout.FIRST_TABLE):
            laid.templates.append(np.zeros(layout.LINE_WORDS, np.int64))
            laid.hot_words.append(layout.LINE_WORDS)
            laid.row_words.append(layout.LINE_WORDS)
            laid.ring_counts.append(0)
        for table in self._own_tables():
            rings = [ring for ring in self.rings.values() if ring.table == table]
            memories = [memory for memory in self.remembered.values() if memory.table == table]
            # Small things first: they are what nearly every event looks at.
            memories.sort(key=lambda memory: memory.words)
            parts = [np.zeros(layout.HEADER_WORDS, np.int64), *(ring.template() for ring in rings)]
            offset = sum(map(len, parts))
            for memory in memories:
                memory.offset = offset
                offset += memory.words
                parts.append(memory.template())
            small = [memory.words for memory in memories if memory.words < DISTINCT_SLOTS]
            laid.hot_words.append(layout.HEADER_WORDS + sum(ring.head_words for ring in rings) + sum(small))
            head = layout.HEADER_WORDS
            for ring in rings:
                ring.number = len(laid.rings)
                described = ring.describe(
                    offset=head, first_window=len(laid.windows), tile_number=self._tiles().index(ring.tile)
                )
                laid.rings.append(described)
                laid.windows.extend(ring.windows)
                head += ring.head_words
                laid.chunk_words.append(ring.chunk_words)
            laid.templates.append(np.concatenate(parts))
            laid.row_words.append(lines(offset))
            laid.ring_counts.append(len(rings))
        return laid

    def _lay_conditions(self) -> tuple[dict[tuple[str, str], int], list[int], list[int], Code]:
        code = Code()
        numbers: dict[tuple[str, str], int] = {}
        kind_bounds, bounds = [0], [0]
        for kind in self.kinds:
            for (of, text), condition in self._conditions.items():
                if of == kind.name:
                    numbers[of, text] = len(numbers)
                    bounds.append(code.add(condition, {})[1])
            kind_bounds.append(len(numbers))
        return numbers, kind_bounds, bounds, code

    def _lay_updates(
        self, conditions: dict[tuple[str, str], int]
    ) -> tuple[list[list[int]], list[int], list[list[int]], list[list[int]]]:
        touches: list[list[int]] = []
        kind_touches = [0]
        updates: list[list[int]] = []
        parts: list[list[int]] = []
        for of, kind in enumerate(self.kinds):
            if kind is CONSENT_KIND:
                touches.append([layout.CONSENT_TABLE, *_columns(kind, ("party",))])
                updates.append([layout.CONSENT, layout.HEADER_CONSENT, 0, -1, 0, 0, of, 0])
            for table in self._own_tables():
                changes = [
                    *self._changes_of_rings(kind, table, conditions, parts),
                    *self._changes_of_memories(kind, table, conditions),
                ]
                if changes:
                    touch = len(touches) - kind_touches[-1]
                    updates += [[*change, of, touch] for change in changes]
                    touches.append([table, *_columns(kind, self._tables[table])])
            kind_touches.append(len(touches))
        return touches, kind_touches, updates, parts

    def _changes_of_rings(
        self, kind: EventKind, table: int, conditions: dict[tuple[str, str], int], parts: list[list[int]]
    ) -> Iterator[list[int]]:
        before: Ring | None = None
        for ring in self.rings.values():
            if ring.table != table or ring.kind.name != kind.name:
                continue
            if before is not None and before.parts == ring.parts:
                # What the event adds is still there from the ring before.
                yield [layout.RING, ring.number, len(parts), -1, 0, len(parts)]
                continue
            before, first = ring, len(parts)
            for place, (operation, named, where) in enumerate(ring.parts):
                column = kind.numbers.index(named) if named else -1
                condition = conditions[kind.name, where] if where else -1
                parts.append([operation, place, column, condition])
            yield [layout.RING, ring.number, first, -1, 0, len(parts)]

    def _changes_of_memories(
        self, kind: EventKind, table: int, conditions: dict[tuple[str, str], int]
    ) -> Iterator[list[int]]:
        for memory in self.remembered.values():
            if memory.table != table or memory.kind.name != kind.name:
                continue
            names = kind.ids if memory.update == layout.SLOTS_OF_ID else kind.numbers
            column = names.index(memory.field) if memory.field else -1
            condition = conditions[kind.name, memory.where] if memory.where else -1
            yield [memory.update, memory.offset, column, condition, DISTINCT_SLOTS - 1, 0]


def _update_of(aggregate: Aggregate) -> int:
    if aggregate.operator == Operator.DISTINCT:
        is_id = aggregate.kind.field(aggregate.field).type in (FieldType.PARTY, FieldType.ID)
        return layout.SLOTS_OF_ID if is_id else layout.SLOTS_OF_NUMBER
    return layout.FIRST if aggregate.operator in (Operator.FIRST, Operator.AGE) else layout.LAST


def _columns(kind: EventKind, names: tuple[str, ...]) -> list[int]:
    columns = [kind.id_column(name) for name in names]
    return columns + [-1] * (KEY_IDS_MAX - len(columns))


def _words(rows: Sequence[object], columns: int = 0) -> Words:
    array = np.array(rows, np.int64)
    return array.reshape(-1, columns) if columns else array
