"""A model that learns on a real journal: a business day, and what becomes of it in the registry.

::

    journal ── rows, chances ──▶ Learner.day ──▶ what happened
                                                   │ 1. the bytes of a challenger that was let in
                                                   │ 2. RecordDay: all of it or nothing
                                                   ▼ 3. aliases and trials, as it says
                                                 engine

Killed before 2, a day has not been: bytes that are there decide nothing, and the same are not sent twice.
Killed after it, whoever starts anew does 3 again, under the same keys: what was done is answered as at first.
So it is a client like any other, and nothing waits for it.

Nothing here runs where decisions are made: a day loads pyarrow, and LightGBM once there are labels.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.features.compiler import Compiled
from formicary.factory.features.journal_fold import FACTS_RECORDED
from formicary.factory.learning import standing as kinds
from formicary.factory.learning.errors import LearningRefused
from formicary.factory.learning.following import alias_of
from formicary.factory.learning.journaled import DecisionSource, JournaledModel, Tell
from formicary.factory.learning.messages import (
    DayKnown,
    RecordDay,
    RecordRollback,
    RolledBack,
    StageEntered,
    Told,
    said,
    told,
)
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.product import NAME
from formicary.factory.learning.reading import Learnt
from formicary.factory.learning.standing import NONE, Standing
from formicary.factory.models.errors import TrainerMissing
from formicary.factory.models.outcomes import outcomes_of
from formicary.factory.models.spec import ModelSpec
from formicary.factory.registry import NAME as REGISTRY
from formicary.factory.registry.reading import policy_events, policy_history
from formicary.factory.registry.storing import parts_of, registration_of

if TYPE_CHECKING:
    from formicary.factory.learning.learner import Learner, Train
    from formicary.factory.learning.rows import Reals, Rows
    from formicary.factory.learning.timing import Nanoseconds
    from formicary.factory.models.training_set import AskedRows

__all__ = ["LearningDay", "LiveLearner", "NoChampionBefore"]

_BY_HAND: Final = "somebody took its alias away"
_DIFFERS: Final = "it reads other columns than this release's"


class NoChampionBefore(LearningRefused):
    """No champion decides that the learner let in: there is nothing that it could take back."""

    code = "no_champion_before"


@dataclass(frozen=True, kw_only=True)
class LearningDay:
    """What the learner saw and did on a day.

    Attributes
    ----------
    day
        Counted from 1970-01-01.
    rows, positives, decisions
        How many rows have a label, how many of them the label 1, how many decisions there were since the day
        before. Without rows nothing is told to the journal.
    happened
        What came of it.
    standing
        Where the model stands now.
    """

    day: int
    rows: int = 0
    positives: int = 0
    decisions: int = 0
    happened: tuple[Told, ...] = ()
    standing: Standing


@dataclass(frozen=True, kw_only=True, eq=False)
class _Seen:
    """Rows with a label, the latest that were decided about, the chances that decided about these.

    Beside them the rows with a label that comes fast, None where the plan names none.
    """

    known: Rows
    latest: Rows
    scored: Reals
    investigated: Rows | None


class LiveLearner:
    """Lets one model learn on a journal. For one thread at a time.

    Parameters
    ----------
    spec, plan
        Of the model.
    point
        Where it decides.
    compiled
        The sets of features as the engine compiles them.
    source
        The journal.
    tell
        Sends commands to the engine.
    folder
        For training sets, its own; emptied each day.
    clock
        Measures what scoring takes.
    threads
        How many cores trainings take.
    train
        Trains and judges in place of ``train_challenger``.
    """

    def __init__(
        self,
        *,
        spec: ModelSpec,
        plan: LearningPlan,
        point: DecisionPoint,
        compiled: Compiled,
        source: DecisionSource,
        tell: Tell,
        folder: Path,
        clock: Nanoseconds,
        threads: int = 1,
        train: Train | None = None,
    ) -> None:
        self._spec = spec
        self._plan = plan
        self._point = point
        self._compiled = compiled
        self._source = source
        self._journaled = JournaledModel(spec, source, tell)
        self._folder = folder
        self._clock = clock
        self._threads = threads
        self._train = train

    # -- what may be asked -----------------------------------------------------------------

    def known(self) -> Learnt:
        """Return where the model stands, and all that happened to it."""
        return self._journaled.known()

    def day(self, now: int) -> LearningDay:
        """Live a business day at a time, in nanoseconds, and let the registry follow.

        Raises
        ------
        ChampionDiffers
            The champion is of a release with other columns.
        DayKnown
            This day was lived already.
        PlanMalformed, ModelMalformed
            The plan, or the model, does not fit to what is asked at the point.
        TrainerMissing
            LightGBM, or a library that it needs, cannot be loaded.
        LearningUnexpected
            Another learner was faster.
        EngineRefused
            The engine did not take a command.
        """
        known = self._journaled.followed()
        if known.day is not None and known.day.day >= now // DAY:
            raise DayKnown
        seen = self._seen(now, known)
        if seen is None:
            return LearningDay(day=now // DAY, standing=known.standing)
        learner = self._learner(known.standing)
        happened = self._dropped(known, learner, now)
        happened += learner.day(now, seen.known, seen.latest, seen.scored, seen.investigated)
        command = RecordDay(
            subject=text_id(self._plan.model),
            model=self._plan.model,
            at=now,
            day=now // DAY,
            rows=len(seen.known),
            positives=int((seen.known.labels == 1).sum()),
            decisions=len(seen.latest),
            happened=[told(one, now) for one in happened],
        )
        self._keep(command.happened, learner)
        self._journaled.done(NAME, command, f"{self._plan.model} {now}")
        self._journaled.follow(known, command.happened)
        return LearningDay(
            day=command.day,
            rows=command.rows,
            positives=command.positives,
            decisions=command.decisions,
            happened=tuple(command.happened),
            standing=learner.standing,
        )

    def roll_back(self, now: int, reason: str) -> RolledBack:
        """Let the champion before decide again, at a time in nanoseconds, because somebody says so.

        Where there is none before it, rules decide alone.

        Raises
        ------
        NoChampionBefore
            The learner did not let this champion in, or there is none.
        """
        known = self._journaled.followed()
        standing = known.standing
        if not standing.is_ours:
            raise NoChampionBefore
        command = RecordRollback(
            subject=text_id(self._plan.model),
            model=self._plan.model,
            at=now,
            hash=standing.champion,
            to=standing.previous,
            reason=said(reason),
        )
        self._journaled.done(NAME, command, f"{self._plan.model} {now} rollback")
        event = RolledBack(
            model=command.model, at=now, hash=command.hash, to=command.to, reason=command.reason
        )
        self._journaled.follow(known, [event])
        return event

    # -- what is seen ----------------------------------------------------------------------

    def _seen(self, now: int, known: Learnt) -> _Seen | None:
        """Return what is known at a time; None where no label is."""
        question = self._spec.question
        # Read first, and cheap: where nobody tells outcomes, no training set is written each day.
        facts = self._source.events_of([FACTS_RECORDED], after=0, until=self._source.head())
        if question is None or not len(outcomes_of(facts, question.label).outcomes.at):
            return None
        from formicary.factory.learning.live_rows import decided  # noqa: PLC0415

        shutil.rmtree(self._folder, ignore_errors=True)
        asked, rows = self._asked(self._spec, now)
        if not rows.is_known.any():
            return None
        found = decided(
            self._source,
            asked,
            self._point,
            policy_history(policy_events(self._source), self._point.name),
            model=self._plan.model,
            models=self._journaled.by_word(),
            since=now - DAY if known.day is None else known.day.at,
            moved=known.moved,
        )
        return _Seen(
            known=rows.chosen(rows.is_known),
            latest=rows.chosen(found.places),
            scored=found.scored,
            investigated=self._investigated(now),
        )

    def _investigated(self, now: int) -> Rows | None:
        """Return the rows that somebody looked at lately, None where the plan names no fast label."""
        fast = self._plan.fast
        if fast is None or fast.question is None:
            return None
        _, rows = self._asked(fast, now)
        # Older ones count as good where nothing was told of them, and nobody may have looked at them.
        young = rows.between(now - fast.question.label.horizon_ns + 1, now + 1)
        return young.chosen(young.is_known)

    def _asked(self, spec: ModelSpec, now: int) -> tuple[AskedRows, Rows]:
        """Return all rows of a specification, stopped ones among them, with labels as of a time."""
        from formicary.factory.learning.live_rows import fields_of, rows_of  # noqa: PLC0415, see above
        from formicary.factory.learning.stopped import stopped_rows, together  # noqa: PLC0415, see above
        from formicary.factory.models.training_set import asked_rows  # noqa: PLC0415, see above

        fields = fields_of(spec, self._plan, self._point)
        asked = asked_rows(self._source, self._compiled, spec, self._folder, fields=fields)
        stopped = stopped_rows(self._source, self._compiled, spec, self._point, fields=fields, now=now)
        asked = together(asked, stopped)
        weights = stopped.weights(asked.positions)
        return asked, rows_of(asked, spec, self._plan, self._point, weights)

    # -- the learner -----------------------------------------------------------------------

    def _learner(self, standing: Standing) -> Learner:
        try:
            from formicary.factory.learning.learner import Learner  # noqa: PLC0415, see above
        except (ImportError, OSError) as error:
            # The loader's own words name the library, most often libgomp.so.1.
            message = f"LightGBM, which trains forests, cannot be loaded: {error}"
            raise TrainerMissing(message) from error
        standing, models = self._journaled.named(standing)
        train = {} if self._train is None else {"train": self._train}
        return Learner(
            self._spec,
            self._plan,
            clock=self._clock,
            threads=self._threads,
            standing=standing,
            models=models,
            **train,
        )

    def _dropped(self, known: Learnt, learner: Learner, now: int) -> list[kinds.Happened]:
        """Give a candidate up whose alias somebody took away, or of another release."""
        standing = learner.standing
        if standing.candidate == NONE:
            return []
        is_there = standing.candidate == known.aliases[alias_of(standing)]
        if is_there and standing.candidate in learner.models:
            return []
        reason = _DIFFERS if is_there else _BY_HAND
        dropped = kinds.CandidateDropped(model=self._plan.model, hash=standing.candidate, reason=reason)
        learner.standing = kinds.evolve(standing, dropped, now)
        return [dropped]

    # -- what is told ----------------------------------------------------------------------

    def _keep(self, happened: Sequence[Told], learner: Learner) -> None:
        """Bring the bytes of challengers that are let in into the journal, those that are not there."""
        there = {one.hash for one in self._journaled.versions()}
        for event in happened:
            if not isinstance(event, StageEntered) or event.hash in there:
                continue
            model = learner.models[event.hash]
            for part in parts_of(model):
                self._journaled.done(REGISTRY, part, f"{event.hash} part {part.part}")
            registration = registration_of(model, manifest={"trained_by": "the learner"}, note=event.reason)
            self._journaled.done(REGISTRY, registration, f"{event.hash} registered")
