"""Cases that a set of rules is tested by: what is asked, and what must come out of it.

::

    rules: card_rules.yaml
    usual:
      event: {payer: 7, payee: 8, device: 9, amount: 900}
      features: {payer_mean_7d: 500}
      scores: {fraud: 0.02}
    cases:
      - name: a_device_on_the_list
        at: 2026-02-01T12:00:00Z
        event: {device: 12345}
        scores: {fraud: missing}
        outcome: reject
        holds: [blocked_device]
        unknown: [unusual_amount]

A case has the usual values but for those that it names itself. A field that neither names, or that is
``missing``, is absent, a feature or a score missing. An id is a number or groups of digits as in lists; any
other text stands for itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from formicary.base.limits import RULE_CASES_MAX
from formicary.factory.decisions._nodes import Nodes, line_of
from formicary.factory.decisions.errors import CasesMalformed, RuleRefused, TooManyRules
from formicary.factory.decisions.items import Items, items_of
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.rule_sets import read_id, text_id, words_of_id
from formicary.factory.decisions.rules import CompiledRules, Verdict
from formicary.factory.features.kinds import FieldType

__all__ = ["Case", "CaseResult", "Cases", "read_cases", "run_cases"]

_CASES: Final = {"rules": True, "usual": False, "cases": True}
_USUAL: Final = {"event": False, "features": False, "scores": False}
_CASE: Final = {
    "name": True,
    "at": True,
    "event": False,
    "features": False,
    "scores": False,
    "outcome": True,
    "holds": False,
    "holds_not": False,
    "unknown": False,
}
_VERDICTS: Final = {"holds": Verdict.TRUE, "holds_not": Verdict.FALSE, "unknown": Verdict.UNKNOWN}
_TELLS: Final = {Verdict.TRUE: "holds", Verdict.FALSE: "does not hold", Verdict.UNKNOWN: "is unknown"}
_NUMBER_MAX: Final = 2**53
_MISSING: Final = "missing"

_Texts = dict[str, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case.

    Attributes
    ----------
    name, line
        What it is called, and where it begins.
    at
        When the event asks, in nanoseconds.
    event, features, scores
        What is known, as it was written, by name.
    outcome
        What must come out.
    verdicts
        What rules must say, by name.
    """

    name: str
    line: int
    at: int
    event: Mapping[str, str]
    features: Mapping[str, str]
    scores: Mapping[str, str]
    outcome: str
    verdicts: Mapping[str, Verdict]


@dataclass(frozen=True, kw_only=True)
class Cases:
    """A document of cases; ``rules`` is the file of the set that they test."""

    rules: str
    cases: tuple[Case, ...]
    file: str


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """What came out of a case; ``failures`` are sentences, empty where all is as it must be."""

    case: Case
    outcome: str
    failures: tuple[str, ...]


def read_cases(text: str, *, file: str = "") -> tuple[Cases, list[RuleRefused]]:
    """Return what can be read of a document of cases, and all that is wrong with it."""
    reader = _Reader(file, CasesMalformed)
    root = reader.root(text)
    made = Cases(rules="", cases=(), file=file) if root is None else reader.document(root)
    return made, reader.found


def run_cases(cases: Cases, compiled: CompiledRules) -> tuple[list[CaseResult], list[RuleRefused]]:
    """Return what comes out of each case; or no result, and what cannot be asked of these rules."""
    found: list[RuleRefused] = []
    asked = [_asked(cases, one, compiled, found) for one in cases.cases]
    if found or not asked:
        return [], found
    judged = compiled.judge(_items(compiled.point, cases.cases, asked))
    rules = [rule.name for rule in compiled.rule_set.rules]
    results = []
    for place, case in enumerate(cases.cases):
        outcome = compiled.point.outcomes[judged.outcomes[place]]
        verdicts = dict(zip(rules, map(Verdict, judged.verdicts[place].tolist()), strict=True))
        failures = [f"{outcome} came out, not {case.outcome}"] if outcome != case.outcome else []
        failures += [
            f"{rule} {_TELLS[verdicts[rule]]}"
            for rule, verdict in case.verdicts.items()
            if verdicts[rule] != verdict
        ]
        results.append(CaseResult(case=case, outcome=outcome, failures=tuple(failures)))
    return results, []


