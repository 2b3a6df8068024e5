"""Compiled rules: verdicts, outcomes, lists and what is told of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from formicary.factory.decisions.documents import read_rules
from formicary.factory.decisions.errors import (
    DecisionPointMalformed,
    MalformedItems,
    RuleRefused,
    UnknownOutcome,
)
from formicary.factory.decisions.items import items_of
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.decisions.rules import Explained, Verdict, compile_rules, explain
from formicary.factory.features.kinds import EventKind, number
from tests.factory.decisions.rules_kit import PAYMENT, POINT, UNTIL, compiled, document, items, verdicts


def test_an_entry_is_a_member_until_its_time() -> None:
    """One nanosecond before it is, at the time it is none any more; others are for good."""
    moments = (UNTIL - 1, UNTIL, UNTIL + 1)
    some = [{"at": at, "payer": 3, "payee": 2, "country": text_id("IR")} for at in moments]
    assert verdicts("payer in known", *some) == [1, 0, 0]
    assert verdicts("country in risky", *some) == [1, 0, 0]
    assert verdicts("payer not in known", *some) == [0, 1, 1]
    assert verdicts("payee in known", *some) == [1, 1, 1]


def test_a_list_of_many_finds_its_own_and_no_other() -> None:
    """Every entry of a large list is found however they collide, and none that is not there."""
    members = [*range(1, 3_000, 2), *(n << 64 for n in range(1, 200)), (1 << 128) - 1]
    lists = f"lists: {{many: {{of: ids, entries: {members}}}, none: {{of: ids, entries: []}}}}"
    rule = "{name: one, when: payer in many, outcome: hold, reason: It is.}"
    other = "{name: two, when: payer in none, outcome: hold, reason: It is.}"
    text = f"name: x\nversion: 1\npoint: card_payment\n{lists}\nrules: [{rule}, {other}]"
    rules = compile_rules(read_rules(text), POINT)
    for asked, expected in ((members, 1), ([*range(2, 3_000, 2), 1 << 100], 0)):
        judged = rules.judge(items([{"at": 0, "payer": one} for one in asked]))
        assert set(judged.verdicts[:, 0].tolist()) == {expected}
        assert set(judged.verdicts[:, 1].tolist()) == {0}


def test_chained_comparisons() -> None:
    """A chain holds where each of its links does."""
    some = [{"at": 0, "amount": amount} for amount in (-1, 0, 9, 10)]
    assert verdicts("0 <= amount < 10", *some) == [0, 1, 1, 0]
    assert verdicts("10 > amount >= 0 != amount", *some) == [0, 0, 1, 0]


def test_what_is_not_there_is_unknown_until_it_is_guarded() -> None:
    """A missing value is no false: it needs ``otherwise``, ``missing``, or a part that decides without it."""
    nothing = {"at": 0, "amount": 5}
    assert verdicts("amount > mean_7d", nothing) == [Verdict.UNKNOWN]
    assert verdicts("not amount > mean_7d", nothing) == [Verdict.UNKNOWN]
    assert verdicts("amount > mean_7d or amount > 4", nothing) == [Verdict.TRUE]
    assert verdicts("amount > mean_7d and amount > 5", nothing) == [Verdict.FALSE]
    assert verdicts("amount > otherwise(mean_7d, 4)", nothing) == [Verdict.TRUE]
    assert verdicts("otherwise(amount > mean_7d, false)", nothing) == [Verdict.FALSE]
    assert verdicts("mean_7d is missing", nothing) == [Verdict.TRUE]
    assert verdicts("amount / 0 > 1", nothing) == [Verdict.UNKNOWN]


def test_missing_is_not_absent() -> None:
    """A field that was not sent is absent; a number that could not be told is missing."""
    absent, missing = {"at": 0, "risk": None}, {"at": 0, "risk": float("nan")}
    assert verdicts("absent(risk)", absent, missing) == [1, 0]
    assert verdicts("missing(risk)", absent, missing) == [0, 1]
    assert verdicts("risk > 0", absent, missing) == [2, 2]
    assert verdicts("absent(payer)", {"at": 0}, {"at": 0, "payer": 1}) == [1, 0]


def test_hours_and_weekdays_are_those_of_the_clock() -> None:
    """The first of January 1970 was a Thursday in Greenwich, and already Friday later in the east."""
    evening = {"at": 23 * 3_600 * 10**9}
    assert verdicts("hour(at, 0) == 23 and weekday(at, 0) == 3", evening) == [1]
    assert verdicts("hour(at, 420) == 6 and weekday(at, 420) == 4", evening) == [1]
    assert verdicts("hour(at, -1439) == 23 and weekday(at, -1439) == 2", evening) == [1]


def test_the_most_severe_of_the_armed_rules_decides() -> None:
    """One that is not armed is judged and says nothing; without any that holds the mildest comes out."""
    some = [{"at": 0, "amount": amount} for amount in (0, 1, 2, 3)]
    rules = compiled("amount >= 3", "amount >= 1", "amount >= 2", enabled=False)
    kinds = ("reject", "step_up", "hold")
    each = [replace(rule, outcome=kind) for rule, kind in zip(rules.rule_set.rules, kinds, strict=True)]
    rules = compile_rules(replace(rules.rule_set, rules=tuple(each)), POINT)
    judged = rules.judge(items(some))
    assert [POINT.outcomes[one] for one in judged.outcomes] == ["allow", "step_up", "hold", "hold"]
    assert judged.verdicts[3].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [({}, "hold"), ({"if_unknown": "step_up"}, "step_up"), ({"if_unknown": "allow"}, "allow")],
)
def test_what_unknown_means(changed: dict[str, str], outcome: str) -> None:
    """The safe outcome of the decision point, unless the rule says what."""
    judged = compiled("mean_7d > 3", **changed).judge(items([{"at": 0}]))
    assert judged.verdicts.tolist() == [[Verdict.UNKNOWN]]
    assert POINT.outcomes[judged.outcomes[0]] == outcome


def test_a_verdict_is_explained() -> None:
    """Each rule, with what it says and the values that it read, by the names in its condition."""
    rules = compiled("amount > 3 and payer in known", "mean_7d > score.fraud", enabled=False)
    item = {"at": 0, "amount": 4, "payer": 1, "score.fraud": 0.5}
    assert explain(rules, rules.judge(items([item])), 0) == (
        Explained(
            rule="rule_0",
            verdict=Verdict.TRUE,
            enabled=False,
            outcome="reject",
            reason="It is so.",
            read={"amount": 4.0, "payer in known": 1.0},
        ),
        Explained(
            rule="rule_1",
            verdict=Verdict.UNKNOWN,
            enabled=True,
            outcome="hold",
            reason="It is so.",
            read={"mean_7d": None, "score.fraud": 0.5},
        ),
    )


def test_equal_parts_are_computed_once() -> None:
    """Twenty rules about the same quotient divide once."""
    rules = compiled(*(f"amount / count_1h > {limit}" for limit in range(20)))
    assert len(rules.arrays.code) == 21
    assert rules.inputs == ("amount", "count_1h")


def test_a_set_without_rules_says_nothing() -> None:
    """Nor does one item too few or too many change anything."""
    rules = compile_rules(read_rules("{name: x, version: 1, point: card_payment, rules: []}"), POINT)
    assert rules.judge(items([{"at": 0}])).outcomes.tolist() == [0]
    assert compiled("true").judge(items([])).verdicts.shape == (0, 1)


def test_the_first_that_is_wrong_is_raised() -> None:
    """A set that is wrong cannot be compiled."""
    with pytest.raises(UnknownOutcome):
        compiled("true", outcome="decline")
    with pytest.raises(RuleRefused, match="it is for the decision point"):
        compile_rules(read_rules(document("true")), replace(POINT, name="other"))


@pytest.mark.parametrize(
    "changed",
    [
        {"safe_outcome": "decline"},
        {"outcomes": ("hold", "hold")},
        {"outcomes": ("Hold", "hold")},
        {"name": ""},
        {"features": ("amount",)},
        {"features": ("missing",)},
        {"scores": ("a", "a")},
        {"party": "amount"},
        {"on": EventKind("at", None, at=number())},
        {"on": EventKind("many", None, **{f"number_{place}": number() for place in range(64)})},
    ],
)
def test_a_decision_point_does_not_contradict_itself(changed: dict[str, object]) -> None:
    """A name is one thing, and not a word of the language."""
    declared = {name: getattr(POINT, name) for name in POINT.__dataclass_fields__}
    with pytest.raises(DecisionPointMalformed):
        DecisionPoint(**{**declared, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"at": [-1]},
        {"at": [0.5]},
        {"columns": {"nothing": [1]}},
        {"columns": {"amount": [1, 2]}},
        {"columns": {"amount": [1.5]}},
        {"columns": {"payer": [1]}},
        {"columns": {"risk": ["x"]}},
        {"absent": {"payer": [True]}},
        {"absent": {"amount": [1]}},
        {"features": {"mean": [1.0]}},
        {"scores": {"fraud": ["x"]}},
    ],
)
def test_items_are_what_the_decision_point_reads(changed: dict[str, object]) -> None:
    """A column of another name, type or length is refused, not guessed."""
    with pytest.raises(MalformedItems):
        items_of(POINT, **({"at": [0], "columns": {}} | changed))  # type: ignore[arg-type]


def test_items_of_another_point_are_refused() -> None:
    """The kernel does not look at bounds, so the shapes are looked at before."""
    other = DecisionPoint(name="other", on=PAYMENT, outcomes=("allow",), safe_outcome="allow")
    with pytest.raises(MalformedItems, match="features"):
        compiled("true").judge(items_of(other, at=np.array([0]), columns={}))
