"""What is told of scores: from the journal in columns, and the same numbers as worked out otherwise."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from formicary.base.purposes import Purpose
from formicary.factory.monitoring.drift import DriftVerdict
from formicary.factory.monitoring.fairness import FairnessVerdict
from formicary.products.credit.product import SCORES
from formicary.products.credit.recorded import (
    Labelled,
    ScoreHistory,
    labelled,
    read_outcomes,
    read_scores,
)
from formicary.products.credit.report import (
    ReportRowsTooFew,
    distribution,
    fairness,
    odds,
    stability,
)
from tests.factory.features.training_kit import MemorySource, source_of
from tests.products.credit.kit import ADA, BOB, DAY, SHOP, Town

POINTS_TO_DOUBLE = 40
REFERENCE_ODDS = 20.0


def made(rows: int, *, seed: int = 7) -> Labelled:
    """Return scores whose odds to pay are 20 to 1 at 650 and double with every 40 points."""
    draw = Random(seed)
    scores = [min(max(round(draw.gauss(640, 90)), 350), 950) for _ in range(rows)]
    odds_to_pay = [REFERENCE_ODDS * 2 ** ((score - 650) / POINTS_TO_DOUBLE) for score in scores]
    labels = [int(draw.random() < 1 / (1 + one)) for one in odds_to_pay]
    return Labelled(parties=tuple(range(rows)), scores=np.array(scores), labels=np.array(labels))


def history(before: dict[int, int], after: dict[int, int]) -> ScoreHistory:
    """Return scores at time 10 and others from time 20."""
    parties = before.keys() | after.keys()
    told = {one: [(10, before.get(one, 0)), (20, after.get(one, 0))] for one in parties}
    columns = {one: np.array(rows) for one, rows in told.items()}
    return ScoreHistory(scores={one: (rows[:, 0], rows[:, 1]) for one, rows in columns.items()})


def source(town: Town) -> MemorySource:
    """Return the rows of a town's journal."""
    return source_of(town.journal)


def test_scores_are_read_as_they_were(town: Town) -> None:
    """Each from the moment it was made until the next; one that was withdrawn is none."""
    town.agrees(ADA, Purpose.CREDIT)
    begin = town.now
    town.scores(ADA)
    first = town.now
    town.waits(DAY)
    town.paid(BOB, ADA, 300_000)
    town.scores(ADA)
    second = town.now
    town.takes_back(ADA, Purpose.CREDIT)
    town.scores(ADA)
    found = read_scores(source(town))
    assert found.at(begin) == {}
    assert found.at(first) == {ADA: 350}
    assert found.at(second)[ADA] > 350
    assert found.at(town.now) == {}
    assert found.of(BOB, second) == 0
    assert town.known(SCORES, ADA)["score"] == 0


def test_outcomes_meet_the_scores_of_before(town: Town) -> None:
    """The latest of each party, with the score so long before; facts of other kinds and forms are none."""
    town.agrees(ADA, Purpose.CREDIT)
    town.scores(ADA)
    made_at = town.now
    town.waits(100 * DAY)
    late = town.now
    town.tells("credit_outcome", ADA, late, {"defaulted": [1]})
    town.tells("credit_outcome", ADA, late - 50 * DAY, {"defaulted": [0]})
    town.tells("credit_outcome", SHOP, late, {"defaulted": [0]})
    town.tells("credit_outcome", BOB, late, {"paid": [1]})
    town.owed(BOB, 1)
    outcomes = read_outcomes(source(town))
    assert dict(zip(outcomes.parties, outcomes.defaulted.tolist(), strict=True)) == {ADA: 1, SHOP: 0}
    scores = read_scores(source(town))
    rows = labelled(scores, outcomes, horizon_ns=late - made_at)
    assert (rows.parties, rows.scores.tolist(), rows.labels.tolist()) == ((ADA,), [350], [1])
    assert labelled(scores, outcomes, horizon_ns=late - made_at + DAY).parties == ()
    assert read_outcomes(source(town), "nothing").parties == ()


def test_the_odds_are_found_that_were_put_in() -> None:
    """Points to double the odds and the odds at 650 come back, within what chance allows."""
    found = odds(made(8_000))
    assert found is not None
    assert found.points_to_double == pytest.approx(POINTS_TO_DOUBLE, rel=0.1)
    assert found.points_low is not None
    assert found.points_high is not None
    assert found.points_low < POINTS_TO_DOUBLE < found.points_high
    assert found.reference_odds == pytest.approx(REFERENCE_ODDS, rel=0.15)
    assert found.area_under_roc > 0.75
    assert [one.segment for one in found.bands if one.part == 0] == [
        *("0 low", "1 fair", "2 good", "3 very_good", "4 excellent")
    ]
    assert sum(one.observed.rows for one in found.bands if one.part == 0) == found.rows == 8_000
    assert found.bands[0].expected == pytest.approx(found.bands[0].observed.share, abs=0.03)


