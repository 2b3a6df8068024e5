"""A declaration of where rows come from says what is wrong with it, alone and beside its features."""

from __future__ import annotations

from dataclasses import replace

import pytest

from formicary.base.purposes import Purpose
from formicary.factory.models.asked import asked_set, findings_of
from formicary.factory.models.errors import ModelMalformed
from formicary.factory.models.questions import Label, Question
from formicary.factory.models.spec import Column, ModelSpec, Objective
from tests.factory.features.training_kit import CREDIT, RISK, SETS
from tests.factory.models.questions_kit import LABEL, QUESTION, asking


def test_a_right_question_has_no_findings() -> None:
    """What it says is part of the specification's hash, and the label has one of its own."""
    spec = asking()
    assert spec.findings() == findings_of(spec, SETS) == []
    assert asked_set(spec, SETS) == (QUESTION, RISK)
    longer = replace(LABEL, horizon="60d")
    assert LABEL.hash == replace(longer, horizon="30d").hash != longer.hash
    assert asking(replace(QUESTION, label=longer)).hash != spec.hash != asking(None).hash
    assert (LABEL.horizon_ns, QUESTION.half_life_ns) == (30 * 86_400 * 10**9, 0)
    assert replace(QUESTION, half_life="2h").half_life_ns == 7_200 * 10**9


def test_all_that_is_wrong_is_said() -> None:
    """Names, signs, spans, and an early label of one outcome alone."""
    label = Label(
        fact="Outcome",
        event="the order",
        positive=(("bad", 1), ("worse", 2)),
        negative=(("bad", 1),),
        horizon="1y",
        names="Payer",
    )
    question = Question(features="No Set", purpose=Purpose.FRAUD, label=label, half_life="soon")
    said = "; ".join(asking(question).findings())
    for part in (
        "in snake case, not 'Outcome'",
        "in snake case, not 'the order'",
        "in snake case, not 'Payer'",
        "bad 1 is a sign of both outcomes",
        "horizon: '1y' is no span of time",
        "half_life: 'soon' is no span of time",
        "a set of features has a name in snake case, not 'No Set'",
    ):
        assert part in said
    assert list(replace(LABEL, positive=(), negative=()).findings()) == ["nothing is a sign of the outcome 1"]
    assert list(replace(LABEL, negative=(), is_early=True).findings()) == [
        "an outcome counts early only where both are told"
    ]
    amounts = replace(asking(), objective=Objective.REGRESSION)
    assert amounts.findings() == ["order_risk: outcomes are 0 or 1, which is no regression"]


def _columns(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, reason="It counted against it.") for name in names)


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (replace(asking(), columns=_columns("nothing")), "risk has no feature 'nothing'"),
        (asking(replace(QUESTION, features="other")), "there are no features called 'other'"),
        (asking(replace(QUESTION, money="fee")), "payment has no number 'fee'"),
        (asking(replace(QUESTION, weight="fee")), "neither risk nor payment has 'fee'"),
        (
            asking(replace(QUESTION, label=replace(LABEL, names="device"))),
            "payment has no id 'device', only payer, payee",
        ),
        (
            replace(asking(replace(QUESTION, features="credit", money="")), columns=_columns("applications")),
            "application is no transfer",
        ),
    ],
)
def test_what_the_features_do_not_have(spec: ModelSpec, found: str) -> None:
    """Every name that leads nowhere is named, and nothing is asked then."""
    (said,) = findings_of(spec, SETS)
    assert said.startswith(f"order_risk: {found}")
    with pytest.raises(ModelMalformed, match=found.split("'", maxsplit=1)[0]):
        asked_set(spec, SETS)


def test_features_that_may_not_be_asked() -> None:
    """A purpose that a feature is not for, and a kind of event that no journal has."""
    narrow = [replace(feature, purposes=frozenset({Purpose.CREDIT})) for feature in RISK.features]
    said = findings_of(asking(), [replace(RISK, features=narrow)])
    assert said[0] == "order_risk: payee_received may not be read for fraud"
    nowhere = type(RISK.on)("visit", None, payer=RISK.on.field("payer"))
    label = replace(LABEL, names="payer")
    said = findings_of(asking(replace(QUESTION, label=label, money="")), [replace(RISK, on=nowhere)])
    assert said == ["order_risk: visit is no event of the journal"]
    with pytest.raises(ModelMalformed, match="which events its rows are"):
        asked_set(asking(None), [RISK, CREDIT])
