"""What is wrong with a policy and its rules, before they are armed."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from formicary.factory.decisions.documents import read_document

__all__ = ["policy_findings"]


def policy_findings(point: str, policy: str, rules: str) -> list[str]:
    """Return all that is wrong with a policy and its rules for a decision point, as lines to read.

    Parameters
    ----------
    point
        The name of the decision point.
    policy, rules
        Documents of YAML.
    """
    return [*_of_policy(policy), *_of_rules(point, rules)]


def _of_policy(policy: str) -> Iterator[str]:
    try:
        root = yaml.compose(policy, yaml.SafeLoader)
    except yaml.YAMLError as error:
        yield f"policy: {' '.join(str(error).split())}"
        return
    if not isinstance(root, yaml.MappingNode):
        yield "policy: it has no fields"


def _of_rules(point: str, text: str) -> Iterator[str]:
    found, wrong = read_document(text, file="rules")
    yield from map(str, wrong)
    if not wrong and found.point != point:
        yield f"rules: they are for {found.point}, not for {point}"
