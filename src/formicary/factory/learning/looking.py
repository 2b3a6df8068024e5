"""What is looked at without labels: what a new champion and a canary score, and what comes in.

::

    once a day                     Learner, with what is known by then
    some times an hour             the same guards on the last hour, and the hour beside those of days before

Whoever looks needs rows and the models that decide, and nothing that trains one: LightGBM is not loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.lots import lots
from formicary.factory.decisions.usable import trial_salt
from formicary.factory.learning.guards import Alarm, Before, Seen, alarms, latency_alarm, moved_index
from formicary.factory.learning.incoming import Surge, surges
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.scores import chances_of
from formicary.factory.learning.standing import NONE, AlarmRaised, Happened, RolledBack, Standing
from formicary.factory.learning.timing import Nanoseconds
from formicary.factory.models.model import Model

__all__ = ["Deciding", "Scored"]

Reals: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Scored: TypeAlias = tuple[Reals, Flags]
"""Chances (n,), and which of them (n,) are a canary's."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Deciding:
    """Where a model stands, and the models that its standing names, by their hashes."""

    plan: LearningPlan
    standing: Standing
    models: Mapping[str, Model]

    def chances(self, digest: str, rows: Rows) -> Reals:
        """Return the chances (n,) that a model says of rows, NaN where it is not there."""
        model = self.models.get(digest)
        if model is None:
            return np.full(len(rows), np.nan)
        return chances_of(model, model.forest.raw_scores(rows.values))

    def scored(self, rows: Rows) -> Scored:
        """Return the chances by which rows are decided about: the champion's, for some parties a canary's."""
        is_canary, chances = self.is_canary(rows), self.chances(self.standing.champion, rows)
        if is_canary.any():
            chances[is_canary] = self.chances(self.standing.candidate, rows.chosen(is_canary))
        return chances, is_canary

    def is_canary(self, rows: Rows) -> Flags:
        """Return about which rows (n,) a canary decides."""
        if not (self.standing.share and len(rows)):
            return np.zeros(len(rows), np.bool_)
        salt = trial_salt(self.plan.model, self.standing.candidate)
        return np.asarray(lots(rows.parties, salt) < self.standing.share)

    # -- guards ----------------------------------------------------------------------------

    def is_watched(self, now: int) -> bool:
        """Tell whether the champion is new at a time, in nanoseconds, and the learner may take it back."""
        standing = self.standing
        return standing.is_ours and now - standing.champion_since <= self.plan.watched_days * DAY

    def seen(self, rows: Rows, scored: Reals, *, reference: Rows | None = None) -> Seen:
        """Return rows (n) as the champion decided about them by chances (n,), beside the one before it.

        ``reference`` are rows from before the champion decided, beside which its chances are seen to move.
        """
        own, previous = self.chances(self.standing.champion, rows), self.standing.previous
        if previous == NONE:
            return Seen(rows=rows, scored=scored, own=own)
        before, moved = self.chances(previous, rows), 0.0
        if reference is not None:
            moved = moved_index(self.chances(self.standing.champion, reference), own)
            moved -= moved_index(self.chances(previous, reference), before)
        return Seen(rows=rows, scored=scored, own=own, before=Before(chances=before, moved=moved))

    def guarded(self, seen: Seen, clock: Nanoseconds) -> Iterator[Happened]:
        """Roll back a champion that scores what it must not, or takes too long for it."""
        found = list(alarms(seen, self.plan))
        models = [self.models.get(digest) for digest in (self.standing.champion, self.standing.previous)]
        ours, theirs = models
        if not found and ours is not None and theirs is not None:
            found = list(latency_alarm(ours.forest, theirs.forest, seen.rows, self.plan, clock))
        yield from self.rolled_back(found)

    def rolled_back(self, found: Sequence[Alarm]) -> Iterator[Happened]:
        """Raise alarms, and have the champion before decide again, without one rules alone.

        Nothing where there is no alarm.
        """
        champion, name = self.standing.champion, self.plan.model
        for alarm in found:
            yield AlarmRaised(model=name, hash=champion, alarm=alarm)
        if found:
            yield RolledBack(model=name, hash=champion, to=self.standing.previous, reason=found[0].said)

    def against(self, rows: Rows, scored: Reals, is_canary: Flags) -> str:
        """Return what stands against a candidate by what it says of rows (n); nothing where nothing does.

        Where it decided itself, as a canary (n,), by the chances that did (n,).
        """
        ours = self.chances(self.standing.candidate, rows)
        if np.isnan(ours).any():
            return "it gave no score"
        if self.standing.champion != NONE:
            before = Before(chances=self.chances(self.standing.champion, rows))
            said = np.where(is_canary, scored, ours)
            for alarm in alarms(Seen(rows=rows, scored=said, own=ours, before=before), self.plan):
                return alarm.said
        return ""

    # -- what comes in ---------------------------------------------------------------------

    def surged(self, latest: Rows, before: Rows, names: Sequence[str], *, days: int) -> list[Surge]:
        """Return what there is too much of in the rows of an hour, beside the same hour of so many days.

        ``names`` are those of the rows' columns.
        """
        latest_scored, before_scored = (
            (rows, self.chances(self.standing.champion, rows)) for rows in (latest, before)
        )
        return surges(latest_scored, before_scored, names, days=days)

    def alarmed(self, found: Sequence[Surge]) -> list[Happened]:
        """Return the alarms of surges."""
        return [
            AlarmRaised(model=self.plan.model, hash=self.standing.champion, alarm=one.alarm) for one in found
        ]
