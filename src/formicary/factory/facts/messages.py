"""What is said of facts: the command, the event, and why facts are refused."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from formicary.base.errors import Refusal
from formicary.base.limits import FACTS_PER_EVENT_MAX
from formicary.factory.engine.products import Command, DomainEvent

__all__ = [
    "NAME_CHARACTERS_MAX",
    "NAME_PATTERN",
    "FactInTheFuture",
    "FactsRecorded",
    "MalformedFact",
    "RecordFacts",
]

NAME_PATTERN: Final = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*\Z"
"""Kinds and fields are in snake case: a closed vocabulary of programs, never somebody's words."""

NAME_CHARACTERS_MAX: Final = 64
"""Characters of a kind or a field."""


def _like(*examples: Any) -> msgspec.Meta:
    """Return examples of a field, for whoever makes commands up to check the product."""
    return msgspec.Meta(extra_json_schema={"examples": list(examples)})


Name = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN, max_length=NAME_CHARACTERS_MAX)]
HexId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
Time = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Times = Annotated[list[Time], msgspec.Meta(min_length=1, max_length=FACTS_PER_EVENT_MAX)]
ToldIds = Annotated[dict[str, list[str]], _like({"payment": ["f" * 32]}, {})]
ToldNumbers = Annotated[dict[str, list[int]], _like({"is_fraud": [1]}, {})]
ToldReals = Annotated[dict[str, list[float | None]], _like({"share": [0.5]}, {"share": [None]}, {})]


class MalformedFact(Refusal):
    """Facts are columns of one length, of ids, integers and finite reals, under names in snake case."""

    code = "malformed_fact"


class FactInTheFuture(Refusal):
    """A fact is dated after the moment at which it is told."""

    code = "fact_in_the_future"


class RecordFacts(Command, frozen=True):
    """Tell n facts of one kind, column by column; ``subject`` is the id of the source that tells them.

    ``at`` (n,) says when each was so, in nanoseconds since the Unix epoch. Every other column (n,) stands
    under a field's name: 128-bit ids of 32 hexadecimal digits, integers of 64 bits, finite reals. A real
    that is missing is None: where there is nothing to compute one column of, the others are told all the
    same.

    The bounds are not in the types: ``MalformedFact`` can name field and row, a decoder cannot.
    """

    kind: Annotated[str, _like("label")]
    at: Annotated[list[int], _like([1], [1, 2], [])]
    ids: ToldIds = msgspec.field(default_factory=dict)
    numbers: ToldNumbers = msgspec.field(default_factory=dict)
    reals: ToldReals = msgspec.field(default_factory=dict)


class FactsRecorded(DomainEvent, frozen=True):
    """A source told n facts; ``real_bits`` are reals as ``fact_columns.bits_of_reals`` writes them."""

    kind: Name
    at: Times
    ids: dict[Name, list[HexId]]
    numbers: dict[Name, list[Integer]]
    real_bits: dict[Name, list[Integer]]
