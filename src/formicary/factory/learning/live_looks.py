"""A look at a model within a day, on a real journal: the guards of the learner, without its training.

::

    journal ── decisions of the last hour, and of the same hour of days before ──▶ Deciding ──▶ what was seen
                                                                                  │ 1. RecordLook
                                                                                  ▼ 2. aliases, as it says
                                                                                engine

A decision keeps every value that was read, so that rows of a span of time are read from decisions alone:
the journal is not folded, nothing is written to files, and neither pyarrow nor LightGBM is loaded. Where
nothing is wrong, nothing is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import point_id
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.journal.rows import DECISION_ROW
from formicary.factory.learning import standing as kinds
from formicary.factory.learning.following import alias_of
from formicary.factory.learning.journaled import DecisionSource, JournaledModel, Tell
from formicary.factory.learning.looking import Deciding
from formicary.factory.learning.messages import AlarmRaised, RecordLook, Seen, told
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.product import NAME
from formicary.factory.learning.reading import Learnt
from formicary.factory.learning.rows import UNKNOWN, Rows
from formicary.factory.learning.scores import scored_decisions
from formicary.factory.learning.standing import NONE, Happened, Stage
from formicary.factory.learning.timing import Nanoseconds
from formicary.factory.models.spec import ModelSpec
from formicary.factory.registry.reading import PolicyChange, policy_events, policy_history

__all__ = ["HOUR", "LearningLook", "LiveLooker"]

Records: TypeAlias = npt.NDArray[Any]
Hours: TypeAlias = dict[int, Records]
"""The decisions of hours by their ends, in nanoseconds, the earliest first."""

HOUR: Final = DAY // 24
"""What a look is at, in nanoseconds: in less there are too few rows to tell something by."""
_DAYS: Final = 7
"""So many days before are looked at beside it: a week has each of its days once."""
_ALARMS_MAX: Final = 8
"""Of one look, the least probable ones: what is new shows in many columns, and a few say where."""


@dataclass(frozen=True, kw_only=True)
class LearningLook:
    """What was seen at a look.

    Attributes
    ----------
    decisions
        How many of the hour were looked at.
    happened
        What was told; nothing where all is well.
    """

    decisions: int
    happened: tuple[Seen, ...] = ()


class LiveLooker:
    """Looks at one model on a journal. For one thread at a time.

    Parameters
    ----------
    spec, plan
        Of the model.
    point
        Where it decides.
    source
        The journal.
    tell
        Sends commands to the engine.
    clock
        Measures what scoring takes.
    """

    def __init__(
        self,
        *,
        spec: ModelSpec,
        plan: LearningPlan,
        point: DecisionPoint,
        source: DecisionSource,
        tell: Tell,
        clock: Nanoseconds,
    ) -> None:
        self._clock = clock
        self._spec = spec
        self._plan = plan
        self._point = point
        self._source = source
        self._journaled = JournaledModel(spec, source, tell)

    def known(self) -> Learnt:
        """Return where the model stands, and all that happened to it."""
        return self._journaled.known()

    def look(self, now: int) -> LearningLook:
        """Look at the hour before a time, in nanoseconds, and let the registry follow what comes of it.

        Raises
        ------
        ChampionDiffers
            The champion is of a release with other columns.
        LearningUnexpected
            Something was told meanwhile, as by a day.
        EngineRefused
            The engine did not take a command.
        """
        known = self._journaled.followed()
        if known.standing.champion == NONE:
            return LearningLook(decisions=0)
        standing, models = self._journaled.named(known.standing)
        deciding = Deciding(plan=self._plan, standing=standing, models=models)
        policies = policy_history(policy_events(self._source), self._point.name)
        latest = self._decisions(now)
        hours = self._before(policies, now) | {now: latest}
        happened = list(self._guarded(deciding, known, policies, hours, now))
        if not happened:
            happened = self._surged(deciding, known, hours, now)
        if not happened:
            return LearningLook(decisions=len(latest))
        command = RecordLook(
            subject=text_id(self._plan.model),
            model=self._plan.model,
            at=now,
            # A look comes to nothing else.
            happened=cast("list[Seen]", [told(one, now) for one in happened]),
        )
        self._journaled.done(NAME, command, f"{self._plan.model} {now} look")
        self._journaled.follow(known, command.happened)
        return LearningLook(decisions=len(latest), happened=tuple(command.happened))

    # -- guards ----------------------------------------------------------------------------

    def _guarded(
        self,
        deciding: Deciding,
        known: Learnt,
        policies: Sequence[PolicyChange],
        hours: Hours,
        now: int,
    ) -> Iterator[Happened]:
        """Roll back a new champion, and drop a canary, that scores what it must not."""
        standing = deciding.standing
        is_canary = standing.stage == Stage.CANARY and standing.candidate == known.aliases[alias_of(standing)]
        if not (is_canary or deciding.is_watched(now)):
            return
        # What was decided before the latest move of an alias, others decided.
        found = scored_decisions(
            hours[now][hours[now]["position"] > known.moved],
            self._point,
            policies,
            model=self._plan.model,
            models=self._journaled.by_word(),
        )
        rows = self._rows(found.decisions, is_about_money=True)
        # Who decided about a row is in its record; by any other model it is the champion's to answer for.
        by_canary = is_canary & (found.models == np.uint64(_word(standing.candidate)))
        if is_canary and (against := deciding.against(rows, found.chances, by_canary)):
            yield kinds.CandidateDropped(model=self._plan.model, hash=standing.candidate, reason=against)
        if deciding.is_watched(now):
            reference = self._rows(_joined(hours, until=min(standing.champion_since, now - DAY)))
            its = ~by_canary
            seen = deciding.seen(rows.chosen(its), found.chances[its], reference=reference)
            yield from deciding.guarded(seen, self._clock)

    # -- what comes in ---------------------------------------------------------------------

    def _surged(
        self,
        deciding: Deciding,
        known: Learnt,
        hours: Hours,
        now: int,
    ) -> list[Happened]:
        """Raise alarms about what there is too much of; of the same once a day."""
        latest, before = self._rows(hours[now]), self._rows(_joined(hours, until=now - DAY))
        found = deciding.surged(latest, before, self._spec.names, days=len(hours) - 1)
        lately = {
            event.alarm.name
            for event in (one.event for one in known.history)
            if isinstance(event, AlarmRaised) and event.hash == deciding.standing.champion
            if now - event.at < DAY
        }
        # The least probable one of a column stands for all of it.
        by_name = {one.alarm.name: one for one in found[::-1]}
        fresh = [one for one in found if by_name[one.alarm.name] is one and one.alarm.name not in lately]
        return deciding.alarmed(fresh[:_ALARMS_MAX])

    # -- rows ------------------------------------------------------------------------------

    def _before(self, policies: Sequence[PolicyChange], now: int) -> Hours:
        """Return the decisions of the same hour on each day before on which a policy decided at it."""
        ends = [now - days * DAY for days in range(_DAYS, 0, -1)]
        return {end: self._decisions(end) for end in ends if _is_armed(policies, end - HOUR, end)}

    def _decisions(self, end: int) -> Records:
        """Return the decisions at the point in the hour before a time."""
        found = self._source.decisions_between(first=end - HOUR, after=end)
        return np.asarray(found[found["point"] == point_id(self._point.name)])

    def _rows(self, decisions: Records, *, is_about_money: bool = False) -> Rows:
        """Return decisions (n,) as rows of nobody; what they are about is in their transfers."""
        count, features = len(decisions), self._point.features
        amounts = np.zeros(count, np.int64)
        question = self._spec.question
        if is_about_money and count and question is not None:
            field = self._point.on.field(question.money)
            amounts = self._source.transfers_at(decisions["position"] + 1)[field.source].astype(np.int64)
        values = [decisions[f"value_{features.index(name):02}"] for name in self._spec.names]
        return Rows(
            values=np.stack(values, axis=1),
            at=decisions["timestamp"],
            amounts=amounts,
            labels=np.full(count, UNKNOWN, np.int8),
            parties=np.zeros((count, 2), np.uint64),
            segments={},
        )


def _word(digest: str) -> int:
    return int(digest[:16] or "0", 16)


def _joined(hours: Hours, *, until: int) -> Records:
    """Return the decisions of hours that were over by a time, in their order."""
    return joined([found for end, found in hours.items() if end <= until], DECISION_ROW)


def _is_armed(policies: Sequence[PolicyChange], first: int, after: int) -> bool:
    """Tell whether something decided at a point from a time on and until another."""
    before = [one for one in policies if one.at <= first]
    within = [one for one in policies if first < one.at < after]
    return bool(before) and all(one.version for one in (before[-1], *within))
