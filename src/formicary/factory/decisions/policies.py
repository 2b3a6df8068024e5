"""Policies: which models score at a decision point, what is trusted, how long money is held, and the caps.

::

    name: card_policy
    version: 3
    scores:
      risk: {model: card_risk}
      risk_shadow: {model: card_risk, alias: shadow}
    trusted: pair_count_90d >= 5 and amount < 50_00
    hold_seconds: 86400
    caps:
      - {name: rejects, outcome: reject, seconds: 60, count: 100, then: hold}
    explore: {share: 30_000, of: [reject], then: allow, amount_max: 50_00, count: 100}

Rules stand in a document of their own. A policy is armed with its rules, both or neither.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
import yaml

from formicary.base.limits import (
    CAPS_MAX,
    EXPLORED_MILLIONTHS_MAX,
    HOLD_SECONDS_MAX,
    POLICY_RULES_MAX,
    RULE_DOCUMENT_BYTES_MAX,
)
from formicary.base.lots import salt_of
from formicary.factory.decisions._rule_layout import INPUT_A, INPUT_KIND, Input
from formicary.factory.decisions.documents import read_document, read_rules
from formicary.factory.decisions.errors import PolicyRefused, RuleRefused
from formicary.factory.decisions.expressions import parse_expression
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.rule_sets import Rule, RuleSet
from formicary.factory.decisions.rules import CompiledRules, compile_rules, findings

__all__ = [
    "ArmedPolicy",
    "Cap",
    "Exploration",
    "Policy",
    "Score",
    "compile_policy",
    "policy_findings",
    "read_policy",
]

_CHAMPION: Final = "champion"
_ANYTHING_MAX: Final = 2**63 - 1

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,62}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, le=_ANYTHING_MAX)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=31 * 86_400)]


class Score(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model gives a score: the one that an alias names at the moment of the decision.

    Only a champion's score decides: one of another alias is computed, recorded, and looks on.
    """

    model: Name
    alias: Name = _CHAMPION

    @property
    def only_looks(self) -> bool:
        """Whether a missing score of it stops nothing."""
        return self.alias != _CHAMPION


class Cap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many decisions of a kind there may be in one period, and how much they may be about.

    Attributes
    ----------
    name
        In snake case.
    then
        The outcome in place of what would go beyond the cap.
    outcome, rule
        What it counts: decisions with this outcome, at which this rule held; every one where empty. A rule
        that is not armed makes a segment.
    seconds
        The length of a period; periods begin at whole multiples of it since 1970.
    count, amount
        The most decisions of a period, and the most minor units that they move together.
    """

    name: Name
    then: Name
    outcome: str = ""
    rule: str = ""
    seconds: Seconds = 60
    count: Count = _ANYTHING_MAX
    amount: Count = _ANYTHING_MAX


class Exploration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A random share of what scores alone refuse, which passes all the same: so it is learnt what it was.

    Attributes
    ----------
    share
        In millionths, of each case by itself.
    of, then
        The outcomes that may give way, and the one that comes out in their place.
    amount_max
        The most minor units that one of them may be about.
    count, seconds
        The most of them in a period, and its length; periods begin as those of caps do.
    """

    share: Annotated[int, msgspec.Meta(ge=1)]
    of: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
    then: Name
    amount_max: Count
    count: Count
    seconds: Seconds = 86_400


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy as it was written.

    Attributes
    ----------
    trusted
        A condition as in rules, without scores: where it holds, no model is asked and rules that read a score
        say nothing.
    hold_seconds
        After how long held money goes back by itself.
    """

    name: Name
    version: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    scores: dict[Name, Score] = {}
    trusted: str = ""
    hold_seconds: Annotated[int, msgspec.Meta(ge=1, le=HOLD_SECONDS_MAX)] = 86_400
    caps: Annotated[tuple[Cap, ...], msgspec.Meta(max_length=CAPS_MAX)] = ()
    explore: Exploration | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ArmedPolicy:
    """A policy and its rules, ready to decide.

    Attributes
    ----------
    rule_scores
        For each rule, the first score that it reads by its place at the point, -1 for none.
    trust
        What is trusted, as one rule; None where nothing is.
    salt
        Of the lots by which cases are explored. It follows from the text of the policy, which nobody outside
        the house knows: who may choose the ids of transfers does not choose their lots.
    """

    point: DecisionPoint
    policy: Policy
    rules: CompiledRules
    rule_scores: tuple[int, ...]
    trust: CompiledRules | None
    salt: int = 0


def point_id(name: str) -> int:
    """Return the 64-bit number that stands for a decision point's name in the rows of its decisions."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())


def read_policy(text: str) -> Policy:
    """Return the policy that a document says, in YAML or JSON.

    Raises
    ------
    PolicyRefused
        It is none.
    """
    if len(text.encode(errors="replace")) > RULE_DOCUMENT_BYTES_MAX:
        message = f"the policy has more than {RULE_DOCUMENT_BYTES_MAX:,} bytes"
        raise PolicyRefused(message)
    try:
        return msgspec.yaml.decode(text, type=Policy)
    except (msgspec.MsgspecError, yaml.YAMLError) as error:
        message = f"the policy cannot be read: {error}"
        raise PolicyRefused(message) from error


