"""What the credit score wants to be told beside what went in and out of a party: debts, and who it is.

Two kinds of facts. An ``obligation`` fell due: a bill, an instalment, whatever the source knows of; ``due``
is 1, and ``late`` 1 where it was paid a month late or never. An ``identity_check`` was made: ``checks`` is 1,
and ``passed`` 1 or 0.

A fact is never taken back. What was wrong is told once more at the same time with its numbers negative, as a
book is corrected: sums are right from then on, and what was read before stays what it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from formicary.base.purposes import Purpose
from formicary.factory.features.aggregates import total
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.expressions import value_of
from formicary.factory.features.kinds import EventKind, Facts, number, party

__all__ = ["CREDIT_FACTS", "FEATURES", "IDENTITY_CHECK", "OBLIGATION"]

OBLIGATION: Final = EventKind("obligation", Facts("obligation"), party=party(), due=number(), late=number())
"""Something that a party owed fell due."""

IDENTITY_CHECK: Final = EventKind(
    "identity_check", Facts("identity_check"), party=party(), checks=number(), passed=number()
)
"""Somebody looked whether a party is who it says."""

_ASKED: Final = EventKind("scored_party", None, party=party())
_YEAR: Final = "365d"
_PURPOSES: Final = frozenset({Purpose.CREDIT, Purpose.RESEARCH})

_TOLD: Final = (
    Feature(
        name="due_365d",
        value=total(OBLIGATION["due"], by="party", over=_YEAR),
        unit="obligations",
        meaning="How many obligations of the party fell due in the last 365 days.",
    ),
    Feature(
        name="late_365d",
        value=total(OBLIGATION["late"], by="party", over=_YEAR),
        unit="obligations",
        meaning="How many obligations of the last 365 days the party met late or never.",
    ),
    Feature(
        name="met_365d",
        value=value_of("due_365d") - value_of("late_365d"),
        unit="obligations",
        meaning="How many obligations of the last 365 days the party met on time.",
    ),
    Feature(
        name="late_share_365d",
        value=value_of("late_365d") / value_of("due_365d"),
        unit="share",
        meaning="The share of the obligations of the last 365 days that were met late or never.",
    ),
    Feature(
        name="checks_passed_365d",
        value=total(IDENTITY_CHECK["passed"], by="party", over=_YEAR),
        unit="checks",
        meaning="How many checks of its identity the party passed in the last 365 days.",
    ),
)

CREDIT_FACTS: Final = FeatureSet(
    name="credit_facts",
    on=_ASKED,
    features=tuple(replace(one, purposes=_PURPOSES) for one in _TOLD),
    owner="credit",
)
"""What is known of a party's debts and identity, of whoever agreed to the purpose."""

FEATURES: Final = (CREDIT_FACTS,)
"""The sets of the credit score."""
