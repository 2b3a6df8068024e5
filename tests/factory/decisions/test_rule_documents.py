"""Documents of rules: what is wrong is found all at once, with its place; what is right has one identity."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.factory.decisions import documents, errors
from formicary.factory.decisions.documents import read_document, read_rules
from formicary.factory.decisions.errors import RuleRefused
from formicary.factory.decisions.rule_sets import read_id, text_id, words_of_id
from formicary.factory.decisions.rules import findings
from tests.factory.decisions.rules_kit import POINT, document

TEXT = dedent("""\
    name: card_rules
    version: 3
    point: card_payment
    lists:
      known: {of: ids, entries: [12, {id: 00000000-0000-0000-0000-00000000000d, until: 2030-01-01}]}
      risky:
        of: texts
        entries:
          - KP
          - text: IR
            until: 1900000000000000000
    rules:
      - name: large
        when: amount > 3 * otherwise(mean_7d, 0)
        outcome: hold
        reason: The amount is large.
      - name: strange
        when: |
          payee not in known
          and country in risky
        outcome: reject
        reason: Payee and country are unusual.
        enabled: false
        if_unknown: step_up
    """)


def told(text: str) -> list[tuple[str, int, str, int]]:
    """Return what is found: the code, the line, the rule and the column."""
    return [(one.code, one.line, one.rule, one.column) for one in findings(text, POINT, file="card.yaml")]


def test_a_document_is_read() -> None:
    """Its parts are what they say, in YAML and in the JSON of the same."""
    rules = read_rules(TEXT, file="card.yaml")
    assert (rules.name, rules.version, rules.point) == ("card_rules", 3, "card_payment")
    assert [(one.name, one.enabled, one.if_unknown) for one in rules.rules] == [
        ("large", True, ""),
        ("strange", False, "step_up"),
    ]
    assert [entry.id for entry in rules.lists[0].entries] == [12, 13]
    assert [entry.id for entry in rules.lists[1].entries] == [text_id("KP"), text_id("IR")]
    assert rules.lists[1].entries[1].until == 1_900_000_000 * 10**9
    assert told(TEXT) == []
    plain = yaml.load(TEXT, yaml.BaseLoader)  # noqa: S506, it makes texts only
    assert read_rules(json.dumps(plain)) == rules


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("card_rules", "Card-Rules", [("rules_malformed", 1, "", 0)]),
        ("version: 3", "version: 0", [("rules_malformed", 2, "", 0)]),
        ("version: 3\n", "", [("rules_malformed", 1, "", 0)]),
        ("point: card_payment", "point: other", [("rules_malformed", 1, "", 0)]),
        ("version: 3", "version: 3\nowner: x", [("rules_malformed", 3, "", 0)]),
        ("version: 3", "version: 3\nversion: 4", [("rules_malformed", 3, "", 0)]),
        ("of: texts", "of: names", [("rules_malformed", 7, "", 0)]),
        ("- KP", "- [KP]", [("rules_malformed", 9, "", 0)]),
        ("- KP", "- IR", [("rules_malformed", 10, "", 0)]),
        ("[12,", "[x,", [("rules_malformed", 5, "", 0)]),
        ("[12,", "[0,", [("rules_malformed", 5, "", 0)]),
        ("2030-01-01", "soon", [("rules_malformed", 5, "", 0)]),
        ("2030-01-01", "9000-01-01", [("rules_malformed", 5, "", 0)]),
        ("name: large", "name: strange", [("rules_malformed", 19, "", 0)]),
        ("  risky:", "  known:", [("rules_malformed", 6, "", 0), ("unknown_list", 20, "strange", 16)]),
        ("card_rules", "[]", [("rules_malformed", 1, "", 0)]),
        ("name: large", "name: ''", [("rules_malformed", 13, "", 0)]),
        ("name: large", "name: 9", [("rules_malformed", 13, "9", 0)]),
        ("  known:", "  Known:", [("rules_malformed", 5, "", 0), ("unknown_list", 19, "strange", 14)]),
        ("is large.", "is large", [("rules_malformed", 16, "large", 0)]),
        ("enabled: false", "enabled: no", [("rules_malformed", 23, "strange", 0)]),
        ("outcome: hold", "outcome: []", [("rules_malformed", 15, "large", 0)]),
        ("outcome: hold", "outcome: decline", [("unknown_outcome", 14, "large", 0)]),
        ("if_unknown: step_up", "if_unknown: maybe", [("unknown_outcome", 19, "strange", 0)]),
        ("in known", "in unknown", [("unknown_list", 19, "strange", 14)]),
        ("in risky", "in riskier", [("unknown_list", 20, "strange", 16)]),
        ("amount > 3", "amounts > 3", [("unknown_rule_name", 14, "large", 1)]),
        ("amount > 3", "score.x > 3", [("unknown_rule_name", 14, "large", 1)]),
        ("amount > 3", "fraud == 1 and amount > 3", [("unknown_rule_name", 14, "large", 1)]),
        ("amount > 3", "a + b > c", [("unknown_rule_name", 14, "large", column) for column in (1, 5, 9)]),
        ("amount > 3", "payer > 3", [("rule_type_mismatch", 14, "large", 1)]),
        ("amount > 3", "amount >> 3", [("rule_expression_malformed", 14, "large", 1)]),
        ("amount > 3", "amount > > 3", [("rule_expression_malformed", 14, "large", 10)]),
        ("and country", "and or country", [("rule_expression_malformed", 20, "strange", 5)]),
        ("amount > 3", f"{'-(' * 25}1{')' * 25} > 3", [("rule_expression_too_large", 14, "large", 47)]),
        ("amount > 3", f"amount > {'3 + ' * 300}3", [("rule_expression_too_large", 14, "large", 1)]),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    before: str, after: str, expected: list[tuple[str, int, str, int]]
) -> None:
    """Each finding has its code, the line of the document, the rule, and the column in its condition."""
    assert before in TEXT
    assert told(TEXT.replace(before, after, 1)) == expected


def test_a_message_names_file_line_rule_and_column() -> None:
    """Whoever reads it opens the file there."""
    (wrong,) = findings(TEXT.replace("in risky", "in riskier"), POINT, file="card.yaml")
    assert str(wrong) == (
        "card.yaml:20: strange: column 16: there is no list 'riskier'; there is known, risky"
    )


def test_all_is_found_at_once() -> None:
    """Whoever corrects a document need not try again for each line."""
    text = TEXT.replace("version: 3", "version: x").replace("amount", "amunt").replace("reject", "deny")
    assert [code for code, *_ in told(text)] == ["rules_malformed", "unknown_rule_name", "unknown_outcome"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "x",
        "{",
        "\x00",
        "\ud800",
        "name: &a x\nversion: *a",
        "a: &a [*a]",
        "[" * 5_000,
        "{[]: x}",
        "rules: {}\nlists: []",
        "rules: [[], x, {name: []}, {[]: x}, {when: {}}]\nlists: {x: 1, [y]: {of: ids, entries: 3}}",
        "--- 1\n--- 2",
        "!!python/object/apply:os.system [ls]",
        "x" * ((4 << 20) + 1),
    ],
)
def test_what_is_no_document_is_refused(text: str) -> None:
    """Nothing that anyone may write ends in anything but findings, and the first of them is raised."""
    assert findings(text, POINT)
    with pytest.raises(RuleRefused):
        read_rules(text)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_any_text_as_a_document(text: str) -> None:
    """A text that nobody meant as rules has findings."""
    assert findings(text, POINT)


# fmt: off
WORDS = (
    "amount", "payer", "known", "score", ".", "fraud", "(", ")", "and", "or", "not", "in", "is", "<", "==",
    "missing", "absent", "otherwise", ",", "1", "1e999", "0x", "'", '"', "\\", "lambda:", "[", "]", "{", "}",
    "at", "hour", "id", "days", "percent", "~", "-", "**", "%", ":=", "*", "#", "é", "f'{x}'", "j", "b''",
)
# fmt: on
ALPHABET = st.sampled_from([*WORDS, "\n", " "])


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.lists(ALPHABET, min_size=1, max_size=12).map(" ".join), st.text(min_size=1, max_size=20)))
def test_any_text_as_a_condition(when: str) -> None:
    """It is understood, or refused with a place in it."""
    for wrong in findings(document(when), POINT):
        assert wrong.line > 0
        assert 0 <= wrong.column <= len(when) + 2


@pytest.mark.parametrize(
    "when",
    [
        "amount",
        "1",
        "payer",
        "not amount",
        "amount and true",
        "true + 1 > 2",
        "payer < payee",
        "payer == amount",
        '"KP" == "IR"',
        "amount in known",
        '"KP" in known',
        "payer in 'known'",
        "absent(mean_7d)",
        "missing(amount)",
        "missing(payer)",
        "missing(true)",
        "otherwise(payer, payee) == payer",
        "otherwise(amount, true)",
        "at > 3",
        "hour(amount, 0) > 3",
        "hour(at, amount) > 3",
        "hour(at, 1.5) > 3",
        "weekday(at, 2000) > 3",
        "id('x') == payer",
        "id(3) == payer",
        "known == payer",
        "known > 3",
    ],
)
def test_types_are_checked(when: str) -> None:
    """Numbers, ids and conditions do not stand for each other; a finding stands in the condition."""
    (wrong,) = findings(document(when), POINT)
    assert isinstance(wrong, errors.RuleTypeMismatch | errors.UnknownList | errors.UnknownRuleName)
    assert wrong.column > 0


@pytest.mark.parametrize(
    "when",
    [
        "amount = 3",
        "x := 3",
        "amount % 3 == 1",
        "amount ** 2 > 3",
        "amount if true else 3",
        "[amount]",
        "payer.name == 'x'",
        "score.fraud.x > 1",
        "open('x')",
        "min(1, 2) > 1",
        "hour(at) > 3",
        "hour(at, offset=3) > 3",
        "days(amount) > 3",
        "+amount > 3",
        "~amount > 3",
        "amount is 3",
        "amount is payer",
        "9007199254740993 < amount",
        "1e999 > amount",
        "2j == amount",
        "'' == country",
        "b'KP' == country",
        "None == amount",
        "... == amount",
        "f'{amount}' == country",
        "1and amount > 3",
        "__import__('os').system('ls')",
    ],
)
def test_the_language_has_no_more(when: str) -> None:
    """Python's other parts are refused, and nothing of a condition is ever run."""
    (wrong,) = findings(document(when), POINT)
    assert isinstance(wrong, errors.ExpressionMalformed)


