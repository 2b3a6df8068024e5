"""The learner's days: what it lets in, step by step, and what it takes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from msgspec import structs

from formicary.factory.learning.challengers import Challenger
from formicary.factory.learning.gates import Gate
from formicary.factory.learning.learner import Learner
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.standing import (
    AlarmRaised,
    CandidateDropped,
    ChallengerJudged,
    Happened,
    RolledBack,
    StageEntered,
    Standing,
)
from formicary.factory.models.calibration import Calibration
from formicary.factory.models.errors import LabelsTooFew
from formicary.factory.models.model import Model
from tests.factory.learning.learning_kit import FIRST, PLAN, SPEC, clock, made_challenger, made_rows

ROWS = made_rows(40)
GOOD, OTHER, BAD = made_challenger(0), made_challenger(1), made_challenger(2, turned=True)
SELDOM = replace(PLAN, every_days=99)
EAGER = replace(GOOD.model, calibration=Calibration("platt", slope=1.0, intercept=4.0))


def _trained(*found: Challenger | None) -> Callable[..., Challenger]:
    """Return a training that comes to these, one after the other; None is one with too few labels."""
    left = iter(found)

    def train(*_: Any, **__: Any) -> Challenger:
        one = next(left)
        if one is None:
            message = "too few"
            raise LabelsTooFew(message)
        return one

    return train


def _learner(
    *found: Challenger | None, plan: LearningPlan = PLAN, standing: Standing | None = None
) -> Learner:
    models = {one.hash: one for one in (GOOD.model, OTHER.model, BAD.model, EAGER)}
    return Learner(SPEC, plan, clock=clock, train=_trained(*found), standing=standing, models=models)


def _lived(learner: Learner, first: int, after: int, *, as_scored: Model | None = None) -> list[Happened]:
    """Let days go by, of which all labels are known at once."""
    happened: list[Happened] = []
    for day in range(first, after):
        latest = _day(day)
        scored, _ = learner.scored(latest)
        if as_scored is not None and as_scored.calibration is not None:
            scored = as_scored.calibration.apply(as_scored.forest.raw_scores(latest.values))
        known = ROWS.between(0, (FIRST + day + 1) * DAY)
        happened += learner.day((FIRST + day + 1) * DAY, known, latest, scored)
    return happened


def _day(day: int) -> Rows:
    return ROWS.between((FIRST + day) * DAY, (FIRST + day + 1) * DAY)


def _stages(happened: list[Happened]) -> list[tuple[str, str, int]]:
    return [(one.hash, one.stage.value, one.share) for one in happened if isinstance(one, StageEntered)]


def _standing(**fields: Any) -> Standing:
    known: dict[str, Any] = {"champion": GOOD.model.hash, "trained_at": (FIRST + 20) * DAY}
    return Standing(**known | fields)


def test_the_first_model_decides_after_its_shadow() -> None:
    """Until then nothing has a chance; where nothing decides there is nothing to lose."""
    learner = _learner(GOOD, plan=SELDOM)
    assert np.isnan(learner.scored(_day(0))[0]).all()
    happened = _lived(learner, 0, 12)
    digest = GOOD.model.hash
    assert _stages(happened) == [(digest, "shadow", 0), (digest, "champion", 1_000_000)]
    assert learner.standing.champion == digest
    assert not np.isnan(learner.scored(_day(12))[0]).any()


def test_nothing_is_trained_before_there_is_enough() -> None:
    """Too few days, too few positives, too few labels of a class: it is tried again the next day."""
    assert not _lived(_learner(), 0, 7)
    assert not _lived(_learner(plan=replace(PLAN, positives_min=10_000)), 0, 20)
    happened = _lived(_learner(None, None, GOOD, plan=SELDOM), 0, 12)
    assert [type(one) for one in happened][:2] == [ChallengerJudged, StageEntered]
    assert not _learner().day(DAY, ROWS.chosen(slice(0, 0)), _day(0), np.zeros(60))


def test_a_challenger_is_let_in_step_by_step() -> None:
    """Shadow, a tenth of parties, a half, all of them; who is in the tenth stays in the half."""
    learner = _learner(OTHER, None, standing=_standing())
    happened = _lived(learner, 23, 24)
    day = _day(30)
    assert not learner.scored(day)[1].any()
    happened += _lived(learner, 24, 25)
    _, tenth = learner.scored(day)
    happened += _lived(learner, 25, 26)
    chances, half = learner.scored(day)
    assert half[tenth].all()
    assert 0 < tenth.sum() < half.sum() < len(day)
    model = OTHER.model
    assert model.calibration is not None
    theirs = model.calibration.apply(model.forest.raw_scores(day.values))
    assert np.array_equal(chances[half], theirs[half])
    happened += _lived(learner, 26, 27)
    digest = model.hash
    assert _stages(happened) == [
        (digest, "shadow", 0),
        (digest, "canary", 100_000),
        (digest, "canary", 500_000),
        (digest, "champion", 1_000_000),
    ]
    assert learner.standing.previous == GOOD.model.hash


def test_who_is_refused_is_recorded_and_not_let_in() -> None:
    """And the schedule goes on."""
    against = Gate(name="leaks", is_passed=False, figure=1.0, bound=0.0, said="a column tells the label")
    refused = replace(OTHER, gates=(against,))
    happened = _lived(_learner(refused, refused, standing=_standing()), 23, 27)
    assert [type(one) for one in happened] == [ChallengerJudged, ChallengerJudged]
    assert not any(one.is_passed for one in happened if isinstance(one, ChallengerJudged))


def test_the_best_of_those_that_pass_is_let_in() -> None:
    """Of two windows, by the lower bound of what they earn."""
    plan = replace(PLAN, windows_days=(0, 7, 14))
    less = replace(OTHER, gain=1.0)
    more = replace(GOOD, gain=2.0)
    happened = _lived(_learner(less, more, less, plan=plan, standing=_standing()), 23, 24)
    assert _stages(happened) == [(GOOD.model.hash, "shadow", 0)]
    assert sum(isinstance(one, ChallengerJudged) for one in happened) == 3


def test_few_new_positives_put_a_training_off() -> None:
    """As there is nothing new to learn."""
    plan = replace(PLAN, new_positives_min=10_000)
    assert not _lived(_learner(plan=plan, standing=_standing(trained_positives=10)), 23, 30)


def test_a_candidate_that_stops_too_many_is_dropped() -> None:
    """In its shadow, where it cost nobody anything; one that gives no score as well."""
    candidate = _standing(candidate=EAGER.hash, stage="shadow", stage_since=(FIRST + 23) * DAY)
    wide = ROWS.between((FIRST + 20) * DAY, (FIRST + 30) * DAY)
    learner = _learner(plan=SELDOM, standing=candidate)
    known = ROWS.between(0, (FIRST + 30) * DAY)
    (dropped,) = learner.day((FIRST + 30) * DAY, known, wide, learner.scored(wide)[0])
    assert isinstance(dropped, CandidateDropped)
    assert "stopped" in dropped.reason
    learner = _learner(plan=SELDOM, standing=_standing(candidate="f" * 32, stage="shadow"))
    (dropped,) = _lived(learner, 30, 31)
    assert isinstance(dropped, CandidateDropped)
    assert dropped.reason == "it gave no score"


def test_a_step_takes_its_days() -> None:
    """A canary of two days is not widened on the first."""
    plan = replace(SELDOM, canary_days=2)
    standing = _standing(
        candidate=OTHER.model.hash, stage="canary", share=100_000, stage_since=(FIRST + 24) * DAY
    )
    learner = _learner(plan=plan, standing=standing)
    assert not _lived(learner, 24, 25)
    assert _stages(_lived(learner, 25, 26)) == [(OTHER.model.hash, "canary", 500_000)]


def test_a_canary_that_loses_more_than_it_may_is_dropped() -> None:
    """Counted on rows whose labels are known, beside the champion on the same rows."""
    plan = replace(PLAN, canary_loss_max=1_000, every_days=99, canary_days=9)
    standing = _standing(
        candidate=BAD.model.hash, stage="canary", share=100_000, stage_since=(FIRST + 23) * DAY
    )
    (dropped,) = _lived(_learner(plan=plan, standing=standing), 24, 25)
    assert isinstance(dropped, CandidateDropped)
    assert "lost" in dropped.reason


def _promoted(at_day: int, champion: Challenger = OTHER, previous: Challenger = GOOD) -> Standing:
    return _standing(
        champion=champion.model.hash, previous=previous.model.hash, champion_since=(FIRST + at_day) * DAY
    )


def test_scores_that_are_not_the_champions_own_are_rolled_back_within_the_day() -> None:
    """One look is enough; then nothing is let in until it has cooled down."""
    learner = _learner(OTHER, standing=_promoted(22))
    wide = ROWS.between((FIRST + 22) * DAY, (FIRST + 26) * DAY)
    scored = 1 - learner.scored(wide)[0]
    happened = learner.guard((FIRST + 26) * DAY, wide, scored)
    assert isinstance(happened[-1], RolledBack)
    assert happened[-1].to == GOOD.model.hash == learner.standing.champion
    assert not learner.guard((FIRST + 26) * DAY, wide, scored)
    assert not _lived(learner, 26, 30)
    assert _stages(_lived(learner, 30, 31)) == [(OTHER.model.hash, "shadow", 0)]


def test_what_is_as_it_was_stays() -> None:
    """Watched by guards and by money, and after a time by neither."""
    learner = _learner(plan=SELDOM, standing=_promoted(20, GOOD, OTHER))
    assert not _lived(learner, 21, 40)
    assert learner.standing.champion == GOOD.model.hash


def test_a_champion_that_loses_is_rolled_back() -> None:
    """Nothing but its labels tells that it thinks the opposite."""
    standing = _standing(champion=BAD.model.hash, previous=GOOD.model.hash, champion_since=(FIRST + 20) * DAY)
    happened = _lived(_learner(plan=SELDOM, standing=standing), 21, 30)
    (back,) = (one for one in happened if isinstance(one, RolledBack))
    assert back.to == GOOD.model.hash
    assert "less than by the model before" in back.reason


def test_a_model_without_chances_scores_nothing() -> None:
    """As one of amounts would be: nothing decides by it."""
    learner = _learner(standing=_standing())
    learner.models[GOOD.model.hash] = replace(GOOD.model, calibration=None)
    assert np.isnan(learner.scored(_day(1))[0]).all()


def test_a_learner_goes_on_where_another_one_ended() -> None:
    """From its standing and its models alone."""
    found = (GOOD, *[OTHER] * 9)
    whole, first = _learner(*found), _learner(*found)
    expected = _lived(whole, 0, 20)
    happened = _lived(first, 0, 11)
    trained = sum(isinstance(one, ChallengerJudged) for one in happened)
    second = Learner(
        SPEC,
        PLAN,
        clock=clock,
        train=_trained(*found[trained:]),
        standing=first.standing,
        models=first.models,
    )
    assert happened + _lived(second, 11, 20) == expected


def test_a_guard_leaves_a_champion_alone_that_people_chose() -> None:
    """Whatever it scores: who moved its alias by hand moves it again."""
    standing = _standing(by_hand=GOOD.model.hash, champion_since=FIRST * DAY)
    learner = _learner(plan=SELDOM, standing=standing)
    assert not learner.guard((FIRST + 5) * DAY, ROWS, np.full(len(ROWS), np.nan))
    assert not _lived(
        _learner(
            plan=SELDOM, standing=structs.replace(standing, champion=BAD.model.hash, by_hand=BAD.model.hash)
        ),
        1,
        12,
    )


def test_after_a_first_champion_rules_decide_alone() -> None:
    """It stops too many: with none before it, the last resort is no model."""
    wide, now = ROWS.between(FIRST * DAY, (FIRST + 4) * DAY), (FIRST + 4) * DAY
    for first, names in ((GOOD.model, []), (EAGER, ["stopped"])):
        learner = _learner(plan=SELDOM, standing=_standing(champion=first.hash, champion_since=FIRST * DAY))
        happened = learner.guard(now, wide, learner.scored(wide)[0])
        assert [one.alarm.name for one in happened if isinstance(one, AlarmRaised)] == names
    back = happened[-1]
    assert isinstance(back, RolledBack)
    assert (back.hash, back.to, learner.standing.champion) == (EAGER.hash, "", "")
    assert np.isnan(learner.scored(wide)[0]).all()
    assert not learner.guard(now + 1, wide, learner.scored(wide)[0])


def test_a_first_champion_that_loses_is_taken_back_once() -> None:
    """Nothing is let in until it has cooled down, so that it does not go to and fro."""
    plan = replace(PLAN, watched_days=10, cool_down_days=99)
    standing = _standing(champion=BAD.model.hash, champion_since=(FIRST + 20) * DAY, trained_at=FIRST * DAY)
    happened = _lived(_learner(plan=replace(plan, every_days=99), standing=standing), 20, 38)
    (back,) = (one for one in happened if isinstance(one, RolledBack))
    assert (back.to, "without a model" in back.reason) == ("", True)


def test_scores_that_moved_are_rolled_back() -> None:
    """The new champion's alone, beside those that it gave before it decided."""
    plan = replace(SELDOM, stopped_times_max=99.0, watched_days=6)
    learner = _learner(plan=plan, standing=_promoted(22))
    # The one before reads nothing of what breaks.
    flat = replace(GOOD.model, calibration=Calibration("platt", slope=1e-9, intercept=3.0))
    learner.models[GOOD.model.hash] = flat
    now = (FIRST + 26) * DAY
    latest = ROWS.between((FIRST + 22) * DAY, now)
    assert not learner.day(now, ROWS.between(0, now), latest, learner.scored(latest)[0])
    broken = replace(latest, values=latest.values + np.array([1.5, 0.0, 0.0]))
    happened = learner.day(now + DAY, ROWS.between(0, now), broken, learner.scored(broken)[0])
    assert [one.alarm.name for one in happened if isinstance(one, AlarmRaised)] == ["scores"]
    assert learner.standing.champion == GOOD.model.hash
