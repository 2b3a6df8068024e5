"""From conditions to inputs, constants and operations of the kernel; types are checked on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NoReturn, TypeVar

import numpy as np

from formicary.factory.decisions._rule_layout import CODE_COLUMNS, INPUT_COLUMNS, Input, Reals, Words
from formicary.factory.decisions.errors import RuleRefused, RuleTypeMismatch, UnknownList, UnknownRuleName
from formicary.factory.decisions.expressions import Term
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.rule_sets import Rule, read_id, text_id, words_of_id
from formicary.factory.features.durations import duration_text
from formicary.factory.features.expressions import Op
from formicary.factory.features.kinds import FieldType

__all__ = ["RuleCode"]

_OFFSET_MINUTES_MAX: Final = 1_440

_OF_NUMBERS: Final = {
    "add": Op.ADD,
    "subtract": Op.SUBTRACT,
    "multiply": Op.MULTIPLY,
    "divide": Op.DIVIDE,
    "negate": Op.NEGATE,
    "magnitude": Op.MAGNITUDE,
    "smaller": Op.SMALLER,
    "larger": Op.LARGER,
}
_COMPARISONS: Final = {
    "less": Op.LESS,
    "less_or_equal": Op.LESS_OR_EQUAL,
    "greater": Op.LESS,
    "greater_or_equal": Op.LESS_OR_EQUAL,
}
_OF_TRUTHS: Final = {"and": Op.AND, "or": Op.OR, "not": Op.NOT}
_EQUALS: Final = {"equal": Op.EQUAL, "unequal": Op.UNEQUAL}


class _Type(StrEnum):
    """What a part of a condition is."""

    NUMBER = "a number"
    CONDITION = "a condition"
    ID = "an id"
    TEXT = "a text"
    """An id that the condition itself names."""


class _Group(StrEnum):
    """The three groups of slots; how many each has shows when all rules are there."""

    INPUT = "input"
    CONSTANT = "constant"
    STEP = "step"


_Slot = tuple[_Group, int]
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class _Part:
    """A part of a condition: its type, and its slot, or the column or row of an id."""

    type: _Type
    slot: _Slot | None = None
    id: int = -1
    name: str = ""


@dataclass
class RuleCode:
    """The conditions of a set, added one after the other; equal parts of them are there once."""

    point: DecisionPoint
    lists: Sequence[str]
    inputs: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """What is read, as the kernel is told; inputs, constants and operations with their numbers."""
    names: list[str] = field(default_factory=list)
    """How each input is written."""
    constants: dict[float, int] = field(default_factory=dict)
    steps: dict[tuple[Op, _Slot, _Slot], int] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)
    found: list[RuleRefused] = field(default_factory=list)
    """What is wrong with the rules."""
    _rule: Rule | None = None
    _read: dict[int, None] = field(default_factory=dict)

    def add(self, rule: Rule) -> tuple[_Slot, tuple[int, ...]] | None:
        """Add the condition of a rule; return its slot, and the numbers of the inputs it reads.

        Whatever is wrong is added to ``found``, and then it returns None.
        """
        self._rule = rule
        self._read = {}
        try:
            (slot,) = self._slots(Term("rule", (rule.condition,)), _Type.CONDITION)
        except RuleRefused as error:
            self.found.append(error)
            return None
        return slot, tuple(self._read)

    def place(self, slot: _Slot) -> int:
        """Return where a slot lies, when all rules were added."""
        group, number = slot
        if group == _Group.INPUT:
            return number
        return number + len(self.inputs) + (len(self.constants) if group == _Group.STEP else 0)

    def arrays(self) -> tuple[Words, Reals, Words, Words]:
        """Return inputs, constants, operations and ids."""
        code = [(op, self.place(left), self.place(right)) for op, left, right in self.steps]
        return (
            np.array(list(self.inputs), np.int64).reshape(-1, INPUT_COLUMNS),
            np.array(list(self.constants), np.float64),
            np.array(code, np.int64).reshape(-1, CODE_COLUMNS),
            np.array([words_of_id(one) for one in self.ids], np.int64).reshape(-1, 2),
        )

    def _part(self, term: Term) -> _Part:
        head = term.head
        if head in _OF_NUMBERS:
            return self._operation(term, _OF_NUMBERS[head], _Type.NUMBER)
        if head in _COMPARISONS:
            return self._compared(term)
        if head in _OF_TRUTHS:
            return self._operation(term, _OF_TRUTHS[head], _Type.CONDITION)
        if head in _EQUALS:
            return self._equal(term)
        made: dict[str, Callable[[Term], _Part]] = {
            "number": self._constant,
            "truth": self._constant,
            "text": self._id,
            "id": self._id,
            "name": self._named,
            "score": self._score,
            "in": self._member,
            "absent": self._absent,
            "missing": self._missing,
            "otherwise": self._otherwise,
            "hour": self._clock,
            "weekday": self._clock,
        }
        return made[head](term)

    def _operation(self, term: Term, op: Op, takes: _Type) -> _Part:
        slots = self._slots(term, takes)
        return _Part(takes, self._step(op, slots[0], slots[-1]))

    def _compared(self, term: Term) -> _Part:
        left, right = self._slots(term, _Type.NUMBER)
        if term.head.startswith("greater"):
            left, right = right, left
        return _Part(_Type.CONDITION, self._step(_COMPARISONS[term.head], left, right))

    def _parts(self, term: Term) -> list[_Part]:
        """Return all that a term is made of; raise the last that is wrong, the others are noted."""
        parts: list[_Part] = []
        wrong: list[RuleRefused] = []
        for inner in term.parts:
            try:
                parts.append(self._part(inner))
            except RuleRefused as error:
                wrong.append(error)
        if wrong:
            self.found += wrong[:-1]
            raise wrong[-1]
        return parts

    def _slots(self, term: Term, takes: _Type) -> list[_Slot]:
        """Return the slots of all that a term is made of, each of one type."""
        slots: list[_Slot] = []
        for part, inner in zip(self._parts(term), term.parts, strict=True):
            if part.type != takes or part.slot is None:
                self._refuse(RuleTypeMismatch, inner, f"{term.head} takes {takes}, not {part.type}")
            slots.append(part.slot)
        return slots

    def _step(self, op: Op, left: _Slot, right: _Slot) -> _Slot:
        return _Group.STEP, _number_of((op, left, right), self.steps)

    def _input(self, name: str, kind: Input, first: int = 0, second: int = 0) -> _Slot:
        number = _number_of((int(kind), first, second), self.inputs)
        if number == len(self.names):
            self.names.append(name)
        self._read[number] = None
        return _Group.INPUT, number

    def _constant(self, term: Term) -> _Part:
        kind = _Type.NUMBER if term.head == "number" else _Type.CONDITION
        return _Part(kind, (_Group.CONSTANT, _number_of(term.value, self.constants)))

    def _id(self, term: Term) -> _Part:
        if term.head == "text":
            identifier: int | None = text_id(term.name)
            name = repr(term.name)
        else:
            inner = term.parts[0]
            identifier = read_id(inner.name) if inner.head == "text" else None
            name = f"id({inner.name!r})"
        if identifier is None:
            self._refuse(RuleTypeMismatch, term, "id takes a text: a number above 0, or 32 digits in groups")
        if identifier not in self.ids:
            self.ids.append(identifier)
        return _Part(_Type.TEXT, id=self.ids.index(identifier), name=name)

    def _named(self, term: Term) -> _Part:
        point, name = self.point, term.name
        if name in point.features and name not in point.on.fields:
            return _Part(_Type.NUMBER, self._input(name, Input.FEATURE, point.features.index(name)))
        if name not in point.on.fields:
            if name == "at":
                self._refuse(RuleTypeMismatch, term, "at is only read as hour(at, …) and weekday(at, …)")
            what = "a list: write in" if name in self.lists else "no field or feature that it may read"
            self._refuse(UnknownRuleName, term, f"{name} is {what} at {point.name}")
        declared = point.on.fields[name]
        if declared.known_after:
            # The asking event asks at its own time, when its label is not known.
            message = f"{name} is known only {duration_text(declared.known_after)} after its event"
            self._refuse(UnknownRuleName, term, message)
        if declared.is_id:
            return _Part(_Type.ID, id=point.on.ids.index(name), name=name)
        kind = Input.REAL if declared.type == FieldType.REAL else Input.FIELD
        return _Part(_Type.NUMBER, self._input(name, kind, point.on.numbers.index(name)))

    def _score(self, term: Term) -> _Part:
        scores = self.point.scores
        if term.name not in scores:
            self._refuse(UnknownRuleName, term, f"{self.point.name} has no score {term.name!r}")
        return _Part(_Type.NUMBER, self._input(f"score.{term.name}", Input.SCORE, scores.index(term.name)))

    def _equal(self, term: Term) -> _Part:
        left, right = self._parts(term)
        if left.slot and right.slot and left.type == right.type:
            return _Part(_Type.CONDITION, self._step(_EQUALS[term.head], left.slot, right.slot))
        if left.type == _Type.TEXT:
            left, right = right, left
        if left.type != _Type.ID or right.slot:
            message = f"{left.type} and {right.type} are not compared"
            self._refuse(RuleTypeMismatch, term, message)
        kind = Input.IS_ID if right.type == _Type.TEXT else Input.SAME_ID
        same = self._input(f"{left.name} == {right.name}", kind, left.id, right.id)
        return _Part(_Type.CONDITION, self._step(Op.NOT, same, same) if term.head == "unequal" else same)

    def _member(self, term: Term) -> _Part:
        one, of = term.parts
        if of.head != "name" or of.name not in self.lists:
            known = ", ".join(self.lists) or "none"
            name = repr(of.name) if of.head == "name" else of.head
            self._refuse(UnknownList, of, f"there is no list {name}; there is {known}")
        part = self._part(one)
        if part.type != _Type.ID:
            self._refuse(RuleTypeMismatch, one, f"in takes an id of the event, not {part.type}")
        slot = self._input(f"{part.name} in {of.name}", Input.IN_LIST, part.id, self.lists.index(of.name))
        return _Part(_Type.CONDITION, slot)

    def _absent(self, term: Term) -> _Part:
        inner = term.parts[0]
        if inner.head != "name" or inner.name not in self.point.on.fields:
            message = f"absent takes a field of {self.point.on.name}; other values are missing"
            self._refuse(RuleTypeMismatch, inner, message)
        on = self.point.on
        is_id = on.fields[inner.name].is_id
        kind = Input.ABSENT_ID if is_id else Input.ABSENT
        column = (on.ids if is_id else on.numbers).index(inner.name)
        return _Part(_Type.CONDITION, self._input(f"absent({inner.name})", kind, column))

    def _missing(self, term: Term) -> _Part:
        inner = term.parts[0]
        declared = self.point.on.fields.get(inner.name) if inner.head == "name" else None
        if declared is not None:
            if declared.type != FieldType.REAL:
                message = f"{inner.name} can be absent, not missing: write absent({inner.name})"
                self._refuse(RuleTypeMismatch, inner, message)
            column = self.point.on.numbers.index(inner.name)
            slot = self._input(f"missing({inner.name})", Input.REAL_MISSING, column)
            return _Part(_Type.CONDITION, slot)
        (known,) = self._slots(term, _Type.NUMBER)
        return _Part(_Type.CONDITION, self._step(Op.IS_MISSING, known, known))

    def _otherwise(self, term: Term) -> _Part:
        part, default = self._parts(term)
        if part.slot is None or default.slot is None or part.type != default.type:
            message = f"otherwise takes two numbers or two conditions, not {part.type} and {default.type}"
            self._refuse(RuleTypeMismatch, term, message)
        return _Part(part.type, self._step(Op.IF_MISSING, part.slot, default.slot))

    def _clock(self, term: Term) -> _Part:
        at, offset = term.parts
        minutes = offset.value
        if at.head != "name" or at.name != "at":
            self._refuse(RuleTypeMismatch, at, f"{term.head} takes the time of the event: at")
        if offset.head != "number" or minutes % 1 or abs(minutes) > _OFFSET_MINUTES_MAX:
            message = f"clocks are ahead of UTC by whole minutes, {_OFFSET_MINUTES_MAX} at most"
            self._refuse(RuleTypeMismatch, offset, message)
        kind = Input.HOUR if term.head == "hour" else Input.WEEKDAY
        return _Part(_Type.NUMBER, self._input(f"{term.head}(at, {minutes:.0f})", kind, int(minutes)))

    def _refuse(self, kind: type[RuleRefused], term: Term, message: str) -> NoReturn:
        raise self._rule.error(kind, message, offset=term.offset) if self._rule else kind(message)


def _number_of(key: _Key, known: dict[_Key, int]) -> int:
    """Return the number of a key in the order of a dictionary; add it if it is new."""
    return known.setdefault(key, len(known))
