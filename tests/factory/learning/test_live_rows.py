"""Rows of a real journal, and the chances that decided about them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions.effects import Effect
from formicary.factory.engine.requests import command_request
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts
from formicary.factory.learning.errors import PlanMalformed
from formicary.factory.learning.live_rows import decided, fields_of, rows_of
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.rows import UNKNOWN
from formicary.factory.learning.stopped import stopped_rows, together
from formicary.factory.ledger import account_array
from formicary.factory.models.errors import ModelMalformed
from formicary.factory.models.spec import Column
from formicary.factory.models.training_set import AskedRows, asked_rows
from formicary.factory.registry import NAME as REGISTRY
from formicary.factory.registry.reading import policy_events, policy_history
from formicary.products.payments.held import HELD_PAYMENTS, ReleaseHeldPayment
from formicary.products.payments.postings import AccountCode, house_account
from formicary.products.payments.risk import PAYMENT_POINT
from tests.factory.learning.live_kit import COMPILED, MODEL, PLAN, SPEC, Town, arming, ready_models

FIELDS = fields_of(SPEC, PLAN, PAYMENT_POINT)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Give a town that lived until its champion had decided for some days, and held some payments."""
    town = Town(tmp_path_factory.mktemp("town"), models=ready_models(1), days=16)
    while town.learner().known().standing.champion == "":
        town.live()
    town.arm()
    for _ in range(2):
        town.live()
    return town


def asked(town: Town) -> AskedRows:
    """Return all rows."""
    made = asked_rows(town.source, COMPILED, SPEC, town.folder / "again", fields=FIELDS)
    stopped = stopped_rows(town.source, COMPILED, SPEC, PAYMENT_POINT, fields=FIELDS, now=town.now)
    return together(made, stopped)


def stopped_of(town: Town, now: int, **changed: Any) -> AskedRows:
    """Return the rows that were stopped, with what is known by a time."""
    spec = replace(SPEC, **changed)
    found = stopped_rows(town.source, COMPILED, spec, PAYMENT_POINT, fields=FIELDS, now=now)
    return found.rows


def test_rows_are_all_that_was_asked(town: Town) -> None:
    """Each payment is a row, made or stopped, with its amount, its payer and what was known of it."""
    everything = asked(town)
    rows = rows_of(everything, SPEC, PLAN, PAYMENT_POINT, np.ones(len(everything.at)))
    transfers = town.source.whole.transfers
    payments = transfers[np.isin(transfers["code"], PAYMENT_POINT.codes)]
    decisions = town.source.whole.decisions
    assert (decisions["effect"] != Effect.ALLOW).sum() > 0
    assert len(rows) == len(payments)
    assert sorted(rows.amounts.tolist()) == sorted(payments["amount"].tolist())
    assert (np.diff(rows.at) >= 0).all()
    assert rows.parties.any(axis=1).all()
    assert set(rows.segments) == set(PLAN.segments)
    assert len(np.unique(rows.segments["currency"])) == 1


def test_labels_of_stopped_rows_are_told(town: Town) -> None:
    """Where nothing was told of a stopped row nothing is known, however long ago it was."""
    later = town.now + 90 * DAY
    before = stopped_of(town, later)
    frauds = town.payments["is_theft"].sum()
    assert 0 < (before.labels == 1).sum() <= frauds
    unknown = before.positions[before.labels < 0]
    assert len(unknown)
    place = int(np.searchsorted(town.source.whole.transfers["position"], unknown[0]))
    one = town.source.whole.transfers[place]
    payment = (int(one["id_high"]) << 64) | int(one["id_low"])
    meant = RecordFacts(
        subject=5,
        kind="payment_outcome",
        at=[town.now],
        ids={"payment": [f"{payment:032x}"]},
        numbers={"confirmed": [1]},
    )
    (receipt,) = town.engine.execute(
        [command_request(FACTS_PRODUCT.name, meant, principal="bank", key="meant")]
    )
    assert receipt.code == ""
    after = stopped_of(town, later)
    assert after.labels[after.positions == unknown[0]].tolist() == [0]
    assert (after.labels != before.labels).sum() == 1
    names_payer = replace(SPEC.question, label=replace(SPEC.question.label, names="payer", event="payer"))  # type: ignore[type-var,union-attr]
    of_payer = stopped_of(town, later, question=names_payer)
    assert (of_payer.labels == UNKNOWN).all()


def test_a_decision_keeps_what_was_read(town: Town) -> None:
    """A decision recorded what a training set says of rows that were let through."""
    made = asked_rows(town.source, COMPILED, SPEC, town.folder / "again", fields=FIELDS)
    decisions = town.source.whole.decisions
    let = decisions[decisions["effect"] == Effect.ALLOW]
    places = np.searchsorted(made.positions, let["position"] + 1)
    assert len(let) > 10
    for column, name in enumerate(SPEC.names):
        recorded = let[f"value_{PAYMENT_POINT.features.index(name):02}"]
        np.testing.assert_array_equal(made.values[places, column], recorded)


