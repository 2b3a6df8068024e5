"""Facts of a history as commands to record them, some rows at a time."""

from __future__ import annotations

from typing import Any, Final

import numpy.typing as npt
import polars as pl

from formicary.base.errors import ProgrammingError
from formicary.base.limits import FACTS_BYTES_MAX, FACTS_PER_EVENT_MAX
from formicary.economy.history.mapping import Fact, Mapping
from formicary.economy.history.parties import PRINCIPAL
from formicary.economy.history.rows import EventRows
from formicary.economy.names import named_id
from formicary.factory.engine.requests import CommandRequest, command_request
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts

__all__ = ["fact_request", "facts_max"]

# Characters of JSON: an id in quotes and a number of 64 bits with its sign, each with a comma; names once.
_ID_BYTES: Final = 35
_NUMBER_BYTES: Final = 21
_NAMES_BYTES: Final = 4_096


def facts_max(fact: Fact) -> int:
    """Return how many facts of a form fit one command, whatever their values."""
    numbers = 1 + len(fact.numbers) + len(fact.amounts) + len(fact.reals)
    of_each = _ID_BYTES * len(fact.ids) + _NUMBER_BYTES * numbers
    return min(FACTS_PER_EVENT_MAX, (FACTS_BYTES_MAX - _NAMES_BYTES) // of_each)


def fact_request(mapping: Mapping, facts: EventRows, index: npt.NDArray[Any]) -> CommandRequest:
    """Return the command that records facts of one kind, those with these indices (n,)."""
    frame, kind, fact = facts.frame[index], facts.event.kind, facts.event.fact
    if fact is None:
        message = f"{kind} is no fact"
        raise ProgrammingError(message)
    command = RecordFacts(
        subject=named_id(mapping.source, "facts"),
        kind=kind,
        at=frame["at"].to_list(),
        ids={name: _hex(frame, f"id.{name}") for name in fact.ids},
        numbers={name: frame[f"number.{name}"].to_list() for name in (*fact.numbers, *fact.amounts)},
        reals={name: frame[f"real.{name}"].to_list() for name in fact.reals},
    )
    first = f"{frame['id_high'][0]:016x}{frame['id_low'][0]:016x}"
    return command_request(
        FACTS_PRODUCT.name, command, principal=PRINCIPAL, key=f"{mapping.source}:{kind}:{first}"
    )


def _hex(frame: pl.DataFrame, name: str) -> list[str]:
    words = zip(frame[f"{name}_high"].to_list(), frame[f"{name}_low"].to_list(), strict=True)
    return [f"{high:016x}{low:016x}" for high, low in words]
