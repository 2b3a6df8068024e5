"""Where a model stands is a fold of what happened to it."""

from __future__ import annotations

from formicary.base.lots import LOTS
from formicary.factory.learning.guards import Alarm
from formicary.factory.learning.standing import (
    NONE,
    AlarmRaised,
    CandidateDropped,
    ChallengerJudged,
    Happened,
    RolledBack,
    Stage,
    StageEntered,
    Standing,
    evolve,
)


def _entered(digest: str, stage: Stage, share: int) -> StageEntered:
    return StageEntered(model="default", hash=digest, stage=stage, share=share, reason="asked")


def _after(*happened: Happened) -> Standing:
    standing = Standing()
    for at, one in enumerate(happened, start=1):
        standing = evolve(standing, one, at)
    return standing


def test_a_challenger_goes_its_way_to_champion() -> None:
    """What was champion stays loaded; the candidate is one no more."""
    judged = ChallengerJudged(
        model="default",
        hash="b",
        window_days=0,
        learnt=10,
        positives=4,
        until=0,
        gates=[],
        is_passed=True,
    )
    way = (
        _entered("a", Stage.CHAMPION, LOTS),
        judged,
        _entered("b", Stage.SHADOW, 0),
        _entered("b", Stage.CANARY, 10_000),
    )
    standing = _after(*way)
    assert (standing.champion, standing.candidate, standing.stage) == ("a", "b", "canary")
    assert (standing.share, standing.stage_since, standing.trained_at) == (10_000, 4, 2)
    assert standing.trained_positives == 4
    standing = _after(*way, _entered("b", Stage.CHAMPION, LOTS))
    assert (standing.champion, standing.previous, standing.champion_since) == ("b", "a", 5)
    assert (standing.candidate, standing.stage, standing.share) == (NONE, NONE, 0)


def test_a_rollback_brings_the_one_before_and_drops_the_candidate() -> None:
    """Once: then there is none before it any more."""
    standing = _after(
        _entered("a", Stage.CHAMPION, LOTS),
        _entered("b", Stage.CHAMPION, LOTS),
        _entered("c", Stage.SHADOW, 0),
        RolledBack(model="default", hash="b", to="a", reason="it lost"),
    )
    assert (standing.champion, standing.previous, standing.candidate) == ("a", NONE, NONE)
    assert standing.rolled_back_at == 4


def test_what_is_dropped_leaves_the_champion() -> None:
    """An alarm alone changes nothing."""
    alarm = AlarmRaised(
        model="default", hash="a", alarm=Alarm(name="stopped", figure=1.0, bound=0.1, said="many")
    )
    standing = _after(_entered("a", Stage.CHAMPION, LOTS), _entered("b", Stage.SHADOW, 0), alarm)
    assert standing.candidate == "b"
    dropped = evolve(standing, CandidateDropped(model="default", hash="b", reason="it lost"), 9)
    assert (dropped.champion, dropped.candidate) == ("a", NONE)
