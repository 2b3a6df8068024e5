"""Decision points: where rules are run, what they may read there, and what may come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from formicary.factory.decisions.errors import DecisionPointMalformed
from formicary.factory.features.kinds import NAME, EventKind

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
        The names of the features that rules may read, in the order of their columns.
    scores
        The names of the scores that rules may read, in the order of their columns.

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

    def __post_init__(self) -> None:
        for what, names in (
            ("name", (self.name,)),
            ("outcome", self.outcomes),
            ("field or feature", (*self.on.fields, *self.features)),
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
        if len(self.on.numbers) > _NUMBERS_MAX:
            self._refuse(f"{self.on.name} has more than {_NUMBERS_MAX} numbers")

    def _refuse(self, message: str) -> None:
        told = f"{self.name}: {message}"
        raise DecisionPointMalformed(told)
