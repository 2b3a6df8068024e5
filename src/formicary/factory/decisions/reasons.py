"""Reasons in words: what a decision's row says by number, in the sentences of the policy that took it.

A row names at most four: rules, features that raised a score, a cap. Policies come and go, and so do the
features of a decision point; what a policy says in words is therefore kept from when it is armed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy.typing as npt

from formicary.factory.decisions._judge_layout import NO_SCORE, REASON_CAP, REASON_FEATURE
from formicary.factory.decisions.policies import ArmedPolicy
from formicary.factory.journal.rows import REASONS

__all__ = ["PolicyTexts", "sentences", "texts_of"]

Rows = npt.NDArray[Any]

_CAPPED: Final = "The limit of such decisions for this period of time was reached."
_UNTOLD: Final = "It could not be told whether this is so: {reason}"
_NO_SCORE: Final = "It could not be checked in full."


class PolicyTexts(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy says in words.

    Attributes
    ----------
    point, version
        Where it decides, and which it is.
    outcomes, features
        The names at the decision point when it was armed, in the order in which rows number them.
    rules
        The reason of each rule.
    """

    point: str
    version: int
    outcomes: tuple[str, ...]
    features: tuple[str, ...]
    rules: tuple[str, ...]


def texts_of(armed: ArmedPolicy) -> PolicyTexts:
    """Return what a policy says in words."""
    return PolicyTexts(
        point=armed.point.name,
        version=armed.policy.version,
        outcomes=armed.point.outcomes,
        features=armed.point.features,
        rules=tuple(rule.reason for rule in armed.rules.rule_set.rules),
    )


def sentences(decision: Rows, texts: PolicyTexts, feature_sentences: Mapping[str, str]) -> tuple[str, ...]:
    """Return why a decision went against somebody, the most important first, each sentence once.

    Parameters
    ----------
    decision
        A row, shape () of ``DECISION_ROW``.
    texts
        Of the policy that took it.
    feature_sentences
        What is told of a feature, by its name; of one without a sentence nothing is.

    Returns
    -------
    tuple[str, ...]
        At most ``REASONS``; none of what was allowed.
    """
    numbers = [int(decision[f"reason_{place}"]) for place in range(REASONS)]
    told = [_sentence(number, decision, texts, feature_sentences) for number in numbers if number]
    if not told and int(decision["effect"]) and int(decision["path"]) & NO_SCORE:
        told = [_NO_SCORE]
    return tuple(dict.fromkeys(filter(None, told)))


def _sentence(number: int, decision: Rows, texts: PolicyTexts, feature_sentences: Mapping[str, str]) -> str:
    if number >= REASON_CAP:
        return _CAPPED
    if number > REASON_FEATURE:
        return feature_sentences.get(texts.features[number - REASON_FEATURE - 1], "")
    reason = texts.rules[number - 1]
    # A rule may have decided because it could not be told: it is not said to hold.
    is_true = int(decision["rules_true"]) >> (number - 1) & 1
    return reason if is_true else _UNTOLD.format(reason=reason)
