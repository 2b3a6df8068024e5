"""Scores in the factory: with consent only, every month and when asked, the same again when folded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from formicary.base.purposes import Purpose
from formicary.factory.engine.conformance import check_product
from formicary.factory.engine.products import Product
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts
from formicary.factory.features.kinds import Facts, Transfers
from formicary.factory.identity.party import PARTY_PRODUCT, CloseParty
from formicary.products.credit import CREDIT
from formicary.products.credit.decider import business_day, kept_assessment
from formicary.products.credit.product import SCORES
from formicary.products.credit.schemas import (
    Cause,
    RefreshScore,
    RelationsSwitched,
    ScoreRefreshed,
    ScoreWithdrawn,
    SwitchRelations,
)
from formicary.products.credit.terms import Dimension
from formicary.runtime.products import PRODUCTS, decision_points, feature_sets, model_specs
from tests.products.credit.kit import ADA, BOB, DAY, SHOP, Town


@pytest.fixture
def scored(town: Town) -> Town:
    """Give a town in which Ada, who was paid, paid, and owed something, has a score."""
    town.agrees(ADA, Purpose.CREDIT)
    town.paid(BOB, ADA, 300_000)
    town.paid(ADA, SHOP, 150_000)
    town.owed(ADA, 0, 0, 0, 1)
    town.checked(ADA, 1)
    town.scores(ADA)
    return town


def asks(town: Town, party: int = ADA) -> str:
    """Ask for a score and return why there is none."""
    return town.does(SCORES, RefreshScore(subject=party)).code


@pytest.mark.parametrize("product", CREDIT, ids=lambda product: product.name)
def test_the_products_keep_the_contract(product: Product) -> None:
    """Nothing is wrong with them."""
    assert check_product(product) == []


def test_nobody_else_of_the_house_knows_a_score() -> None:
    """No other product looks at it, no feature is made of it, no model or point of decision reads its set."""
    own = {product.name for product in CREDIT}
    for product in PRODUCTS:
        assert product.name in own or not own & {one.name for one in product.neighbours}
    for one in feature_sets(None):
        for feature in one.features:
            source = getattr(getattr(feature.value, "kind", None), "source", None)
            assert source is None or isinstance(source, Transfers | Facts)
    read = {spec.question.features for spec in model_specs(PRODUCTS).values() if spec.question}
    sets = {point.feature_set.name for point in decision_points().values() if point.feature_set}
    assert "credit_facts" not in read | sets


def test_without_consent_there_is_no_score(town: Town) -> None:
    """Not even of a party with a history; consent to another purpose is none."""
    town.paid(BOB, ADA, 300_000)
    assert asks(town) == "score_needs_consent"
    town.agrees(ADA, Purpose.SCORE_SHARING, Purpose.RESEARCH)
    assert asks(town) == "score_needs_consent"
    assert town.told(ScoreRefreshed) == []
    assert asks(town, 12_345) == "party_not_found"


def test_a_score_says_what_it_is_made_of(scored: Town) -> None:
    """The event explains itself: readings, marks, weights, bands; the record says the same."""
    (event,) = scored.told(ScoreRefreshed)
    readings = {one.feature: one.reading for one in event.readings}
    assert readings["late_share_365d"] == 2_500
    assert readings["met_365d"] == 3
    assert readings["paid_to_received_90d"] == 5_000
    assert readings["received_90d"] == 300_000
    assert readings["checks_passed_365d"] == 1
    assert readings["payers_90d"] is readings["payees_90d"] is None
    assert event.weights == [35, 25, 20, 15, 0]
    assert event.bands == [550, 600, 650, 700]
    assert event.score == 350 + sum(event.points)
    assert event.cause == Cause.ASKED
    record = scored.known(SCORES, ADA)
    assert (record["score"], record["band"], record["refreshes"]) == (event.score, event.band, 1)
    kept = kept_assessment(record)
    assert (kept.score, list(kept.points), list(kept.most)) == (event.score, event.points, event.most)
    scored.recovers()


def test_a_party_of_whom_nothing_is_known(town: Town) -> None:
    """It has the lowest score, and what is missing is said to be missing."""
    town.agrees(BOB, Purpose.CREDIT)
    assert town.scores(BOB) == {"score": 350, "band": 0}
    (event,) = town.told(ScoreRefreshed)
    missing = {one.feature for one in event.readings if one.reading is None}
    assert {"late_share_365d", "paid_to_received_90d", "since_last_in", "since_first_in"} <= missing


def test_a_score_is_made_anew_every_month(scored: Town) -> None:
    """On the first of each month by the business date, once, whatever was asked in between."""
    first = scored.told(ScoreRefreshed)[0]
    scored.waits(DAY)
    scored.scores(ADA)
    scored.waits(70 * DAY)
    events = scored.told(ScoreRefreshed)
    assert [one.cause for one in events] == [Cause.ASKED, Cause.ASKED, Cause.MONTHLY, Cause.MONTHLY]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    days = [epoch + timedelta(days=one.business_day) for one in events[2:]]
    assert [(day.month, day.day) for day in days] == [(12, 1), (1, 1)]
    assert events[2].at // 10**9 * 10**9 == first.due
    assert all(one.business_day == business_day(one.at) for one in events)
    # Ada was paid nothing since: what was good in it is older now.
    assert events[-1].score < first.score
    scored.recovers()


def test_revocation_reaches_the_next_refresh(scored: Town) -> None:
    """The month's refresh withdraws the score and its readings; none is made again before new consent."""
    scored.takes_back(ADA, Purpose.CREDIT)
    scored.waits(40 * DAY)
    record = scored.known(SCORES, ADA)
    assert (record["score"], record["band"], record["due"]) == (0, 0, 0)
    assert not any(record["readings"])
    assert not any(record["points"])
    assert len(scored.told(ScoreWithdrawn)) == len(scored.told(ScoreRefreshed)) == 1
    assert asks(scored) == "score_needs_consent"
    scored.waits(40 * DAY)
    assert len(scored.told(ScoreWithdrawn)) == 1
    scored.agrees(ADA, Purpose.CREDIT)
    assert scored.scores(ADA)["score"] > 350
    scored.recovers()


