"""One recorded decision, asked again with other values: by its own policy, models and features.

What follows from a changed value is computed again: with an amount its ratio to what is usual, with features
the scores, with both what is trusted. Caps are left out: they tell of the others, not of this one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.decisions._derive_kernels import derive_features
from formicary.factory.decisions.counterfactuals import Found, Lever, smallest_changes
from formicary.factory.decisions.cuts import forest_cuts, rule_cuts
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.items import Items
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import ArmedPolicy
from formicary.factory.decisions.rules import CompiledRules, Judged, Verdict
from formicary.factory.decisions.usable import Usable
from formicary.factory.features._expressions import STACK_MAX
from formicary.factory.features._layout import Events
from formicary.factory.features.compiler import Compiled, CompiledView
from formicary.factory.features.journal_fold import journaled_events
from formicary.factory.features.kinds import FieldType
from formicary.factory.features.store import FeatureStore
from formicary.factory.ledger import CreateTransferStatus

__all__ = ["Again", "AskedAgain", "asking_event"]

Reals: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[Any]

_WORD: Final = 2**64 - 1
_SIDES: Final = ("debit_account_id", "credit_account_id")


@dataclass(frozen=True, kw_only=True, eq=False)
class Again:
    """What comes out for values (n).

    Attributes
    ----------
    judged
        What the rules say, with scores where nothing is trusted.
    trusted, no_score
        (n,): whether no score was asked for, and whether one that decides is missing.
    outcomes
        (n,), before caps.
    raw
        (n, scores), NaN for none.
    """

    judged: Judged
    trusted: npt.NDArray[np.bool_]
    no_score: npt.NDArray[np.bool_]
    outcomes: npt.NDArray[np.int64]
    raw: Reals


class AskedAgain:
    """A decision with all that it was taken by.

    Parameters
    ----------
    decision, transfer
        The row of the decision and that of its transfer.
    holders
        The parties that hold the transfer's accounts, debit first; 0 for nobody.
    armed
        The policy that was armed.
    compiled
        The features as the engine compiles them.
    models
        The models by the names of their scores.
    """

    def __init__(
        self,
        decision: Any,
        transfer: Any,
        *,
        holders: tuple[int, int],
        armed: ArmedPolicy,
        compiled: Compiled,
        models: Mapping[str, Usable],
    ) -> None:
        self.armed = armed
        self.models = models
        self.view: CompiledView = compiled.views[armed.point.reads[0].name]
        self._withheld = int(decision["withheld"])
        self._events = asking_event(compiled, armed.point, transfer, holders)
        own = [float(decision[f"value_{place:02}"]) for place in range(len(armed.point.features))]
        self.names: tuple[str, ...] = (*armed.point.on.numbers, *armed.point.features)
        """The columns of values: numbers of the event, then features."""
        self.values: Reals = np.array([*self._numbers(), *own])
        """(names,): as they were."""

    # -- asking ----------------------------------------------------------------------------

    def ask(self, values: Reals) -> Again:
        """Decide about values (n, names), each by itself; what follows from others is computed anew."""
        items, raw = self._items(values)
        trusted = np.zeros(len(values), np.bool_)
        if self.armed.trust is not None:
            trusted = self.armed.trust.judge(items).verdicts[:, 0] == Verdict.TRUE
        raw[trusted] = np.nan
        items.scores[trusted] = np.nan
        judged = self.armed.rules.judge(items)
        decides = [self.armed.point.scores.index(name) for name in self._deciding]
        no_score = np.isnan(raw[:, decides]).any(axis=1) & ~trusted
        outcomes = np.where(
            trusted, self._said(judged, is_trusted=True), self._said(judged, is_trusted=False)
        )
        safe = self.armed.point.outcomes.index(self.armed.point.safe_outcome)
        outcomes = np.where(no_score, np.maximum(outcomes, safe), outcomes)
        return Again(judged=judged, trusted=trusted, no_score=no_score, outcomes=outcomes, raw=raw)

    @cached_property
    def as_it_was(self) -> Again:
        """What comes out for the recorded values."""
        return self.ask(self.values[None])

    @cached_property
    def features(self) -> Reals:
        """The features, (features,), with those computed again that follow from others."""
        features: Reals = self._items(self.values[None])[0].features[0]
        return features

    def smallest_changes(self) -> Found | None:
        """Search for the smallest changes that would have let it happen; None if a cap alone was against it.

        Values that follow from others are no levers, and neither are those that are missing.
        """
        point = self.armed.point
        wanted = [place for place, effect in enumerate(point.effects) if effect == Effect.ALLOW]
        if self.as_it_was.outcomes[0] in wanted:
            return None
        return smallest_changes(
            self.values, lambda values: self.ask(values).outcomes, list(self._levers()), wanted=wanted
        )

    # -- what is asked ---------------------------------------------------------------------

    @property
    def _deciding(self) -> list[str]:
        """The scores of the policy that decide."""
        point, policy = self.armed.point, self.armed.policy
        return [name for name in point.scores if name in policy.scores and not policy.scores[name].only_looks]

    def _numbers(self) -> Iterator[float]:
        on = self.armed.point.on
        for place, name in enumerate(on.numbers):
            column = self._events.numbers[:, place]
            is_real = on.fields[name].type == FieldType.REAL
            yield float(np.ascontiguousarray(column).view(np.float64)[0] if is_real else column[0])

    def _items(self, values: Reals) -> tuple[Items, Reals]:
        """Return values (n, names) as items with calibrated scores, and the raw ones (n, scores)."""
        point = self.armed.point
        events = Events(*(np.repeat(column, len(values), axis=0) for column in self._events))
        for place, name in enumerate(point.on.numbers):
            given = np.ascontiguousarray(values[:, place])
            is_real = point.on.fields[name].type == FieldType.REAL
            events.numbers[:, place] = given.view(np.int64) if is_real else np.rint(given).astype(np.int64)
        features = np.ascontiguousarray(values[:, len(point.on.numbers) :])
        view = self.view.view
        derive_features(view.programs, view.code, view.constants, events, features, np.zeros(STACK_MAX))
        features[:, (view.subjects & self._withheld) != 0] = np.nan
        raw = np.full((len(values), len(point.scores)), np.nan)
        scores = raw.copy()
        for name, usable in self.models.items():
            place = point.scores.index(name)
            found = usable.model.forest.raw_scores(features[:, usable.columns])
            # No number is nobody's word.
            raw[:, place] = np.where(np.isfinite(found), found, np.nan)
            scores[:, place] = usable.calibration.apply(raw[:, place])
        items = Items(
            events.at,
            np.ascontiguousarray(events.ids[:, : len(point.on.ids)]),
            np.ascontiguousarray(events.numbers[:, : len(point.on.numbers)]),
            np.zeros(len(values), np.int64),
            features,
            scores,
        )
        return items, raw

    def _said(self, judged: Judged, *, is_trusted: bool) -> npt.NDArray[np.int64]:
        """Return the most severe outcome of the armed rules, (n,); of those without a score where trusted."""
        outcomes = np.zeros(len(judged.outcomes), np.int64)
        point = self.armed.point
        for place, rule in enumerate(self.armed.rules.rule_set.rules):
            if rule.enabled and not (is_trusted and self.armed.rule_scores[place] >= 0):
                holds = point.outcomes.index(rule.outcome)
                unknown = point.outcomes.index(rule.if_unknown or point.safe_outcome)
                verdicts = judged.verdicts[:, place]
                said = np.where(verdicts == Verdict.TRUE, holds, 0)
                outcomes = np.maximum(outcomes, np.where(verdicts == Verdict.UNKNOWN, unknown, said))
        return outcomes

    # -- what could be otherwise -----------------------------------------------------------

    def _levers(self) -> Iterator[Lever]:
        """Go through the values that can be changed, with where they turn something."""
        first = len(self.armed.point.on.numbers)
        derived = {first + int(program[0]) for program in self.view.view.programs}
        cuts = self._cuts()
        for place in range(len(self.names)):
            if place in derived or not math.isfinite(self.values[place]):
                continue
            own = set(cuts.get(place, ())) | set(self._met(place, derived, cuts))
            if own:
                # Amounts and counts are whole, and so are most things that happen to be.
                step = 1.0 if float(self.values[place]).is_integer() else 0.0
                yield Lever(feature=place, cuts=tuple(sorted(own)), step=step)

    def _cuts(self) -> dict[int, tuple[float, ...]]:
        """Return the cuts of each column that the models that decide and the rules make."""
        point = self.armed.point
        first = len(point.on.numbers)
        found: dict[int, tuple[float, ...]] = {}
        for name in self._deciding:
            if name in self.models:
                for feature, cuts in forest_cuts(self.models[name].model.forest).items():
                    place = first + point.features.index(feature)
                    found[place] = (*found.get(place, ()), *cuts)
        for rules in self._rules():
            read = dict(zip(self.names[::-1], self.values[::-1].tolist(), strict=True))
            for name, cuts in rule_cuts(rules, read).items():
                # A field of the same name goes first.
                place = self.names.index(name)
                found[place] = (*found.get(place, ()), *cuts)
        return found

    def _rules(self) -> Iterator[CompiledRules]:
        yield self.armed.rules
        if self.armed.trust is not None:
            yield self.armed.trust

    def _met(self, lever: int, derived: set[int], cuts: Mapping[int, tuple[float, ...]]) -> Iterator[float]:
        """Go through the values of a lever at which what follows from it, in a line, meets its own cuts."""
        first, before = len(self.armed.point.on.numbers), float(self.values[lever])
        rows = np.repeat(self.values[None], 3, axis=0)
        rows[:, lever] = before, before + 1, before + 2
        features = self._items(rows)[0].features
        for place in derived & set(cuts):
            at, after, later = features[:, place - first].tolist()
            slope = after - at
            if slope and math.isclose(later - after, slope):
                yield from (before + (cut - at) / slope for cut in cuts[place])


def asking_event(compiled: Compiled, point: DecisionPoint, transfer: Any, holders: tuple[int, int]) -> Events:
    """Return a transfer as the event that asked at a decision point, whatever became of it.

    ``holders`` are the parties that hold its accounts, debit first; 0 for nobody.
    """
    kind = compiled.views[point.reads[0].name].view.kind
    store = FeatureStore(compiled)
    accounts = [[int(transfer[f"{side}_{half}"]) for half in ("high", "low")] for side in _SIDES]
    parties = [[holder >> 64, holder & _WORD] for holder in holders]
    store.note_holders(_signed(accounts), _signed(parties))
    row = np.array([transfer], transfer.dtype)
    row["status"], row["flags"] = CreateTransferStatus.CREATED, 0
    told, _ = journaled_events(store, transfers=row, events=())
    return Events(*(np.ascontiguousarray(column[told.kinds == kind]) for column in told))


def _signed(words: list[list[int]]) -> npt.NDArray[np.int64]:
    return np.array(words, np.uint64).view(np.int64)
