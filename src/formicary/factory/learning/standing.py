"""Where a model stands in its learning, as a fold of what happened to it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from formicary.factory.learning.gates import Gate, Shown
from formicary.factory.learning.guards import Alarm
from formicary.factory.learning.plan import DAY

__all__ = [
    "ALARM_LASTS",
    "DRIFT",
    "NONE",
    "RESIDUALS",
    "AlarmRaised",
    "CandidateDropped",
    "ChallengerJudged",
    "Happened",
    "RolledBack",
    "Stage",
    "StageEntered",
    "Standing",
    "evolve",
]

ALARM_LASTS: Final = 28 * DAY
"""An alarm that no better model came of was none, or nothing that a model can learn."""
RESIDUALS: Final = "residuals"
"""The alarm of what came out otherwise than the champion said."""
DRIFT: Final = "drift "
"""How an alarm of a column begins that is not as it was; its name comes behind."""
NONE: Final = ""
"""In place of a model's hash, where there is none."""


class Stage(StrEnum):
    """How far a challenger was let in."""

    SHADOW = "shadow"
    """It scores everything and decides nothing."""
    CANARY = "canary"
    """It decides for a share of parties."""
    CHAMPION = "champion"
    """It decides."""


class ChallengerJudged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A challenger was trained and judged: the evidence, whether it was let in or not.

    ``until`` is the time of the newest row that was known; ``positives`` how many there were of label 1;
    ``shown`` what it showed beside its gates.
    """

    model: str
    hash: str
    window_days: int
    learnt: int
    positives: int
    until: int
    gates: list[Gate]
    is_passed: bool
    shown: list[Shown] = msgspec.field(default_factory=list)


class StageEntered(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A challenger was let in further; ``share`` is that of the parties it decides for, in millionths."""

    model: str
    hash: str
    stage: Stage
    share: int
    reason: str


class CandidateDropped(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A challenger that had been let in decides nothing any more."""

    model: str
    hash: str
    reason: str


class AlarmRaised(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A guard saw what must not be."""

    model: str
    hash: str
    alarm: Alarm


class RolledBack(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The champion before decides again, or without one rules alone; ``hash`` decided until now."""

    model: str
    hash: str
    to: str
    reason: str


Happened: TypeAlias = ChallengerJudged | StageEntered | CandidateDropped | AlarmRaised | RolledBack


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where one model stands.

    Attributes
    ----------
    champion, champion_since
        What decides, and since when, in nanoseconds.
    previous
        The champion before, which stays loaded.
    by_hand
        The champion that somebody put in place of the learner's last: nobody but people takes it back.
    candidate, stage, share, stage_since
        The challenger on its way, how far it was let in, for which share of parties, since when.
    trained_at, trained_positives
        When challengers were trained last, and how many positives were known then.
    rolled_back_at
        When the last rollback was; 0 for never.
    alarmed_at, alarm
        When the first alarm was that no champion has learnt from since, and what it is called; 0 for never.
    """

    champion: str = NONE
    champion_since: int = 0
    previous: str = NONE
    by_hand: str = NONE
    candidate: str = NONE
    stage: str = NONE
    share: int = 0
    stage_since: int = 0
    trained_at: int = 0
    trained_positives: int = 0
    rolled_back_at: int = 0
    alarmed_at: int = 0
    alarm: str = NONE

    def is_alarmed(self, now: int) -> bool:
        """Tell whether there was an alarm lately that no champion has learnt from since."""
        return self.champion_since < self.alarmed_at and now - self.alarmed_at <= ALARM_LASTS

    @property
    def is_ours(self) -> bool:
        """Whether the learner let the champion in, so that it may take it back.

        To the one before it, or where there is none to nothing: then rules decide alone.
        """
        return self.champion not in (NONE, self.by_hand)

    @property
    def is_alarm_labelled(self) -> bool:
        """Whether rows that had labels raised the alarm: what is new can be learnt from at once."""
        return self.alarm.startswith((RESIDUALS, DRIFT))


def evolve(standing: Standing, happened: Happened, at: int) -> Standing:
    """Return where a model stands after something happened to it at a time, in nanoseconds."""
    change = msgspec.structs.replace
    match happened:
        case ChallengerJudged():
            return change(standing, trained_at=at, trained_positives=happened.positives)
        case StageEntered(stage=Stage.CHAMPION):
            return change(
                standing,
                champion=happened.hash,
                champion_since=at,
                previous=standing.champion,
                **_NO_CANDIDATE,
            )
        case StageEntered():
            return change(
                standing,
                candidate=happened.hash,
                stage=happened.stage.value,
                share=happened.share,
                stage_since=at,
            )
        case CandidateDropped():
            return change(standing, **_NO_CANDIDATE)
        case RolledBack():
            return change(
                standing,
                champion=happened.to,
                champion_since=at,
                previous=NONE,
                rolled_back_at=at,
                **_NO_CANDIDATE,
            )
        case _:
            # Of alarms the first counts: what is new began then, and goes on to alarm.
            alarmed = {"alarmed_at": at, "alarm": happened.alarm.name}
            return change(standing, **({} if standing.is_alarmed(at) else alarmed))


_NO_CANDIDATE: Final = {"candidate": NONE, "stage": NONE, "share": 0, "stage_since": 0}
