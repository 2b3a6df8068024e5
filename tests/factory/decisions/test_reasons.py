"""Reasons in words: of rules, features, caps, and of what could not be told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formicary.base import limits
from formicary.factory.decisions import live
from formicary.factory.decisions._judge_layout import NO_SCORE, REASON_CAP, REASON_FEATURE
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.errors import DecisionPointMalformed
from formicary.factory.decisions.live import POLICY_ARMED, LiveDecisions
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import point_id
from formicary.factory.decisions.reasons import PolicyTexts, sentences, texts_of
from formicary.factory.engine.reads import read_policy_texts
from formicary.factory.engine.state import FactoryState
from formicary.factory.journal.events import Event
from formicary.factory.journal.rows import DECISION_ROW
from formicary.products.payments.risk import PAYMENT_POINT
from tests.factory.decisions.rules_kit import PAYMENT

TEXTS = PolicyTexts(
    point="payment",
    version=3,
    outcomes=("allow", "reject"),
    features=("count", "mean", "silent"),
    rules=("It is large.", "It is late."),
)
OF_FEATURES = {"count": "You made many.", "mean": "Others are smaller."}


def decision(*reasons: int, rules_true: int = 0, effect: Effect = Effect.REJECT, path: int = 0) -> Any:
    """Return a decision with reasons."""
    row = np.zeros((), DECISION_ROW)
    for place, reason in enumerate(reasons):
        row[f"reason_{place}"] = reason
    row["rules_true"], row["effect"], row["path"] = rules_true, effect, path
    return row


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (decision(), ()),
        (decision(2, 1, rules_true=3), ("It is late.", "It is large.")),
        (
            decision(1, 2, rules_true=1),
            ("It is large.", "It could not be told whether this is so: It is late."),
        ),
        (decision(REASON_FEATURE + 2, REASON_FEATURE + 1), ("Others are smaller.", "You made many.")),
        (decision(REASON_FEATURE + 3, path=NO_SCORE), ()),
        (
            decision(REASON_CAP + 1, 1, rules_true=1),
            ("The limit of such decisions for this period of time was reached.", "It is large."),
        ),
        (decision(1, 1, rules_true=1), ("It is large.",)),
        (decision(path=NO_SCORE), ("It could not be checked in full.",)),
        (decision(path=NO_SCORE, effect=Effect.ALLOW), ()),
    ],
)
def test_sentences(row: Any, expected: tuple[str, ...]) -> None:
    """Each number has its sentence, in the order of the row, and none is told twice."""
    assert sentences(row, TEXTS, OF_FEATURES) == expected


def armed(version: int, reason: str = "It is so.", when: str = "amount > 1") -> Event:
    """Return the event of a policy that is armed with one rule."""
    rule = {"name": "one", "when": when, "outcome": "reject", "reason": reason}
    rules = {"name": "tests", "version": version, "point": "payment", "rules": [rule]}
    body = {
        "point": "payment",
        "version": version,
        "policy": json.dumps({"name": "tests", "version": version}),
        "rules": json.dumps(rules),
    }
    return Event(
        position=version,
        timestamp=version,
        kind=POLICY_ARMED,
        version=1,
        command_id=1,
        subject=1,
        body=json.dumps(body).encode(),
    )


def told(decisions: LiveDecisions, version: int) -> tuple[str, ...] | None:
    """Return the reasons of a policy's rules, if it is known."""
    texts = decisions.texts(point_id("payment"), version)
    return None if texts is None else texts.rules


def test_what_policies_said_stays_known() -> None:
    """Of the one that is armed and of those before it, also in another process that takes a snapshot over."""
    decisions = LiveDecisions([PAYMENT_POINT])
    for version in (1, 2):
        decisions.apply(armed(version, f"It is {version}."))
    decisions.apply(armed(3, when="no_such_thing > 1"))
    again = LiveDecisions([PAYMENT_POINT])
    again.restore(decisions.sections())
    for known in (decisions, again):
        assert [told(known, version) for version in (1, 2, 3, 4)] == [
            ("It is 1.",),
            ("It is 2.",),
            ("The rules in force cannot be read.",),
            None,
        ]
        assert known.texts(point_id("other"), 1) is None
    policy = decisions.policy_of("payment")
    assert policy is not None
    assert texts_of(policy).features == PAYMENT_POINT.features


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes first."""
    assert limits.POLICY_TEXTS_MAX > 2
    monkeypatch.setattr(live, "POLICY_TEXTS_MAX", 2)
    decisions = LiveDecisions([PAYMENT_POINT])
    for version in (1, 2, 3):
        decisions.apply(armed(version))
    assert [told(decisions, version) is None for version in (1, 2, 3)] == [True, False, False]


def test_a_look_at_them(tmp_path: Path) -> None:
    """The engine is asked by the numbers that a row holds."""
    state = FactoryState(tmp_path)
    assert read_policy_texts(point_id("payment"), 1)(state) is None


def test_every_feature_of_payments_has_a_sentence() -> None:
    """Whatever a model may read can count against somebody, who is told so in words of their own."""
    assert set(PAYMENT_POINT.sentences) == set(PAYMENT_POINT.features)
    told = list(PAYMENT_POINT.sentences.values())
    assert len(set(told)) == len(told)
    assert all(sentence.endswith(".") and "payee_" not in sentence for sentence in told)


def test_a_sentence_of_nothing_is_refused() -> None:
    """A feature that is renamed takes its sentence along."""
    with pytest.raises(DecisionPointMalformed, match="sentences of mean_1d"):
        DecisionPoint(
            name="card_payment",
            on=PAYMENT,
            outcomes=("allow", "reject"),
            safe_outcome="reject",
            features=("mean_7d",),
            sentences={"mean_1d": "It is unlike others."},
        )