def policy_findings(point: DecisionPoint, policy: str, rules: str) -> list[str]:
    """Return all that is wrong with the documents of a policy and of its rules, in words."""
    wrong = [str(found) for found in findings(rules, point, file="rules")]
    try:
        told = read_policy(policy)
    except PolicyRefused as refused:
        return [str(refused), *wrong]
    return [*_policy_findings(point, told, read_document(rules)[0]), *wrong]


def compile_policy(point: DecisionPoint, policy: str, rules: str) -> ArmedPolicy:
    """Return a policy with its rules, ready to decide.

    Raises
    ------
    PolicyRefused
        Something is wrong with one of the documents; the message says all.
    """
    wrong = policy_findings(point, policy, rules)
    if wrong:
        raise PolicyRefused("; ".join(wrong))
    told, rule_set = read_policy(policy), read_rules(rules, file="rules")
    compiled = compile_rules(rule_set, point)
    scores = tuple(_score_of(compiled, number) for number in range(len(rule_set.rules)))
    trust = compile_rules(_trust_of(point, told, rule_set), point) if told.trusted else None
    salt = salt_of(f"explored at {point.name} by version {told.version}: {policy}")
    return ArmedPolicy(point=point, policy=told, rules=compiled, rule_scores=scores, trust=trust, salt=salt)


def _policy_findings(point: DecisionPoint, policy: Policy, rules: RuleSet) -> Iterator[str]:
    if not point.effects:
        yield f"{point.name} does not say what comes of its outcomes: nothing can be armed there"
    if len(rules.rules) > POLICY_RULES_MAX:
        yield f"{len(rules.rules)} rules, more than {POLICY_RULES_MAX} that a decision can record"
    for name in policy.scores:
        if name not in point.scores:
            yield f"{point.name} has no score {name!r}"
    yield from _cap_findings(point, policy, {rule.name for rule in rules.rules})
    if policy.explore is not None:
        yield from _exploration_findings(point, policy.explore)
    if policy.trusted:
        yield from _trust_findings(point, policy, rules)


def _cap_findings(point: DecisionPoint, policy: Policy, known: set[str]) -> Iterator[str]:
    for cap in policy.caps:
        for outcome in filter(None, (cap.outcome, cap.then)):
            if outcome not in point.outcomes:
                yield f"the cap {cap.name}: {point.name} has no outcome {outcome!r}"
        if cap.rule and cap.rule not in known:
            yield f"the cap {cap.name}: there is no rule {cap.rule!r}"
        if cap.outcome and cap.outcome == cap.then:
            yield f"the cap {cap.name} changes nothing"
    names = [cap.name for cap in policy.caps]
    yield from (f"two caps are named {name}" for name in sorted({n for n in names if names.count(n) > 1}))


def _exploration_findings(point: DecisionPoint, explore: Exploration) -> Iterator[str]:
    if not point.may_explore:
        yield f"{point.name} lets no policy explore"
    if explore.share > EXPLORED_MILLIONTHS_MAX:
        yield (
            f"explored are at most {EXPLORED_MILLIONTHS_MAX:,} millionths of what is refused, "
            f"not {explore.share:,}"
        )
    unknown = [name for name in dict.fromkeys((*explore.of, explore.then)) if name not in point.outcomes]
    if unknown:
        yield from (f"explore: {point.name} has no outcome {name!r}" for name in unknown)
        return
    for name in explore.of:
        if point.outcomes.index(explore.then) >= point.outcomes.index(name):
            yield f"explore: {explore.then} is no less severe than {name}"


def _trust_findings(point: DecisionPoint, policy: Policy, rules: RuleSet) -> Iterator[str]:
    try:
        compiled = compile_rules(_trust_of(point, policy, rules), point)
    except RuleRefused as refused:
        yield f"what is trusted: {refused}"
        return
    if _score_of(compiled, 0) >= 0:
        yield "what is trusted is known before there is a score"


def _trust_of(point: DecisionPoint, policy: Policy, rules: RuleSet) -> RuleSet:
    """Return what is trusted as a set of one rule, with the lists of the others."""
    least = point.outcomes[0]
    rule = Rule(
        name="trusted",
        when=policy.trusted,
        condition=parse_expression(policy.trusted),
        outcome=least,
        reason="It is trusted.",
        if_unknown=least,
    )
    return RuleSet(name="trust", version=policy.version, point=point.name, rules=(rule,), lists=rules.lists)


def _score_of(compiled: CompiledRules, rule: int) -> int:
    inputs = compiled.arrays.inputs
    read = [int(inputs[number, INPUT_A]) for number in compiled.reads[rule] if _is_score(inputs[number])]
    return min(read, default=-1)


def _is_score(row: object) -> bool:
    return bool(row[INPUT_KIND] == Input.SCORE)  # type: ignore[index]
