"""Disputes: what was wrong is corrected as a book is, and the score made anew; or the score was right."""

from __future__ import annotations

import pytest

from formicary.base.purposes import Purpose
from formicary.factory.facts import FactsRecorded
from formicary.products.credit.product import DISPUTES, SCORES
from formicary.products.credit.schemas import (
    Cause,
    CorrectedFact,
    Correction,
    DisputeStatus,
    OpenDispute,
    RejectDispute,
    ScoreRefreshed,
    ScoreWithdrawn,
    UpholdDispute,
)
from formicary.products.credit.terms import Dimension
from tests.products.credit.kit import ADA, BOB, DAY, KEY, SHOP, Town

HISTORY = OpenDispute(subject=ADA, dimension=Dimension.HISTORY)


def late(at: int, is_now: int | None) -> Correction:
    """Return the correction of an obligation that was told as late."""
    return Correction(fact=CorrectedFact.OBLIGATION, at=at, was=1, is_now=is_now)


def upheld(*corrections: Correction) -> UpholdDispute:
    """Return a command by which the house says that Ada is right."""
    return UpholdDispute(subject=ADA, by=KEY, corrections=list(corrections))


@pytest.fixture
def scored(town: Town) -> Town:
    """Give a town in which Ada has a score that a late payment spoils."""
    town.agrees(ADA, Purpose.CREDIT)
    town.paid(BOB, ADA, 300_000)
    town.paid(ADA, SHOP, 100_000)
    town.owed(ADA, 0, 0, 0)
    return town


def disputed(town: Town) -> tuple[int, ScoreRefreshed]:
    """Tell of a late payment, make the score, and dispute it; return when it was and the score."""
    at = town.owed(ADA, 1)
    town.scores(ADA)
    town.done(DISPUTES, HISTORY)
    return at, town.told(ScoreRefreshed)[-1]


def test_a_corrected_fact_makes_another_score(scored: Town) -> None:
    """It is the one that Ada would have had, made at once, and the old one stays what it was."""
    scored.scores(ADA)
    right = scored.told(ScoreRefreshed)[-1]
    at, wrong = disputed(scored)
    scored.done(DISPUTES, upheld(late(at, None)))
    scored.waits(1)
    corrected = scored.told(ScoreRefreshed)[-1]
    assert wrong.score < corrected.score == right.score
    assert (corrected.cause, corrected.due) == (Cause.CORRECTED, wrong.due)
    assert scored.told(FactsRecorded)[-1].numbers == {"due": [-1], "late": [-1]}
    record = scored.known(DISPUTES, ADA)
    assert (record["status"], record["corrections"], record["opened"]) == (DisputeStatus.UPHELD, 1, 1)
    scored.recovers()


def test_what_is_right_is_told_in_its_place(scored: Town) -> None:
    """A payment that was on time after all counts as one."""
    at, wrong = disputed(scored)
    scored.done(DISPUTES, upheld(late(at, 0)))
    scored.waits(1)
    corrected = {one.feature: one.reading for one in scored.told(ScoreRefreshed)[-1].readings}
    assert (corrected["late_share_365d"], corrected["met_365d"]) == (0, 4)
    assert scored.known(SCORES, ADA)["score"] > wrong.score


def test_a_check_of_identity_is_corrected(scored: Town) -> None:
    """One that failed by mistake is passed."""
    scored.tells("identity_check", ADA, scored.now, {"checks": [1], "passed": [0]})
    at = scored.now
    scored.scores(ADA)
    scored.done(DISPUTES, OpenDispute(subject=ADA, dimension=Dimension.IDENTITY))
    correction = Correction(fact=CorrectedFact.IDENTITY_CHECK, at=at, was=0, is_now=1)
    scored.done(DISPUTES, upheld(correction))
    scored.waits(1)
    readings = {one.feature: one.reading for one in scored.told(ScoreRefreshed)[-1].readings}
    assert readings["checks_passed_365d"] == 1


def test_the_months_refresh_goes_on(scored: Town) -> None:
    """A correction does not put the timer of the month off."""
    at, _ = disputed(scored)
    scored.done(DISPUTES, upheld(late(at, None)))
    scored.waits(70 * DAY)
    causes = [one.cause for one in scored.told(ScoreRefreshed)]
    assert causes == [Cause.ASKED, Cause.CORRECTED, Cause.MONTHLY, Cause.MONTHLY]


def test_a_dispute_is_rejected(scored: Town) -> None:
    """The score stays, and the party may dispute again."""
    disputed(scored)
    made = len(scored.told(ScoreRefreshed))
    scored.done(DISPUTES, RejectDispute(subject=ADA, by=KEY))
    assert scored.known(DISPUTES, ADA)["status"] == DisputeStatus.REJECTED
    assert len(scored.told(ScoreRefreshed)) == made
    scored.done(DISPUTES, HISTORY)
    record = scored.known(DISPUTES, ADA)
    assert (record["status"], record["opened"], record["by"]) == (DisputeStatus.OPEN, 2, "0" * 32)
    scored.recovers()


def test_one_dispute_at_a_time(scored: Town) -> None:
    """There is something to dispute, it is not disputed yet, and it is decided once."""
    assert scored.does(DISPUTES, HISTORY).code == "score_not_there"
    assert scored.does(DISPUTES, upheld()).code == "score_dispute_not_open"
    disputed(scored)
    assert scored.does(DISPUTES, HISTORY).code == "score_dispute_exists"
    scored.done(DISPUTES, upheld())
    for again in (upheld(), RejectDispute(subject=ADA, by=KEY)):
        assert scored.does(DISPUTES, again).code == "score_dispute_not_open"


def test_nothing_is_corrected_ahead(scored: Town) -> None:
    """A fact of the future is no fact."""
    disputed(scored)
    ahead = late(scored.now + DAY, None)
    assert scored.does(DISPUTES, upheld(ahead)).code == "fact_in_the_future"


def test_consent_that_was_taken_back_meanwhile(scored: Town) -> None:
    """The facts are corrected, and the score is withdrawn; where it is gone already, nothing is done."""
    at, _ = disputed(scored)
    scored.takes_back(ADA, Purpose.CREDIT)
    scored.done(DISPUTES, upheld(late(at, None)))
    scored.waits(1)
    assert scored.known(SCORES, ADA)["score"] == 0
    assert len(scored.told(ScoreWithdrawn)) == 1


def test_a_score_that_is_gone_is_not_made_anew(scored: Town) -> None:
    """Whoever withdrew it while a dispute was open has none after it either."""
    at, _ = disputed(scored)
    scored.takes_back(ADA, Purpose.CREDIT)
    scored.scores(ADA)
    scored.done(DISPUTES, upheld(late(at, None)))
    scored.waits(1)
    assert scored.told(ScoreRefreshed)[-1].cause == Cause.ASKED
    assert scored.known(SCORES, ADA)["score"] == 0
