"""Decision points: where rules are run, what they may read there, and what may come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from formicary.base.errors import ProgrammingError
from formicary.base.purposes import Purpose
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.errors import DecisionPointMalformed
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.kinds import NAME, EventKind, Transfers
from formicary.factory.journal.rows import SCORES, VALUES

__all__ = ["DecisionPoint"]

RESERVED: Final = frozenset({"absent", "at", "false", "missing", "score", "true"})
"""Words of the language of rules, so no names of fields or features."""

_NUMBERS_MAX: Final = 63
# Each number of an item has one bit of a word that says whether it is absent.


@dataclass(frozen=True, kw_only=True)
class DecisionPoint:
    """A place where a decision is made.

    Attributes
    ----------
    name
        In snake case; a set of rules names it.
    on
        The kind of the event that asks, whose fields rules read.
    outcomes
        What may come out, in snake case, the least severe first: it comes out where no rule says anything.
    safe_outcome
        What comes out where a rule cannot be told and does not say what then.
    features
        The names of the features that rules may read, in the order of their columns; those of the feature
        set, where there is one. A field of the same name goes first.
    scores
        The names of the scores that rules may read, in the order of their columns.
    effects
        What comes of each outcome, in their order; needed where it decides about transfers.
    feature_set, purpose
        What is read at a decision, and what for; needed there, too.
    party
        The id of the event by which parties are drawn for a trial of a model; its first one unless given.
    may_explore
        Whether a policy may let a random share of what it refuses pass, to learn from it. Never where the law
        asks for the same answer in the same case.
    sentences
        By the name of a feature, what whoever asked is told where it counted against them; one for each
        feature that a model may read here.

    Raises
    ------
    DecisionPointMalformed
        A name is not in snake case or stands for two things, or the safe outcome is none of the outcomes.
    """

    name: str
    on: EventKind
    outcomes: tuple[str, ...]
    safe_outcome: str
    features: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    feature_set: FeatureSet | None = None
    purpose: Purpose | None = None
    party: str = ""
    may_explore: bool = False
    sentences: Mapping[str, str] = field(default_factory=dict)

    @property
    def codes(self) -> tuple[int, ...]:
        """The codes of the transfers that are decided about here."""
        return self.on.source.codes if isinstance(self.on.source, Transfers) else ()

    @property
    def reads(self) -> tuple[FeatureSet, Purpose]:
        """What is read at a decision, and what for."""
        if self.feature_set is None or self.purpose is None:
            message = f"nothing is read at {self.name}"
            raise ProgrammingError(message)
        return self.feature_set, self.purpose

    @property
    def party_column(self) -> int:
        """The column of the id by which parties are drawn, -1 where the event names nobody."""
        ids = self.on.ids
        if self.party:
            return ids.index(self.party)
        return 0 if ids else -1

    def __post_init__(self) -> None:
        if self.feature_set is not None:
            object.__setattr__(self, "features", tuple(one.name for one in self.feature_set.features))
        own = [name for name in self.features if self.feature_set is None or name not in self.on.fields]
        for what, names in (
            ("name", (self.name,)),
            ("outcome", self.outcomes),
            ("field or feature", (*self.on.fields, *own)),
            ("score", self.scores),
        ):
            for place, name in enumerate(names):
                if not NAME.fullmatch(name):
                    self._refuse(f"the {what} {name!r} is not in snake case")
                if name in names[:place]:
                    self._refuse(f"two are named {name!r}")
        if reserved := RESERVED.intersection((*self.on.fields, *self.features)):
            self._refuse(f"{', '.join(sorted(reserved))}: a word of the language of rules")
        if self.safe_outcome not in self.outcomes:
            self._refuse(f"the safe outcome {self.safe_outcome!r} is none of {', '.join(self.outcomes)}")
        self._require_known_names()
        if len(self.on.numbers) > _NUMBERS_MAX:
            self._refuse(f"{self.on.name} has more than {_NUMBERS_MAX} numbers")
        if self.effects:
            self._require_effects()

    def _require_known_names(self) -> None:
        if self.party and self.party not in self.on.ids:
            self._refuse(f"parties are drawn by {self.party!r}, which is no id of {self.on.name}")
        if unknown := sorted(self.sentences.keys() - set(self.features)):
            self._refuse(f"there are sentences of {', '.join(unknown)}, which are no features here")

    def _require_effects(self) -> None:
        """Refuse a point that could not decide about transfers."""
        if len(self.effects) != len(self.outcomes) or list(self.effects) != sorted(self.effects):
            self._refuse("an effect for each outcome, none less severe than the one before")
        if self.feature_set is None or self.purpose is None or self.feature_set.on is not self.on:
            self._refuse("what is read of its own events, and what for")
        if len(self.features) > VALUES or len(self.scores) > SCORES:
            self._refuse(f"more than {VALUES} features or {SCORES} scores are too many to record")
        if not self.codes:
            self._refuse(f"{self.on.name} is no transfer")
        if (
            self.effects[0] != Effect.ALLOW
            or self.effects[self.outcomes.index(self.safe_outcome)] == Effect.ALLOW
        ):
            self._refuse("the least severe outcome allows, and the safe one does not")

    def _refuse(self, message: str) -> None:
        told = f"{self.name}: {message}"
        raise DecisionPointMalformed(told)
