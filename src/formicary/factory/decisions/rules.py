"""Compiled rules: a set and its decision point become arrays that one kernel interprets.

::

    compiled = compile_rules(read_rules(text, file="card.yaml"), POINT)
    judged = compiled.judge(items_of(POINT, at=..., columns=...))
    explain(compiled, judged, 0)

Nothing is compiled to machine code: a set is armed in the time that its arrays take to be made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.records import Note, noted
from formicary.factory.decisions._rule_code import RuleCode
from formicary.factory.decisions._rule_kernels import FALSE, TRUE, UNKNOWN, run_rules_on
from formicary.factory.decisions._rule_layout import (
    ENTRY_COLUMNS,
    FOLD,
    HIGH_FACTOR,
    LIST_COLUMNS,
    LOW_FACTOR,
    RULE_COLUMNS,
    Items,
    Reals,
    Rules,
    Words,
)
from formicary.factory.decisions.documents import read_document
from formicary.factory.decisions.errors import (
    MalformedItems,
    RuleRefused,
    RulesMalformed,
    UnknownOutcome,
)
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.rule_sets import Rule, RuleList, RuleSet, words_of_id

__all__ = ["CompiledRules", "Explained", "Judged", "Verdict", "compile_rules", "explain", "findings"]

_WORD: Final = 1 << 64


class Verdict(IntEnum):
    """What a rule says of an item."""

    FALSE = FALSE
    TRUE = TRUE
    UNKNOWN = UNKNOWN
    """Its condition needs a value that is missing or absent."""


class Judged(NamedTuple):
    """What rules said of items."""

    verdicts: npt.NDArray[np.int8]
    """(n, rules): a ``Verdict`` of each rule, armed or not."""
    values: Reals
    """(n, inputs): what was read, in the order of ``CompiledRules.inputs``; NaN for what is not there."""
    outcomes: Words
    """(n,): the outcome's place in ``DecisionPoint.outcomes``."""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What one rule said of one item, and what it read."""

    rule: str
    verdict: Verdict
    enabled: bool
    outcome: str
    """What it says; empty where it does not hold. That of a rule which is not armed does not count."""
    reason: str
    read: Mapping[str, float | None]
    """Each value read, as it is written in conditions; 1 or 0 for a truth, None for what is not there."""


@dataclass(frozen=True, eq=False)
class CompiledRules:
    """A set of rules, ready to be run at its decision point.

    Attributes
    ----------
    rule_set, point
        What it was compiled of.
    arrays
        What the kernel is given.
    inputs
        What is read of an item, as it is written in conditions.
    reads
        For each rule, the numbers of the inputs it reads.
    """

    rule_set: RuleSet
    point: DecisionPoint
    arrays: Rules
    inputs: tuple[str, ...]
    reads: tuple[tuple[int, ...], ...]

    @property
    def slots(self) -> int:
        """How many words of scratch the kernel takes."""
        return len(self.arrays.inputs) + len(self.arrays.constants) + len(self.arrays.code)

    @property
    def note(self) -> Note:
        """The note of the arrays, for kernels; whoever has it keeps this object."""
        return noted(self.arrays)

    def judge(self, items: Items) -> Judged:
        """Judge items, each by itself.

        Raises
        ------
        MalformedItems
            A column is not of the decision point's shape; ``items_of`` makes those that are.
        """
        self._require_shapes(items)
        count = len(items.at)
        judged = Judged(
            np.zeros((count, len(self.rule_set.rules)), np.int8),
            np.zeros((count, len(self.inputs))),
            np.zeros(count, np.int64),
        )
        run_rules_on(self.note, items, np.zeros(self.slots), *judged)
        return judged

    def _require_shapes(self, items: Items) -> None:
        point, count = self.point, len(items.at)
        expected: list[tuple[tuple[int, ...], type[np.generic]]] = [
            ((count,), np.int64),
            ((count, len(point.on.ids), 2), np.int64),
            ((count, len(point.on.numbers)), np.int64),
            ((count,), np.int64),
            ((count, len(point.features)), np.float64),
            ((count, len(point.scores)), np.float64),
        ]
        for name, given, (shape, dtype) in zip(Items._fields, items, expected, strict=True):
            if given.shape != shape or given.dtype != dtype or not given.flags.c_contiguous:
                expects = f"contiguous {dtype.__name__} {shape}"
                message = f"{name} of {point.name} are {expects}, not {given.dtype} {given.shape}"
                raise MalformedItems(message)


