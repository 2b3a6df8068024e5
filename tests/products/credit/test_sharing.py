"""What others are shown of a score: what the party authorised, while it does, and no more; all of it seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import msgspec
import pytest

from formicary.base.purposes import Purpose
from formicary.factory.identity.party import PARTY_PRODUCT, CloseParty
from formicary.products.credit.product import QUERIES, SCORES, SHARING
from formicary.products.credit.schemas import (
    AuthorisationGiven,
    QueryScore,
    RefreshScore,
    RevokeAuthorisation,
    ScoreQueried,
    SharedScope,
    authorisation_id,
)
from formicary.products.payments.postings import HOUSE
from tests.products.credit.kit import ADA, BOB, DAY, LANDLORD, SHOP, Town, hex_id

SUBJECTS: Iterator[int] = count(1_000)


def query(third_party: int = LANDLORD, party: int = ADA) -> QueryScore:
    """Return a new query."""
    return QueryScore(subject=next(SUBJECTS), party=hex_id(party), third_party=hex_id(third_party))


def refused(town: Town, third_party: int = LANDLORD) -> str:
    """Ask for Ada's score and return why it is not shown."""
    return town.does(QUERIES, query(third_party)).code


@pytest.fixture
def scored(town: Town) -> Town:
    """Give a town in which Ada has a score, agreed to share it, and let the landlord ask."""
    town.agrees(ADA, Purpose.CREDIT, Purpose.SCORE_SHARING)
    town.paid(BOB, ADA, 300_000)
    town.scores(ADA)
    town.let()
    return town


def test_a_third_party_gets_score_and_band_only(scored: Town) -> None:
    """The answer and the event hold nothing of what the score is made of; the event holds who asked."""
    kept = scored.known(SCORES, ADA)
    answer = scored.done(QUERIES, query())
    assert answer == {"score": int(kept["score"]), "band": int(kept["band"]), "terms": 1}
    (event,) = scored.told(ScoreQueried)
    assert set(msgspec.to_builtins(event)) == {
        *("type", "party", "third_party", "scope", "score", "band", "terms", "at")
    }
    assert (event.party, event.third_party, event.score) == (hex_id(ADA), hex_id(LANDLORD), answer["score"])
    scored.recovers()


def test_a_band_alone(scored: Town) -> None:
    """Who is authorised to see the band is not shown the score, and its query does not hold it either."""
    scored.let(SHOP, scope=SharedScope.BAND)
    asked = query(SHOP)
    assert scored.done(QUERIES, asked) == {
        "score": None,
        "band": scored.known(SCORES, ADA)["band"],
        "terms": 1,
    }
    assert scored.known(QUERIES, asked.subject)["score"] == 0


def test_every_query_is_kept(scored: Town) -> None:
    """Each is an aggregate of its own that names both; a second with its id is refused."""
    asked = [query() for _ in range(3)]
    for one in asked:
        scored.done(QUERIES, one)
        record = scored.known(QUERIES, one.subject)
        assert (record["party"], record["third_party"]) == (hex_id(ADA), hex_id(LANDLORD))
        assert record["at"] <= scored.now
    assert scored.does(QUERIES, asked[0]).code == "score_query_exists"
    assert len(scored.told(ScoreQueried)) == 3


def test_nobody_asks_without_authorisation(scored: Town) -> None:
    """Whoever was not named is refused, the house as well."""
    assert refused(scored, SHOP) == refused(scored, HOUSE) == "score_not_authorised"
    assert scored.told(ScoreQueried) == []


def test_an_authorisation_ends(scored: Town) -> None:
    """At its moment, by itself; a new one begins again."""
    scored.waits(31 * DAY)
    assert refused(scored) == "score_authorisation_expired"
    scored.let()
    scored.done(QUERIES, query())


def test_an_authorisation_is_taken_back(scored: Town) -> None:
    """At once, and once; another third party's stays."""
    scored.let(SHOP)
    scored.done(SHARING, RevokeAuthorisation(subject=authorisation_id(ADA, LANDLORD)))
    assert refused(scored) == "score_authorisation_revoked"
    scored.done(QUERIES, query(SHOP))
    again = scored.does(SHARING, RevokeAuthorisation(subject=authorisation_id(ADA, LANDLORD)))
    never = scored.does(SHARING, RevokeAuthorisation(subject=authorisation_id(BOB, LANDLORD)))
    assert again.code == never.code == "score_not_authorised"
    scored.let()
    scored.done(QUERIES, query())
    scored.recovers()


def test_consent_that_is_taken_back_ends_sharing_at_once(scored: Town) -> None:
    """Before any refresh: of the sharing, and of the score itself."""
    scored.takes_back(ADA, Purpose.SCORE_SHARING)
    assert refused(scored) == "score_sharing_needs_consent"
    assert scored.does(SHARING, scored.authorises(SHOP)).code == "score_sharing_needs_consent"
    scored.agrees(ADA, Purpose.SCORE_SHARING)
    scored.takes_back(ADA, Purpose.CREDIT)
    assert refused(scored) == "score_not_there"
    scored.done(SCORES, RefreshScore(subject=ADA))
    scored.agrees(ADA, Purpose.CREDIT)
    assert refused(scored) == "score_not_there"


def test_a_closed_party_is_not_told_of(scored: Town) -> None:
    """Whatever it authorised before."""
    scored.done(PARTY_PRODUCT, CloseParty(subject=ADA))
    assert refused(scored) == "party_not_active"


@pytest.mark.parametrize("third_party", [HOUSE, ADA])
def test_who_is_no_third_party(scored: Town, third_party: int) -> None:
    """The house lends by other means; the party sees its score anyway."""
    assert scored.does(SHARING, scored.authorises(third_party)).code == "third_party_not_allowed"


def test_an_authorisation_is_of_those_it_names(scored: Town) -> None:
    """Its id follows from both: one of another id would be found by somebody else."""
    forged = msgspec.structs.replace(scored.authorises(SHOP), subject=authorisation_id(ADA, BOB))
    assert scored.does(SHARING, forged).code == "third_party_not_allowed"


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_an_authorisation_ends_within_a_year(scored: Town, days: int) -> None:
    """It is never for good, nor over when it begins."""
    before = len(scored.told(AuthorisationGiven))
    assert scored.does(SHARING, scored.authorises(days=days)).code == "authorisation_expiry_out_of_range"
    assert len(scored.told(AuthorisationGiven)) == before