def test_revocation_reaches_a_refresh_that_is_asked_for(scored: Town) -> None:
    """Whoever asks gets no score, and the one that there was is gone; an old timer then finds nothing."""
    scored.takes_back(ADA, Purpose.CREDIT)
    assert scored.scores(ADA) == {"score": None, "band": None}
    assert asks(scored) == "score_needs_consent"
    scored.waits(40 * DAY)
    assert len(scored.told(ScoreWithdrawn)) == 1


def test_a_closed_party_has_no_score_for_longer_than_its_month(scored: Town) -> None:
    """It takes part in nothing new."""
    scored.done(PARTY_PRODUCT, CloseParty(subject=ADA))
    assert asks(scored) == "party_not_active"
    scored.waits(40 * DAY)
    assert scored.known(SCORES, ADA)["score"] == 0


def test_relations_count_when_the_party_says_so(scored: Town) -> None:
    """They are off by default, count at once when switched on, and not at all when switched off again."""
    (before,) = scored.told(ScoreRefreshed)
    assert before.points[Dimension.RELATIONS] == before.most[Dimension.RELATIONS] == 0
    assert scored.does(SCORES, SwitchRelations(subject=ADA, on=False)).code == "relations_already_so"
    scored.done(SCORES, SwitchRelations(subject=ADA, on=True))
    counted = scored.told(ScoreRefreshed)[-1]
    assert counted.cause == Cause.SWITCHED
    assert 0 < counted.points[Dimension.RELATIONS] <= counted.most[Dimension.RELATIONS] == 30
    assert {one.feature: one.reading for one in counted.readings}["payers_90d"] == 1
    assert scored.does(SCORES, SwitchRelations(subject=ADA, on=True)).code == "relations_already_so"
    assert scored.done(SCORES, SwitchRelations(subject=ADA, on=False))["score"] == before.score
    assert scored.told(ScoreRefreshed)[-1].points[Dimension.RELATIONS] == 0
    scored.recovers()


def test_relations_are_switched_without_a_score(scored: Town) -> None:
    """A party may say so before it has one; without consent what there was is withdrawn."""
    assert scored.done(SCORES, SwitchRelations(subject=BOB, on=True)) == {"score": None, "band": None}
    assert scored.known(SCORES, BOB)["relations"] == 1
    scored.takes_back(ADA, Purpose.CREDIT)
    assert scored.done(SCORES, SwitchRelations(subject=ADA, on=True)) == {"score": None, "band": None}
    assert scored.known(SCORES, ADA)["score"] == 0
    assert [one.on for one in scored.told(RelationsSwitched)] == [True, True]
    assert len(scored.told(ScoreWithdrawn)) == 1


def test_a_late_payment_lowers_the_score(scored: Town) -> None:
    """What a party owes and does not pay shows in its history; paid on time, it goes up."""
    before = scored.told(ScoreRefreshed)[-1]
    scored.owed(ADA, 1, 1)
    assert scored.scores(ADA)["score"] < before.score
    scored.owed(ADA, *[0] * 40)
    assert scored.scores(ADA)["score"] > before.score


def test_facts_without_a_field_are_refused(scored: Town) -> None:
    """A source that leaves out what a feature reads hears it, and the house goes on."""
    facts: dict[str, Any] = {
        "subject": 99,
        "kind": "obligation",
        "at": [scored.now],
        "ids": {"party": ["b".zfill(32)]},
    }
    receipt = scored.does(FACTS_PRODUCT, RecordFacts(**facts, numbers={"due": [1]}))
    assert receipt.code == "malformed_events"
    assert scored.does(FACTS_PRODUCT, RecordFacts(**facts, numbers={"due": [1], "late": [0]})).code == ""
    other = facts | {"kind": "something_else"}
    assert scored.does(FACTS_PRODUCT, RecordFacts(**other, numbers={"due": [1]})).code == ""