def test_the_column_counts_characters() -> None:
    """A letter of two bytes before it does not move a place, nor do spaces at the beginning."""
    (wrong,) = findings(document('  country == "é" and nothing > 3'), POINT)
    assert wrong.column == 22


def test_too_many_rules_lists_and_entries_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits are told at the part that breaks them."""
    monkeypatch.setattr(documents, "RULES_MAX", 1)
    monkeypatch.setattr(documents, "RULE_LISTS_MAX", 1)
    monkeypatch.setattr(documents, "RULE_LIST_ENTRIES_MAX", 1)
    found = read_document(TEXT)[1]
    assert [(one.code, one.line) for one in found] == [
        ("too_many_rules", 5),
        ("too_many_rules", 13),
        ("too_many_rules", 5),
    ]


def test_the_identity_does_not_depend_on_how_it_is_written() -> None:
    """The order of fields, of lists and of their entries, spaces, and comments change nothing."""
    one = read_rules(TEXT)
    plain = yaml.load(TEXT, yaml.BaseLoader)  # noqa: S506, it makes texts only
    plain["lists"]["risky"]["entries"].reverse()
    turned = {key: plain[key] for key in reversed(plain)}
    turned["lists"] = {key: plain["lists"][key] for key in reversed(plain["lists"])}
    turned["rules"] = [{key: rule[key] for key in reversed(rule)} for rule in plain["rules"]]
    turned["rules"][0]["when"] = "((amount)>(3)*otherwise( mean_7d,0.0 ))"
    assert read_rules(json.dumps(turned)).identity == one.identity
    assert read_rules("# seen\n" + TEXT.replace("amount >", "amount  >")).identity == one.identity


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("version: 3", "version: 4"),
        ("amount > 3", "amount >= 3"),
        ("amount > 3", "amount > 4"),
        ("outcome: hold", "outcome: reject"),
        ("enabled: false", "enabled: true"),
        ("if_unknown: step_up", "if_unknown: hold"),
        ("is large", "is very large"),
        ("KP", "KPX"),
        ("2030-01-01", "2031-01-01"),
    ],
)
def test_the_identity_changes_with_the_meaning(before: str, after: str) -> None:
    """Whatever changes a verdict or what is said of it makes another set."""
    assert read_rules(TEXT.replace(before, after, 1)).identity != read_rules(TEXT).identity


def test_ids_are_read_in_both_forms() -> None:
    """Numbers from 1 and groups of digits; halves are signed words."""
    assert read_id("18446744073709551617") == (1 << 64) + 1
    assert read_id("00000000-0000-0001-0000-000000000001") == (1 << 64) + 1
    assert [
        read_id(text) for text in ("0", "-1", "x", str(1 << 128), "00000000-0000-0000-0000-000000000000")
    ] == [None] * 5
    assert words_of_id((1 << 128) - 2) == (-1, -2)