def test_a_slope_has_the_error_that_repeated_worlds_have() -> None:
    """The interval of 95% misses the truth about once in twenty."""
    found = [odds(made(800, seed=seed)) for seed in range(60)]
    missed = [
        one
        for one in found
        if one is not None and not (one.points_low or 0) < POINTS_TO_DOUBLE < (one.points_high or math.inf)
    ]
    assert len(missed) <= 8


def test_a_score_that_says_nothing() -> None:
    """Where more points are no better there is no number of them that doubles the odds."""
    backwards = Labelled(
        parties=(1, 2, 3, 4), scores=np.array([400, 500, 800, 900]), labels=np.array([0, 0, 1, 1])
    )
    found = odds(backwards)
    assert found is not None
    assert found.points_to_double is found.points_low is found.points_high is None
    few = Labelled(parties=(1, 2, 3, 4), scores=np.array([400, 500, 450, 900]), labels=np.array([1, 0, 0, 1]))
    assert odds(few) is not None


@pytest.mark.parametrize("label", [0, 1])
def test_outcomes_of_one_kind_tell_no_odds(label: int) -> None:
    """Nothing can be fitted."""
    rows = Labelled(parties=(1, 2), scores=np.array([400, 500]), labels=np.array([label, label]))
    assert odds(rows) is None


def test_the_distribution() -> None:
    """Every party is in one band; quantiles are scores that there are."""
    found = distribution({1: 549, 2: 550, 3: 649, 4: 650, 5: 700})
    assert (found.rows, found.mean) == (5, 619.6)
    assert [(one.band, one.count, one.share) for one in found.bands] == [
        ("low", 1, 0.2),
        ("fair", 1, 0.2),
        ("good", 1, 0.2),
        ("very_good", 1, 0.2),
        ("excellent", 1, 0.2),
    ]
    assert found.quantiles == {"0.1": 549, "0.25": 550, "0.5": 649, "0.75": 650, "0.9": 700}
    with pytest.raises(ReportRowsTooFew):
        distribution({})


def test_stability() -> None:
    """What stayed has an index of nothing; what moved is told, and which way."""
    before = {party: 400 + party for party in range(400)}
    same = stability(history(before, before), 10, 20)
    assert same is not None
    assert (same.drift.psi, same.both, same.moved.count, same.up) == (0.0, 400, 0, 0)
    moved = stability(history(before, {party: score + 60 for party, score in before.items()}), 15, 25)
    assert moved is not None
    assert moved.drift.verdict in {DriftVerdict.MOVED, DriftVerdict.SHIFTED}
    crossed = sum(
        any(score < edge <= score + 60 for edge in (550, 600, 650, 700)) for score in before.values()
    )
    assert moved.moved.count == moved.up == crossed
    assert stability(history(before, before), 5, 20) is None


def test_groups_are_compared() -> None:
    """Who reaches a score less often is seen, and whether the odds come true in each group."""
    rows = made(4_000)
    groups = {party: "north" if party % 2 else "south" for party in rows.parties[:-10]}
    scores = dict(zip(rows.parties, rows.scores.tolist(), strict=True))
    alike = fairness(scores, rows, groups, least=650)
    assert alike.approval.verdict == FairnessVerdict.FAIR
    assert alike.approval.unknown == 10
    assert alike.opportunity is not None
    assert alike.calibration is not None
    assert [one.segment for one in alike.calibration if one.part == 0] == ["north", "south"]
    lower = {party: score - 100 * (party % 2) for party, score in scores.items()}
    shifted = Labelled(parties=rows.parties, scores=np.array(list(lower.values())), labels=rows.labels)
    unlike = fairness(lower, shifted, groups, least=650)
    assert unlike.approval.verdict == FairnessVerdict.ADVERSE
    assert unlike.approval.best == "south"
    assert unlike.opportunity is not None
    assert unlike.opportunity.verdict == FairnessVerdict.ADVERSE
    nobody = Labelled(parties=(), scores=np.empty(0, np.int64), labels=np.empty(0, np.int64))
    untold = fairness(scores, nobody, groups, least=650)
    assert untold.opportunity is None
    assert untold.calibration is None
