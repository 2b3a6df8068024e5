"""Cases say what must come out: whatever comes out otherwise is told, and what cannot be asked is refused."""

from __future__ import annotations

from textwrap import dedent

import pytest

from formicary.factory.decisions import cases as module
from formicary.factory.decisions.cases import Cases, read_cases, run_cases
from formicary.factory.decisions.rules import Verdict
from tests.factory.decisions.rules_kit import compiled

RULES = compiled("amount > 10 * mean_7d", "payee in known", "score.fraud > percent(90)", "country == 'ID'")
TEXT = dedent("""\
    rules: rules.yaml
    usual:
      event: {payer: 5, payee: 9, amount: 400, country: GB, risk: 0.5}
      features: {mean_7d: 50}
      scores: {fraud: 0.1}
    cases:
      - name: usual
        at: 2026-01-01T00:00:00Z
        outcome: allow
        holds_not: [rule_0, rule_1, rule_2, rule_3]
      - name: large
        at: 2026-01-01T00:00:00Z
        event: {amount: 5_01}
        outcome: reject
        holds: [rule_0]
      - name: unknown
        at: 2026-01-01T00:00:00Z
        event: {country: missing}
        features: {mean_7d: missing}
        outcome: hold
        unknown: [rule_0, rule_3]
      - name: known
        at: 2020-01-01T00:00:00Z
        event: {payee: 00000000-0000-0000-0000-000000000003}
        scores: {fraud: 0.95}
        outcome: reject
        holds: [rule_1, rule_2]
      - name: known_no_more
        at: 2026-01-01T00:00:00Z
        event: {payee: 3, country: ID}
        outcome: reject
        holds: [rule_3]
        holds_not: [rule_1]
    """)


def read(text: str) -> Cases:
    """Return cases that are as they must be."""
    cases, wrong = read_cases(text, file="cases.yaml")
    assert [str(one) for one in wrong] == []
    return cases


def test_cases_are_judged() -> None:
    """Fields, features, scores and lists are those of the case, and else the usual ones."""
    cases = read(TEXT)
    assert (cases.rules, cases.file) == ("rules.yaml", "cases.yaml")
    results, wrong = run_cases(cases, RULES)
    assert wrong == []
    assert [(one.case.name, one.failures) for one in results] == [
        (name, ()) for name in ("usual", "large", "unknown", "known", "known_no_more")
    ]
    assert [one.outcome for one in results] == ["allow", "reject", "hold", "reject", "reject"]
    assert [one.case.line for one in results] == [7, 11, 16, 22, 28]
    assert cases.cases[2].verdicts == {"rule_0": Verdict.UNKNOWN, "rule_3": Verdict.UNKNOWN}
    assert run_cases(read("rules: x\ncases: []"), RULES) == ([], [])


def test_what_comes_out_otherwise_is_told() -> None:
    """The outcome, and every rule that says something else than it must."""
    text = TEXT.replace("5_01", "500").replace("holds: [rule_3]", "unknown: [rule_3]")
    text = text.replace("unknown: [rule_0, rule_3]", "holds: [rule_0]")
    results, _ = run_cases(read(text), RULES)
    assert [one.failures for one in results] == [
        (),
        ("allow came out, not reject", "rule_0 does not hold"),
        ("rule_0 is unknown",),
        (),
        ("rule_3 holds",),
    ]


@pytest.mark.parametrize(
    ("before", "after", "line", "message"),
    [
        ("rules: rules.yaml\n", "", 1, "needs a field 'rules'"),
        ("amount: 400", "amount: [400]", 3, "here stands a text"),
        ("{amount: 5_01}", "{amount: 5, amount: 6}", 13, "amount is written twice"),
        ("name: large", "name: usual", 11, "two are named 'usual'"),
        ("name: large", "name: Large", 11, "no name in snake case"),
        ("holds: [rule_0]", "holds: rule_0", 15, "holds is a sequence"),
        ("holds: [rule_0]", "holds: [rule_0, rule_0]", 15, "rule_0 is named twice"),
        ("holds: [rule_0]", "wants: [rule_0]", 15, "a case has no field 'wants'"),
        ("at: 2020-01-01T00:00:00Z", "at: yesterday", 23, "RFC 3339"),
        ("at: 2020-01-01T00:00:00Z", "at: 1920-01-01", 23, "between 1970"),
        ("at: 2020-01-01T00:00:00Z\n    ", "", 22, "needs a field 'at'"),
        ("  scores: {fraud: 0.1}", "  scores: 0.1", 5, "names with values"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(before: str, after: str, line: int, message: str) -> None:
    """As with rules, all at once."""
    assert before in TEXT
    _, wrong = read_cases(TEXT.replace(before, after, 1), file="cases.yaml")
    assert [(one.code, one.line) for one in wrong] == [("rule_cases_malformed", line)]
    assert message in str(wrong[0])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("{amount: 5_01}", "{amont: 5}", "reads no field 'amont'"),
        ("{amount: 5_01}", "{amount: 5.5}", "amount is a whole number, not 5.5"),
        ("{amount: 5_01}", "{amount: many}", "amount is a number, not 'many'"),
        ("{amount: 5_01}", "{amount: inf}", "amount is a number"),
        ("{amount: 5_01}", "{risk: nan}", "risk is a number"),
        ("{amount: 5_01}", "{}\n    features: {mean: 5}", "reads no feature 'mean'"),
        ("{amount: 5_01}", "{}\n    scores: {frued: 5}", "reads no score 'frued'"),
        ("outcome: reject\n    holds: [rule_0]", "outcome: deny\n    holds: [rule_0]", "no outcome 'deny'"),
        ("holds: [rule_0]", "holds: [rule_9]", "there is no rule 'rule_9'"),
    ],
)
def test_what_the_rules_do_not_have_is_refused(before: str, after: str, message: str) -> None:
    """A case that asks for what there is not would pass for the wrong reason."""
    assert before in TEXT
    results, wrong = run_cases(read(TEXT.replace(before, after, 1)), RULES)
    assert results == []
    assert [(one.code, one.line, one.rule) for one in wrong] == [("rule_cases_malformed", 11, "large")]
    assert message in str(wrong[0])


def test_what_is_no_document_is_refused() -> None:
    """Nothing is read of it."""
    cases, wrong = read_cases("{")
    assert cases.cases == ()
    assert [one.code for one in wrong] == ["rule_cases_malformed"]


def test_too_many_cases_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """They were not written by hand."""
    monkeypatch.setattr(module, "RULE_CASES_MAX", 4)
    cases, wrong = read_cases(TEXT)
    assert [one.code for one in wrong] == ["too_many_rules"]
    assert len(cases.cases) == 4
