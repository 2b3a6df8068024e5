"""What can be wrong with a rule: each error names the file, the line, the rule and the column it stands in.

::

    Refusal
    └── RuleRefused
        ├── RulesMalformed, TooManyRules                       the document
        ├── ExpressionMalformed, ExpressionTooLarge            what a condition is written in
        ├── UnknownRuleName, RuleTypeMismatch                  what a condition reads
        ├── UnknownList, UnknownOutcome                        what a rule refers to
        ├── DecisionPointMalformed, MalformedItems             what rules are run at, and on
        ├── CasesMalformed, CostsMalformed                     what they are tried with
        └── PolicyRefused                                      what is armed with them
"""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = [
    "CasesMalformed",
    "CostsMalformed",
    "DecisionPointMalformed",
    "ExpressionMalformed",
    "ExpressionTooLarge",
    "MalformedItems",
    "PolicyRefused",
    "RuleRefused",
    "RuleTypeMismatch",
    "RulesMalformed",
    "TooManyRules",
    "UnknownList",
    "UnknownOutcome",
    "UnknownRuleName",
]


class RuleRefused(Refusal):
    """A set of rules is not what it must be.

    Attributes
    ----------
    file
        The name of the document; empty where it has none.
    line
        The line of the document, from 1; 0 where there is none.
    rule
        The rule that is wrong; empty where it is none in particular.
    column
        The column in the rule's condition, from 1; 0 where it is not the condition.
    said
        What is wrong.
    """

    code = "rule_refused"

    def __init__(
        self, message: str | None = None, *, file: str = "", line: int = 0, rule: str = "", column: int = 0
    ) -> None:
        super().__init__(message)
        self.said = super().__str__()
        self.file = file
        self.line = line
        self.rule = rule
        self.column = column

    def __str__(self) -> str:
        place = ":".join(part for part in (self.file, str(self.line or "")) if part)
        column = f"column {self.column}" if self.column else ""
        return ": ".join(part for part in (place, self.rule, column, self.said) if part)


class RulesMalformed(RuleRefused):
    """A document of rules is no YAML, lacks a field or has one that there is not."""

    code = "rules_malformed"


class TooManyRules(RuleRefused):
    """A document has more rules, lists or entries of lists than a set may have."""

    code = "too_many_rules"


class ExpressionMalformed(RuleRefused):
    """A condition is not written in the language of rules."""

    code = "rule_expression_malformed"


class ExpressionTooLarge(RuleRefused):
    """A condition is too long, or nests deeper than anyone can read."""

    code = "rule_expression_too_large"


class UnknownRuleName(RuleRefused):
    """A condition names what its decision point may not read."""

    code = "unknown_rule_name"


class RuleTypeMismatch(RuleRefused):
    """An operator or a function is given a number, an id or a condition that it does not take."""

    code = "rule_type_mismatch"


class UnknownList(RuleRefused):
    """A condition names a list that its document does not have."""

    code = "unknown_list"


class UnknownOutcome(RuleRefused):
    """A rule names an outcome that its decision point does not have."""

    code = "unknown_outcome"


class DecisionPointMalformed(RuleRefused):
    """A decision point's names contradict each other."""

    code = "decision_point_malformed"


class MalformedItems(RuleRefused):
    """Items to be judged lack a column, or one of them does not hold what the decision point says."""

    code = "malformed_items"


class PolicyRefused(RuleRefused):
    """The documents of a policy and of its rules cannot be armed; what was armed before stays."""

    code = "policy_refused"


class CasesMalformed(RuleRefused):
    """A document of cases is no YAML, lacks a field, or names what its rules do not have."""

    code = "rule_cases_malformed"


class CostsMalformed(RuleRefused):
    """A document of costs is no YAML, has a field that there is not, or a number that cannot be."""

    code = "costs_malformed"
