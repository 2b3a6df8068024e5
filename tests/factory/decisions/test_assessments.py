"""What deciders are told by champions: what the model says, why, and what it would say otherwise."""

from __future__ import annotations

import base64

import msgspec
import numpy as np
import pytest

from formicary.base.purposes import Purpose
from formicary.factory.decisions.assessments import Assessors, load_kernels
from formicary.factory.decisions.live import LiveDecisions
from formicary.factory.features.aggregates import total
from formicary.factory.features.compiler import compiled
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.expressions import value_of
from formicary.factory.journal.events import Event
from formicary.factory.models.calibration import identity
from formicary.factory.models.errors import UnknownModel
from formicary.factory.models.model import Model
from formicary.factory.models.questions import Label, Question
from formicary.factory.models.spec import Column, ModelSpec
from tests.factory.decisions.desk import PAYMENT, features_of, made_model

COLUMNS = ("twice", "asked")
SET = FeatureSet(
    name="assessed",
    on=PAYMENT,
    owner="tests",
    features=features_of(
        {
            "paid": total(PAYMENT["amount"], by="payer", over="1d"),
            "asked": PAYMENT["amount"],
            "twice": value_of("paid") * 2.0,
        },
        Purpose.FRAUD,
    ),
)
SPEC = ModelSpec(
    name="risk_model",
    owner="tests",
    predicts="Nothing much.",
    columns=tuple(Column(name=name, reason="It is so.") for name in COLUMNS),
    question=Question(
        features="assessed",
        purpose=Purpose.FRAUD,
        label=Label(fact="f", event="payment", positive=(("a", 1),), horizon="1d"),
    ),
)
TABLE = ModelSpec(name="of_tables", owner="tests", predicts="Nothing.", columns=SPEC.columns)


class World:
    """Assessors over registry events."""

    def __init__(self) -> None:
        self.live = LiveDecisions()
        self.assessors = Assessors((SPEC, TABLE), self.live, compiled((SET,)))

    def champion(self, model: Model | None, name: str = SPEC.name) -> None:
        """Let a model be the champion."""
        digest = "" if model is None else model.hash
        if model is not None:
            content = base64.b64encode(model.to_bytes()).decode()
            self.tells("registry.ModelPartStored", int(digest, 16), part=0, parts=1, content=content)
        self.tells("registry.AliasMoved", 1, model=name, alias="champion", hash=digest)

    def tells(self, kind: str, subject: int, **body: object) -> None:
        """Apply an event."""
        content = msgspec.json.encode(body)
        event = Event(
            position=1, timestamp=1, kind=kind, version=1, command_id=1, subject=subject, body=content
        )
        self.live.apply(event)


@pytest.fixture
def world() -> World:
    """Return assessors without a champion."""
    return World()


def test_it_says_what_the_model_says(world: World) -> None:
    """Score and chance are those of the model, attributions add up, and what follows is computed anew."""
    model = made_model(3, columns=COLUMNS)
    world.champion(model)
    values = {"paid": 700.0, "asked": None, "twice": 1_400.0}
    told = world.assessors.assess(SPEC.name, values)
    assert told is not None
    row = np.array([[1_400.0, np.nan]])
    assert (told.hash, told.columns, told.names) == (model.hash, COLUMNS, ("paid", "asked", "twice"))
    assert told.raw == model.forest.raw_scores(row)[0] == told.raw_scores(row)[0]
    assert model.calibration is not None
    assert told.chance == model.calibration.apply([told.raw])[0]
    whole = told.attributions.sum() + told.assessor.shap.expected_score
    assert whole == pytest.approx(told.raw)
    assert told.assessor.following == {"twice"}
    changed = told.assessor.followed(np.array([[100.0, np.nan, 1_400.0]]))
    assert changed[0, 2] == 200.0
    other = model.forest.raw_scores(np.array([[200.0, np.nan]]))
    assert told.chances(changed) == model.calibration.apply(other)
    assert set(told.assessor.cuts) <= set(COLUMNS)


def test_where_nothing_can_be_said(world: World) -> None:
    """Without a champion, with other values, with amounts, with what cannot be read: nothing is said."""
    values = {"paid": 700.0, "asked": 3.0, "twice": 1_400.0}
    with pytest.raises(UnknownModel):
        world.assessors.assess("nobody", values)
    assert world.assessors.assess(SPEC.name, values) is None
    first, second = made_model(1, columns=COLUMNS), made_model(2, columns=COLUMNS)
    hashes = []
    for model in (first, second, None, first):
        world.champion(model)
        told = world.assessors.assess(SPEC.name, values)
        hashes.append(None if told is None else told.hash)
    assert hashes == [first.hash, second.hash, None, first.hash]
    assert world.assessors.assess(SPEC.name, {"paid": 1.0}) is None
    world.champion(made_model(4, columns=("twice", "unheard_of")))
    assert world.assessors.assess(SPEC.name, values) is None
    amounts = made_model(5, columns=COLUMNS, calibration=None)
    world.champion(amounts)
    assert world.assessors.assess(SPEC.name, values) is None
    assert "no chances" in world.live.unusable[amounts.hash]
    world.champion(made_model(6, columns=COLUMNS, leaf=1e308, calibration=identity()))
    assert world.assessors.assess(SPEC.name, values) is None


def test_a_model_of_tables_reads_its_own_columns(world: World) -> None:
    """Without a set of features the values are those of the columns, and nothing follows from them."""
    model = made_model(7, columns=COLUMNS)
    world.champion(model, TABLE.name)
    told = world.assessors.assess(TABLE.name, {"asked": 1.0, "twice": 2.0})
    assert told is not None
    assert (told.names, told.assessor.following) == (COLUMNS, frozenset())
    assert told.assessor.followed(told.values[None]).tolist() == [[2.0, 1.0]]
    load_kernels()
