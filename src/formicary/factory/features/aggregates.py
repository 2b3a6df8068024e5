"""Aggregates: one operator over the events of a key within a window.

::

    mean(PAYMENT["amount"], by="payer", over="7d")
    share(TERMINAL_PAYMENT, where=PAYMENT["fraud"] == 1, by="payee", over="30d", delay="7d")

A window of length W at time t holds the events with ``t - W < at <= t`` that were known before. With a delay
d it holds those with ``t - d - W < at <= t - d``. By default it is made of *tiles*: it then begins with a
whole tile, so that it is up to one tile longer than W; with a delay, tiles that end by ``t - d`` and are W
long. ``exact=True`` keeps the key's recent events themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Required, TypedDict, Unpack

from formicary.factory.features.durations import (
    duration,
    duration_text,
    require_tiled,
    resolution_for,
)
from formicary.factory.features.errors import (
    FeatureMalformed,
    LabelWithoutDelay,
    TypeMismatch,
    WindowNotTiled,
)
from formicary.factory.features.expressions import Call, Constant, Expression
from formicary.factory.features.kinds import EventKind, FieldType, FieldValue

__all__ = [
    "TILED",
    "Aggregate",
    "Operator",
    "age",
    "count",
    "distinct",
    "first",
    "last",
    "maximum",
    "mean",
    "minimum",
    "share",
    "std",
    "time_since",
    "total",
]


class Operator(IntEnum):
    """What is told of the events of a window."""

    COUNT = 1
    SUM = 2
    MEAN = 3
    STD = 4
    MIN = 5
    MAX = 6
    SHARE = 7
    DISTINCT = 8
    LAST = 9
    FIRST = 10
    TIME_SINCE = 11
    AGE = 12


OF_INTEGERS: Final = frozenset({Operator.SUM, Operator.MEAN, Operator.STD, Operator.MIN, Operator.MAX})
TILED: Final = OF_INTEGERS | {Operator.COUNT, Operator.SHARE}
"""What is told from tiles, or from a key's recent events."""
KEY_IDS_MAX: Final = 4


class Options(TypedDict, total=False):
    """What every operator takes; spans of time as text.

    ``by`` and ``of`` name the ids that make the key: of the events that are aggregated, and of the event that
    asks (the same unless given).
    """

    where: Expression
    by: Required[str | tuple[str, ...]]
    of: str | tuple[str, ...]
    over: str
    delay: str
    resolution: str
    exact: bool


@dataclass(frozen=True, eq=False)
class Aggregate:
    """What one operator tells of a key's events; made by the functions of this module.

    Nothing is checked before ``check``, so that an error can name the feature that it belongs to.
    """

    operator: Operator
    kind: EventKind
    field: str
    options: Options

    @property
    def by(self) -> tuple[str, ...]:
        """The fields of an aggregated event whose ids are the key."""
        by = self.options.get("by", ())
        return (by,) if isinstance(by, str) else tuple(by)

    @property
    def of(self) -> tuple[str, ...]:
        """The fields of the asking event whose ids are the key."""
        of = self.options.get("of", ())
        return ((of,) if isinstance(of, str) else tuple(of)) or self.by

    @property
    def where(self) -> Expression | None:
        """The condition under which an event counts."""
        return self.options.get("where")

    @property
    def exact(self) -> bool:
        """Whether the events themselves are kept."""
        return self.options.get("exact", False)

    @property
    def window(self) -> int:
        """The length of the window in nanoseconds; 0 for all time."""
        over = self.options.get("over", "")
        return duration(over) if over else 0

    @property
    def delay(self) -> int:
        """How far back the window ends, in nanoseconds."""
        delay = self.options.get("delay", "")
        return duration(delay) if delay else 0

    @property
    def resolution(self) -> int:
        """The length of a tile in nanoseconds; 0 where there are none."""
        if not self.in_ring or self.exact or not self.window:
            return 0
        tile = self.options.get("resolution", "")
        return duration(tile) if tile else resolution_for(self.window, self.delay)

    @property
    def in_ring(self) -> bool:
        """Whether it is told from tiles or recent events, and not from what is remembered."""
        return self.operator in TILED

    def check(self) -> None:
        """Raise what is wrong with it.

        Raises
        ------
        UnknownField, TypeMismatch, FeatureMalformed, WindowNotTiled, LabelWithoutDelay
            See each.
        """
        unknown = sorted(self.options.keys() - Options.__annotations__.keys())
        if unknown:
            # Left alone, a condition whose name is misspelt would be no condition.
            message = (
                f"{', '.join(unknown)}: there is no such option, only {', '.join(Options.__annotations__)}"
            )
            raise FeatureMalformed(message)
        if not 1 <= len(self.by) <= KEY_IDS_MAX or len(self.by) != len(self.of):
            message = (
                f"a key is made of one to {KEY_IDS_MAX} ids, as many of the asking event as of the other"
            )
            raise FeatureMalformed(message)
        for name in self.by:
            self.kind.id_column(name)
        self._require_type()
        self._require_known()
        self._require_window()

    def canonical(self) -> str:
        """Return all that it means, as text: equal texts mean the same."""
        where = f" where {self.where.canonical()}" if self.where is not None else ""
        mode = "exactly" if self.exact else f"in tiles of {duration_text(self.resolution)}"
        return (
            f"{self.operator.name.lower()} of {self.kind.name}.{self.field or '*'}{where}"
            f" by {','.join(self.by)} of {','.join(self.of)}"
            f" over {duration_text(self.window)} after {duration_text(self.delay)} {mode}"
            f" [{self.kind.canonical()}]"
        )

    def _require_type(self) -> None:
        field = self.kind.field(self.field) if self.field else None
        if self.operator in OF_INTEGERS and not (field and field.is_integer):
            message = f"{self.operator.name.lower()} takes an amount or a number, not {self._named()}"
            raise TypeMismatch(message)
        if self.operator in (Operator.LAST, Operator.FIRST) and (field is None or field.is_id):
            message = f"{self.operator.name.lower()} takes a value, not {self._named()}"
            raise TypeMismatch(message)
        if self.operator == Operator.DISTINCT and (field is None or field.type == FieldType.REAL):
            message = f"distinct takes an id or a whole number, not {self._named()}"
            raise TypeMismatch(message)
        if self.operator == Operator.SHARE and self.where is None:
            message = "share is of the events for which something holds: where=..."
            raise FeatureMalformed(message)
        if self.where is not None:
            require_condition(self.where, self.kind)

    def _require_known(self) -> None:
        """Refuse what would be known too early: a label is read only after the delay it is known by."""
        read = [self.field] if self.field else []
        if self.where is not None:
            read += [part.field for part in self.where.walk() if isinstance(part, FieldValue)]
        for name in read:
            known_after = self.kind.field(name).known_after
            if known_after > self.delay:
                message = (
                    f"{self.kind.name}.{name} is known {duration_text(known_after)} after its event, "
                    f"but read after {duration_text(self.delay)}"
                )
                raise LabelWithoutDelay(message)

    def _require_window(self) -> None:
        if (self.in_ring or self.operator == Operator.DISTINCT) and not self.window:
            message = f"{self.operator.name.lower()} needs a window: over='7d'"
            raise FeatureMalformed(message)
        if self.delay and not self.in_ring:
            message = f"{self.operator.name.lower()} remembers the latest only, so it cannot be delayed"
            raise WindowNotTiled(message)
        if self.operator in (Operator.FIRST, Operator.AGE) and self.window:
            message = "the first event of a window is not kept: ask for the first of all"
            raise WindowNotTiled(message)
        if self.options.get("resolution") and (self.exact or not self.resolution):
            message = "only windows of tiles have a resolution"
            raise WindowNotTiled(message)
        if self.resolution:
            require_tiled(self.window, self.delay, self.resolution)

    def _named(self) -> str:
        if not self.field:
            return "whole events"
        return f"{self.kind.name}.{self.field} ({self.kind.field(self.field).type})"