def compile_rules(document: RuleSet, point: DecisionPoint) -> CompiledRules:
    """Return a set of rules, ready to be run at its decision point.

    Raises
    ------
    RuleRefused
        The first that is wrong with it; ``findings`` finds all.
    """
    compiled, wrong = _compiled(document, point)
    if wrong:
        raise wrong[0]
    return compiled


def findings(text: str, point: DecisionPoint, *, file: str = "") -> list[RuleRefused]:
    """Return all that is wrong with a document of rules, in the order of its lines."""
    document, wrong = read_document(text, file=file)
    wrong += _compiled(document, point)[1] if document.point else []
    return sorted(wrong, key=lambda error: (error.line, error.column))


def explain(compiled: CompiledRules, judged: Judged, item: int) -> tuple[Explained, ...]:
    """Return what each rule said of an item, with the values it read."""
    return tuple(
        _explained(compiled, number, int(judged.verdicts[item, number]), judged.values[item])
        for number in range(len(compiled.rule_set.rules))
    )


def _explained(compiled: CompiledRules, number: int, verdict: int, values: Reals) -> Explained:
    rule = compiled.rule_set.rules[number]
    says = {TRUE: rule.outcome, UNKNOWN: rule.if_unknown or compiled.point.safe_outcome}
    read = {
        compiled.inputs[place]: None if np.isnan(values[place]) else float(values[place])
        for place in compiled.reads[number]
    }
    return Explained(
        rule=rule.name,
        verdict=Verdict(verdict),
        enabled=rule.enabled,
        outcome=says.get(verdict, ""),
        reason=rule.reason,
        read=read,
    )


def _compiled(document: RuleSet, point: DecisionPoint) -> tuple[CompiledRules, list[RuleRefused]]:
    wrong: list[RuleRefused] = []
    if document.point != point.name:
        message = f"it is for the decision point {document.point!r}, not for {point.name!r}"
        wrong.append(RulesMalformed(message, file=document.file, line=1))
    code = RuleCode(point, [one.name for one in document.lists])
    added = [code.add(rule) for rule in document.rules]
    wrong += code.found
    for rule in document.rules:
        wrong += _unknown_outcomes(rule, point)
    known = [one for one in added if one]
    inputs, constants, operations, ids = code.arrays()
    rows = [
        _row(rule, code.place(slot), point)
        for rule, (slot, _) in zip(document.rules, known, strict=False)
        if not wrong
    ]
    rules = np.array(rows, np.int64).reshape(-1, RULE_COLUMNS)
    tables = Rules(inputs, constants, operations, rules, ids, *_tables(document.lists))
    reads = tuple(read for _, read in known)
    return CompiledRules(document, point, tables, tuple(code.names), reads), wrong


def _unknown_outcomes(rule: Rule, point: DecisionPoint) -> Iterator[RuleRefused]:
    for name in (rule.outcome, rule.if_unknown or point.safe_outcome):
        if name not in point.outcomes:
            message = f"{point.name} has no outcome {name!r}, only {', '.join(point.outcomes)}"
            yield UnknownOutcome(message, file=rule.file, line=rule.line, rule=rule.name)


def _row(rule: Rule, slot: int, point: DecisionPoint) -> tuple[int, ...]:
    if_unknown = rule.if_unknown or point.safe_outcome
    return slot, point.outcomes.index(rule.outcome), point.outcomes.index(if_unknown), int(rule.enabled)


def _tables(lists: Sequence[RuleList]) -> tuple[Words, Words]:
    """Return where the table of each list lies, and the tables end to end."""
    bounds: list[tuple[int, int]] = []
    rows: list[tuple[int, int, int]] = []
    for one in lists:
        # Twice as many slots as entries at least, a power of two.
        length = 2 << max(len(one.entries) - 1, 0).bit_length()
        table = [(0, 0, 0)] * length
        for entry in one.entries:
            words = words_of_id(entry.id)
            place = _mixed(*words) & length - 1
            while any(table[place][:2]):
                place = place + 1 & length - 1
            table[place] = (*words, entry.until)
        bounds.append((len(rows), length - 1))
        rows += table
    return (
        np.array(bounds, np.int64).reshape(-1, LIST_COLUMNS),
        np.array(rows, np.int64).reshape(-1, ENTRY_COLUMNS),
    )


def _mixed(high: int, low: int) -> int:
    """Return the hash of an id as the kernel computes it, in signed words that wrap around."""
    mixed = (high * HIGH_FACTOR ^ low * LOW_FACTOR) % _WORD
    signed = mixed - _WORD if mixed >= _WORD >> 1 else mixed
    return signed ^ signed >> FOLD