class _Reader(Nodes):
    """One document of cases while it is read."""

    def document(self, root: Any) -> Cases:
        """Read the whole."""
        parts = self.fields(root, _CASES, "a document of cases")
        nodes = self.items(parts.get("cases"), "cases")
        if len(nodes) > RULE_CASES_MAX:
            self.wrong(TooManyRules, parts["cases"], f"it has more than {RULE_CASES_MAX:,} cases")
        usual = self._values(self.fields(parts.get("usual"), _USUAL, "what is usual"))
        made = tuple(self._case(node, usual) for node in nodes[:RULE_CASES_MAX])
        self.require_once([(case.name, case.line) for case in made if case.name])
        return Cases(rules=self.text(parts.get("rules")), cases=made, file=self.file)

    def _case(self, node: Any, usual: _Texts) -> Case:
        parts = self.fields(node, _CASE, "a case")
        verdicts: dict[str, Verdict] = {}
        for key, verdict in _VERDICTS.items():
            for one in self.items(parts.get(key), key):
                rule = self.text(one)
                if rule in verdicts:
                    self.wrong(self.kind, one, f"{rule} is named twice")
                verdicts[rule] = verdict
        own = self._values(parts)
        known = {
            key: {name: text for name, text in (usual[key] | own[key]).items() if text != _MISSING}
            for key in _USUAL
        }
        return Case(
            name=self.name(parts.get("name")),
            line=line_of(node),
            at=self.time(parts["at"]) if "at" in parts else 0,
            outcome=self.text(parts.get("outcome")),
            verdicts=verdicts,
            **known,
        )

    def _values(self, parts: Mapping[str, Any]) -> _Texts:
        return {key: self._texts(parts.get(key), key) for key in _USUAL}

    def _texts(self, node: Any, what: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in self.pairs(node, what):
            name = self.text(key)
            if name in found:
                self.wrong(self.kind, key, f"{name} is written twice")
            found[name] = self.text(value)
        return found


@dataclass
class _Asked:
    """A case's values as columns hold them."""

    ids: dict[str, int]
    numbers: dict[str, float]
    features: dict[str, float]
    scores: dict[str, float]


def _asked(cases: Cases, case: Case, compiled: CompiledRules, found: list[RuleRefused]) -> _Asked:
    """Return the values of a case; note what the decision point or the rules do not have."""
    point = compiled.point

    def wrong(message: str) -> None:
        found.append(CasesMalformed(message, file=cases.file, line=case.line, rule=case.name))

    def reals(given: Mapping[str, str], known: Sequence[str], what: str) -> dict[str, float]:
        made = {}
        for name, text in given.items():
            number = _number(text)
            if name not in known:
                wrong(f"{point.name} reads no {what} {name!r}")
            elif number is None:
                wrong(f"{name} is a number, not {text!r}")
            else:
                made[name] = number
        return made

    fields = point.on.fields
    ids = {name: text for name, text in case.event.items() if name in fields and fields[name].is_id}
    numbers = {name: text for name, text in case.event.items() if name not in ids}
    asked = _Asked(
        ids={name: read_id(text) or text_id(text) for name, text in ids.items()},
        numbers=reals(numbers, point.on.numbers, "field"),
        features=reals(case.features, point.features, "feature"),
        scores=reals(case.scores, point.scores, "score"),
    )
    for name, number in asked.numbers.items():
        if fields[name].type != FieldType.REAL and number % 1:
            wrong(f"{name} is a whole number, not {case.event[name]}")
    if case.outcome not in point.outcomes:
        wrong(f"{point.name} has no outcome {case.outcome!r}, only {', '.join(point.outcomes)}")
    rules = {rule.name for rule in compiled.rule_set.rules}
    for rule in sorted(set(case.verdicts) - rules):
        wrong(f"there is no rule {rule!r}")
    return asked


def _items(point: DecisionPoint, cases: Sequence[Case], asked: Sequence[_Asked]) -> Items:
    on = point.on
    columns: dict[str, Any] = {
        name: np.array([words_of_id(one.ids.get(name, 0)) for one in asked], np.int64) for name in on.ids
    }
    for name in on.numbers:
        kind = np.float64 if on.fields[name].type == FieldType.REAL else np.int64
        columns[name] = np.array([one.numbers.get(name, 0) for one in asked], kind)
    return items_of(
        point,
        at=np.array([case.at for case in cases], np.int64),
        columns=columns,
        absent={name: np.array([name not in one.numbers for one in asked]) for name in on.numbers},
        features={
            name: np.array([one.features.get(name, np.nan) for one in asked]) for name in point.features
        },
        scores={name: np.array([one.scores.get(name, np.nan) for one in asked]) for name in point.scores},
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) <= _NUMBER_MAX else None