def require_condition(where: Expression, kind: EventKind) -> None:
    """Raise ``TypeMismatch`` unless a condition is about fields of one kind that are numbers."""
    for part in where.walk():
        if isinstance(part, FieldValue):
            known = part.kind is kind and not kind.field(part.field).is_id
        else:
            known = isinstance(part, (Call, Constant))
        if not known:
            message = f"a condition on {kind.name} reads its numbers, not {part.canonical()}"
            raise TypeMismatch(message)


def count(kind: EventKind, **options: Unpack[Options]) -> Aggregate:
    """Return how many events there were."""
    return Aggregate(Operator.COUNT, kind, "", options)


def share(kind: EventKind, **options: Unpack[Options]) -> Aggregate:
    """Return the share of the events for which ``where`` holds, 0 to 1; missing where there were none."""
    return Aggregate(Operator.SHARE, kind, "", options)


def total(value: FieldValue, **options: Unpack[Options]) -> Aggregate:
    """Return the sum of a field; 0 where there were none."""
    return Aggregate(Operator.SUM, value.kind, value.field, options)


def mean(value: FieldValue, **options: Unpack[Options]) -> Aggregate:
    """Return the mean of a field; missing where there were none."""
    return Aggregate(Operator.MEAN, value.kind, value.field, options)


def std(value: FieldValue, **options: Unpack[Options]) -> Aggregate:
    """Return the sample standard deviation of a field; missing where there were fewer than two."""
    return Aggregate(Operator.STD, value.kind, value.field, options)


def minimum(value: FieldValue, **options: Unpack[Options]) -> Aggregate:
    """Return the smallest value of a field; missing where there were none."""
    return Aggregate(Operator.MIN, value.kind, value.field, options)


def maximum(value: FieldValue, **options: Unpack[Options]) -> Aggregate:
    """Return the largest value of a field; missing where there were none."""
    return Aggregate(Operator.MAX, value.kind, value.field, options)


def distinct(value: FieldValue, **options: Unpack[Options]) -> Aggregate:
    """Return about how many different values a field had: exact for one, within a fifth up to some 200.

    Each value falls into one of 64 slots, which remember when they were last hit; from the share of slots
    that were hit within the window follows the estimate (linear counting: Whang, Vander-Zanden and Taylor
    1990; with times in place of bits: Kim and O'Hallaron 2003).
    """
    return Aggregate(Operator.DISTINCT, value.kind, value.field, options)


def last(value: FieldValue, **options: Unpack[Options]) -> Aggregate:
    """Return a field's value in the latest event, the one known later where two are of one time."""
    return Aggregate(Operator.LAST, value.kind, value.field, options)


def first(value: FieldValue, **options: Unpack[Options]) -> Aggregate:
    """Return a field's value in the earliest event."""
    return Aggregate(Operator.FIRST, value.kind, value.field, options)


def time_since(kind: EventKind, **options: Unpack[Options]) -> Aggregate:
    """Return the seconds since the latest event; missing where there was none, or none within the window."""
    return Aggregate(Operator.TIME_SINCE, kind, "", options)


def age(kind: EventKind, **options: Unpack[Options]) -> Aggregate:
    """Return the seconds since the earliest event; missing where there was none."""
    return Aggregate(Operator.AGE, kind, "", options)
