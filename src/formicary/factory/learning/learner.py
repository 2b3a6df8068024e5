"""The learner: once a business day it looks at what is known, and does what its plan says.

::

    nothing ── trained, judged ──▶ shadow ──▶ canary 1 % ─ 5 % ─ 25 % ──▶ champion ──▶ watched ──▶ …
                    │ a gate            │ a guard     │ a guard, a loss        │ a guard, a loss
                    ▼                   ▼             ▼                        ▼
                 refused             dropped       dropped                rolled back, cool-down

What is rolled back leaves the decision to the champion before it, and where there is none to rules alone.

It is given the time, the rows that are known and what was scored; it decides nothing about rows and has no
hidden state: where a model stands is a fold of what the learner said happened (``standing``). So a learner
that is started anew goes on where the last one ended.

Alarms roll back, drop, hold rows like those that are new, make a training due at once, choose how far back
challengers learn and tighten guards. They never promote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.lots import LOTS
from formicary.factory.learning.challengers import Challenger, best_of, train_challenger
from formicary.factory.learning.guards import money_alarm
from formicary.factory.learning.incoming import Surge
from formicary.factory.learning.looking import Deciding, Scored
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.standing import (
    NONE,
    CandidateDropped,
    ChallengerJudged,
    Happened,
    Stage,
    StageEntered,
    Standing,
    evolve,
)
from formicary.factory.learning.timing import Nanoseconds
from formicary.factory.learning.watching import watched
from formicary.factory.models.errors import ModelRefused
from formicary.factory.models.model import Model
from formicary.factory.models.spec import ModelSpec

__all__ = ["Learner", "Scored", "Train"]

Reals: TypeAlias = npt.NDArray[np.float64]
Train: TypeAlias = Callable[..., Challenger]
"""``train_challenger``, or what takes and returns the same."""

_REFERENCE_ROWS_MAX: Final = 20_000
"""Known rows before a champion decided, the newest: beside them scores are seen to move."""


class Learner:
    """Lets one model learn.

    Parameters
    ----------
    spec, plan
        Of the model.
    clock
        Measures what scoring takes.
    threads
        How many cores trainings take.
    train
        Trains and judges.
    standing, models
        Where the model stands, and the models that it names by their hashes: nothing for a new one.
    """

    def __init__(
        self,
        spec: ModelSpec,
        plan: LearningPlan,
        *,
        clock: Nanoseconds,
        threads: int = 1,
        train: Train = train_challenger,
        standing: Standing | None = None,
        models: dict[str, Model] | None = None,
    ) -> None:
        self.spec = spec
        self.plan = plan
        self.standing = Standing() if standing is None else standing
        self.models = {} if models is None else models
        self._clock = clock
        self._threads = threads
        self._train = train

    # -- scoring ---------------------------------------------------------------------------

    def scored(self, rows: Rows) -> Scored:
        """Return the chances by which rows are decided about: the champion's, for some parties a canary's.

        NaN where nothing decides.
        """
        return self.deciding.scored(rows)

    @property
    def deciding(self) -> Deciding:
        """Who decides now."""
        return Deciding(plan=self.plan, standing=self.standing, models=self.models)

    def _chances(self, digest: str, rows: Rows) -> Reals:
        return self.deciding.chances(digest, rows)

    # -- a business day --------------------------------------------------------------------

    def day(
        self, now: int, rows: Rows, latest: Rows, scored: Reals, investigated: Rows | None = None
    ) -> list[Happened]:
        """Look at what is known at a time, and return what happened.

        Parameters
        ----------
        now
            In nanoseconds.
        rows
            All rows of which a label is known by now.
        latest
            The rows since the last look, with or without a label.
        scored
            The chances that decided about them, (m,).
        investigated
            All rows whose fast label is known by now, where the plan names one: the few that somebody looked
            at, the newest among them.
        """
        happened: list[Happened] = []
        trained = partial(self._trained, investigated=investigated)
        for step in (self._guarded, self._paid_off, self._watched, self._let_in, trained):
            for one in step(now, rows, latest, scored):
                self.standing = evolve(self.standing, one, now)
                happened.append(one)
        return happened

    def guard(self, now: int, latest: Rows, scored: Reals) -> list[Happened]:
        """Look at what was scored since the last look only: as often as one likes, within a day."""
        happened = list(self._guarded(now, latest, latest, scored))
        for one in happened:
            self.standing = evolve(self.standing, one, now)
        return happened

    def look(self, now: int, latest: Rows, before: Rows, *, days: int) -> tuple[list[Happened], list[Surge]]:
        """Look for something new in what comes in, every hour: what happened, and what there is too much of.

        Parameters
        ----------
        now
            In nanoseconds.
        latest
            The rows of the last hour.
        before
            Those of the same hour on each of so many days before.
        """
        deciding = self.deciding
        found = deciding.surged(latest, before, self.spec.names, days=days)
        happened = deciding.alarmed(found)
        for one in happened:
            self.standing = evolve(self.standing, one, now)
        return happened, found

    def _guarded(self, now: int, rows: Rows, latest: Rows, scored: Reals) -> Iterator[Happened]:
        """Roll back a new champion that scores what it must not, of what it decided about."""
        deciding = self.deciding
        if not deciding.is_watched(now):
            return
        began = self.standing.champion_since
        # For what a canary decided this champion does not answer, nor for what was before it.
        is_its = (latest.at >= began) & ~deciding.is_canary(latest)
        reference = rows.between(0, began).chosen(slice(-_REFERENCE_ROWS_MAX, None))
        seen = deciding.seen(latest.chosen(is_its), scored[is_its], reference=reference)
        yield from deciding.guarded(seen, self._clock)

    def _paid_off(self, now: int, rows: Rows, *_: object) -> Iterator[Happened]:
        """Roll back a new champion that earns less than the one before it would have, or than none."""
        standing = self.standing
        is_old = now - standing.champion_since > 2 * self.plan.watched_days * DAY
        if not standing.is_ours or (is_old and not standing.is_alarmed(now)):
            return
        since = rows.between(standing.champion_since, now)
        deciding, ours = self.deciding, self._chances(standing.champion, since)
        yield from deciding.rolled_back(list(money_alarm(deciding.seen(since, ours), self.plan)))

    # -- letting in ------------------------------------------------------------------------

    def _let_in(self, now: int, rows: Rows, latest: Rows, scored: Reals) -> Iterator[Happened]:
        """Take a candidate a step further, or drop it."""
        standing, plan = self.standing, self.plan
        if standing.candidate == NONE:
            return
        against = self._against(now, rows, latest, scored)
        if against:
            yield CandidateDropped(model=plan.model, hash=standing.candidate, reason=against)
            return
        days = plan.shadow_days if standing.stage == Stage.SHADOW else plan.canary_days
        if now - standing.stage_since >= days * DAY:
            yield self._next_stage()

    def _against(self, now: int, rows: Rows, latest: Rows, scored: Reals) -> str:
        """Return what a candidate did that it must not, on the latest rows and on those with a label."""
        standing = self.standing
        deciding = self.deciding
        against = deciding.against(latest, scored, deciding.is_canary(latest))
        if against or standing.champion == NONE:
            return against
        since = rows.between(standing.stage_since, int(rows.at[-1]) + 1)
        lost = self._worth(standing.champion, since) - self._worth(standing.candidate, since)
        most = self.plan.canary_loss_max
        if lost > (most // 2 if standing.is_alarmed(now) else most):
            return f"it lost {lost:,.0f} beside the champion"
        return ""

    def _worth(self, digest: str, rows: Rows) -> int:
        stopped = self.plan.worth.stops(self._chances(digest, rows), rows.amounts)
        return int(rows.counted(self.plan.worth.values(stopped, rows.labels, rows.amounts)).sum())

    def _next_stage(self) -> StageEntered:
        plan, standing = self.plan, self.standing
        # Where nothing decides there is nothing to lose: after its shadow the first one is let in.
        wider = [share for share in plan.canary_shares if share > standing.share]
        if standing.champion == NONE or not wider:
            return self._entered(standing.candidate, Stage.CHAMPION, LOTS, "nothing spoke against it")
        return self._entered(standing.candidate, Stage.CANARY, wider[0], "nothing spoke against it")

    def _entered(self, digest: str, stage: Stage, share: int, reason: str) -> StageEntered:
        return StageEntered(model=self.plan.model, hash=digest, stage=stage, share=share, reason=reason)

    # -- training --------------------------------------------------------------------------

    def _watched(self, now: int, rows: Rows, *_: object) -> Iterator[Happened]:
        """Raise an alarm where the champion decides in another world than it learnt."""
        standing = self.standing
        if standing.champion == NONE or standing.is_alarmed(now):
            return
        question = self.spec.question
        horizon = 0 if question is None else question.label.horizon_ns
        matured = rows.between(0, now - horizon + 1)
        yield from watched(standing, matured, partial(self._chances, standing.champion), self.spec, self.plan)

    def _trained(
        self, now: int, rows: Rows, *_: object, investigated: Rows | None = None
    ) -> Iterator[Happened]:
        """Train challengers where it is time to, and let the best of those that pass look on."""
        if not self._is_due(now, rows):
            return
        champion = self.models.get(self.standing.champion)
        passed: list[Challenger] = []
        positives = int((rows.labels == 1).sum())
        is_alarmed = self.standing.is_alarmed(now)
        fast = {} if investigated is None else {"investigated": investigated}
        for window in (*self.plan.windows_days, *(self.plan.alarmed_windows_days if is_alarmed else ())):
            try:
                found = self._train(
                    self.spec,
                    self.plan,
                    rows,
                    champion,
                    window_days=window,
                    clock=self._clock,
                    threads=self._threads,
                    is_alarmed=is_alarmed,
                    **fast,
                )
            except ModelRefused:
                # Too few labels, or a column that tells nothing yet: tomorrow there is more.
                continue
            yield ChallengerJudged(
                model=self.plan.model,
                hash=found.model.hash,
                window_days=window,
                learnt=found.learnt,
                positives=positives,
                until=int(rows.at[-1]),
                gates=list(found.gates),
                is_passed=found.is_passed,
                shown=list(found.shown),
            )
            if found.is_passed:
                passed.append(found)
        if passed:
            best = best_of(passed, self.plan)
            self.models[best.model.hash] = best.model
            yield self._entered(best.model.hash, Stage.SHADOW, 0, f"at least {best.gain:,.0f} more a day")

    def _is_due(self, now: int, rows: Rows) -> bool:
        standing, plan = self.standing, self.plan
        if standing.candidate != NONE or not len(rows):
            return False
        if standing.rolled_back_at and now - standing.rolled_back_at < plan.cool_down_days * DAY:
            return False
        days = (int(rows.at[-1]) - int(rows.at[0])) // DAY
        positives = int((rows.labels == 1).sum())
        if days < 2 * plan.judged_days or positives < plan.positives_min:
            return False
        if not standing.trained_at:
            return True
        is_alarmed = standing.is_alarmed(now)
        new = positives - standing.trained_positives
        if is_alarmed and not standing.is_alarm_labelled:
            # What is new has labels from the day of the alarm on.
            since = rows.labels[np.searchsorted(rows.at, (standing.alarmed_at - 1) // DAY * DAY) :]
            new = int((since == 1).sum())
        every_days = 1 if is_alarmed else plan.every_days
        return now - standing.trained_at >= every_days * DAY and new >= plan.new_positives_min
