"""Where the rows of a model come from: which events are asked about, and what tells how each came out.

A specification has exactly one label. What is known fast but biased, as an analyst's verdict, and what is
known slowly and true, as a chargeback, are two specifications that share their columns: a row never means
now the one, now the other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from formicary.base.purposes import Purpose
from formicary.factory.features.durations import duration
from formicary.factory.features.errors import FeatureMalformed

__all__ = ["Label", "Question", "Signs"]

Signs: TypeAlias = tuple[tuple[str, int], ...]
"""Numbers of a fact by name, each with a value; a fact that has one of them is a sign."""

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class Label:
    """What tells how an event came out.

    Attributes
    ----------
    fact
        The kind of the facts that tell outcomes.
    event
        Their id that names the event.
    positive, negative
        The signs of the outcome 1 and of the outcome 0. A fact with signs of both is positive; one with
        neither says nothing.
    horizon
        ``30d``: an outcome counts where it happened within so long after the event asked, and whatever has
        none by then is negative. A delay until outcomes are told belongs into it.
    names
        The id of the asking event that facts name, as ``account``; empty where they name the transfer itself.
    is_early
        Whether an outcome counts before the horizon has passed. Only where both outcomes are told, and the
        one as fast as the other: else young rows are nearly all of the outcome that is told faster.
    """

    fact: str
    event: str
    positive: Signs
    negative: Signs = ()
    horizon: str
    names: str = ""
    is_early: bool = False

    @property
    def hash(self) -> str:
        """What the declaration says, as a hash: 32 hexadecimal digits."""
        return hashlib.blake2b(repr(self).encode(), digest_size=16).hexdigest()

    @property
    def horizon_ns(self) -> int:
        """The horizon in nanoseconds."""
        return duration(self.horizon)

    def findings(self) -> Iterator[str]:
        """Go through what is wrong with it."""
        named = {name for name, _ in (*self.positive, *self.negative)}
        for name in sorted({self.fact, self.event, self.names or self.event, *named}):
            if not _NAME.fullmatch(name):
                yield f"kinds and fields of facts are in snake case, not {name!r}"
        if not self.positive:
            yield "nothing is a sign of the outcome 1"
        for name, value in sorted(set(self.positive) & set(self.negative)):
            yield f"{name} {value} is a sign of both outcomes"
        if self.is_early and not self.negative:
            yield "an outcome counts early only where both are told"
        yield from _span("horizon", self.horizon)


@dataclass(frozen=True, kw_only=True)
class Question:
    """Where the rows of a specification come from.

    Attributes
    ----------
    features
        The set of features whose asking events are the rows.
    purpose
        What the values are for.
    label
        How each came out.
    money
        The number of the asking event that says how much money a row is about, so that a model is judged by
        money as well; empty where it is about none.
    weight
        A feature, or a number of the asking event, as often as which a row counts; once each where empty.
    half_life
        ``90d``: a row counts half as much as one that asked so much later; all alike where empty.
    """

    features: str
    purpose: Purpose
    label: Label
    money: str = ""
    weight: str = ""
    half_life: str = ""

    @property
    def half_life_ns(self) -> int:
        """The half-life in nanoseconds, 0 where all rows count alike."""
        return duration(self.half_life) if self.half_life else 0

    def findings(self) -> Iterator[str]:
        """Go through what is wrong with it, as far as that shows without the set of features."""
        if not _NAME.fullmatch(self.features):
            yield f"a set of features has a name in snake case, not {self.features!r}"
        yield from self.label.findings()
        if self.half_life:
            yield from _span("half_life", self.half_life)


def _span(field: str, text: str) -> Iterator[str]:
    try:
        duration(text)
    except FeatureMalformed as error:
        yield f"{field}: {error}"