def test_chances_are_those_that_decided(town: Town) -> None:
    """The champion's, by its calibration; none where another score, a trusted row or no model was asked."""
    source, rows = town.source, asked(town)
    policies = policy_history(policy_events(source), PAYMENT_POINT.name)
    (model,) = ready_models(1)
    word = int(model.hash[:16], 16)
    options: dict[str, Any] = {"model": MODEL, "models": {word: model}.get, "since": 0}
    found = decided(source, rows, PAYMENT_POINT, policies, **options)
    decisions = source.whole.decisions
    assert len(found.places) == len(decisions)
    assert (np.diff(found.places) > 0).all()
    order = np.searchsorted(decisions["position"], rows.positions[found.places] - 1)
    assert model.calibration is not None
    np.testing.assert_array_equal(found.scored, model.calibration.apply(decisions["score_0"][order]))
    later = decided(source, rows, PAYMENT_POINT, policies, **options | {"since": town.now - DAY})
    assert 0 < len(later.places) < len(found.places)
    assert len(decided(source, rows, PAYMENT_POINT, [], **options).places) == 0
    others = [replace(one, version=0) for one in policies]
    assert len(decided(source, rows, PAYMENT_POINT, others, **options).places) == 0
    assert len(decided(source, rows, PAYMENT_POINT, policies, **options | {"model": "other"}).places) == 0
    unread = decided(source, rows, PAYMENT_POINT, policies, **options | {"models": lambda _: None})
    assert np.isnan(unread.scored).all()
    decisions["model_0"][0] = 0
    decisions["path"][1] |= layout.TRUSTED
    fewer = decided(source, rows, PAYMENT_POINT, policies, **options)
    assert (len(fewer.places), np.isnan(fewer.scored).sum()) == (len(found.places) - 1, 1)


def test_a_released_row_is_one(town: Town) -> None:
    """Held, and released: it is known once, as it asked; that nothing is told of it is a sign in the end."""
    later = town.now + 90 * DAY
    before, held = asked(town), stopped_of(town, later)
    is_open = (held.labels == UNKNOWN) & (held.at > town.now - 2 * DAY)
    position = int(held.positions[is_open][0])
    (transfer,) = town.source.transfers_at(np.array([position]))
    # What a shop is charged goes there.
    town.execute(account_array([house_account(AccountCode.FEES, int(transfer["ledger"]))]))
    payment = (int(transfer["id_high"]) << 64) | int(transfer["id_low"])
    release = ReleaseHeldPayment(subject=payment, by="0" * 32)
    assert town.command(HELD_PAYMENTS, release, "release").code == ""
    # In a training set it is when its money moved, at another position and under another id.
    made = asked_rows(town.source, COMPILED, SPEC, town.folder / "again", fields=FIELDS)
    assert position not in made.positions
    assert made.positions.max() > before.positions.max()
    assert asked(town).positions.tolist() == before.positions.tolist()
    known = stopped_of(town, later)
    assert known.labels[known.positions == position].tolist() == [0]
    assert (known.labels != held.labels).sum() == 1
    young = stopped_of(town, town.now)
    assert young.labels[young.positions == position].tolist() == [UNKNOWN]


def test_who_passed_by_lot_stands_for_others(town: Town) -> None:
    """A row weighs one over how probable it was that it passed; what the lot stopped tells nothing."""
    explore = (
        "explore: {share: 100_000, of: [hold], then: allow, amount_max: 9_000_000_00,"
        " count: 999, seconds: 86400}\n"
    )
    told = arming(version=2, percent=1)
    told = msgspec.structs.replace(told, policy=told.policy + explore)
    assert town.command(REGISTRY, told, "explores").code == ""
    since = town.source.head()
    for _ in range(3):
        town.pass_day()
    later = town.now + 90 * DAY
    found = stopped_rows(town.source, COMPILED, SPEC, PAYMENT_POINT, fields=FIELDS, now=later)
    everything = asked(town)
    weights = found.weights(everything.positions)
    decisions = town.source.whole.decisions
    decisions = decisions[decisions["position"] > since]
    is_let = decisions["effect"] == Effect.ALLOW
    by_position = dict(zip(everything.positions.tolist(), weights.tolist(), strict=True))
    weighed = np.array([by_position[position + 1] for position in decisions["position"].tolist()])
    drawn = decisions["propensity"][is_let]
    assert 0 < (drawn < 1).sum() < len(decisions)
    np.testing.assert_array_equal(weighed[is_let], 1 / drawn)
    assert (weighed[~is_let] == 1).all()
    assert weights.sum() == pytest.approx(len(weights) + (1 / drawn - 1).sum())
    by_lot = decisions["position"][~is_let & (decisions["propensity"] < 1)] + 1
    assert len(by_lot)
    assert (found.rows.labels[np.isin(found.rows.positions, by_lot)] < 0).all()
    rows = rows_of(everything, SPEC, PLAN, PAYMENT_POINT, weights)
    np.testing.assert_array_equal(rows.weights, weights)


def test_what_cannot_be_learnt(tmp_path: Path) -> None:
    """Rows are about money and of somebody, segments are fields or features, and columns are numbers."""
    assert FIELDS == ("amount", "payer", "currency", "pair_is_new")
    question = SPEC.question
    assert question is not None
    for spec, plan in (
        (replace(SPEC, question=replace(question, money="")), PLAN),
        (replace(SPEC, question=None), PLAN),
        (SPEC, replace(PLAN, segments=("colour",))),
    ):
        with pytest.raises(PlanMalformed):
            fields_of(spec, plan, PAYMENT_POINT)
    named = replace(
        SPEC, columns=(*SPEC.columns, Column(name="hour", reason="At this hour.", is_category=True))
    )
    town = Town(tmp_path, days=2)
    with pytest.raises(ModelMalformed):
        asked_rows(town.source, COMPILED, named, tmp_path, fields=FIELDS)
