"""The form of facts that are told, checked field by field and row by row."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from formicary.base.limits import FACT_FIELDS_MAX, FACTS_PER_EVENT_MAX
from formicary.factory.facts.messages import NAME_CHARACTERS_MAX, NAME_PATTERN, MalformedFact, RecordFacts

__all__ = ["well_formed"]

_NAME: Final = re.compile(NAME_PATTERN, re.ASCII)
_HEX_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_INTEGERS: Final = range(-(2**63), 2**63)
_TIMES: Final = range(2**63)


def well_formed(told: RecordFacts) -> RecordFacts:
    """Return facts as they are kept, integers among the reals as reals.

    Raises
    ------
    MalformedFact
        Something is not as it must be; the message names the field and the row, counted from 0.
    """
    facts = _shaped(told)
    _require_name("kind", facts.kind)
    if not 1 <= len(facts.at) <= FACTS_PER_EVENT_MAX:
        message = f"at has {len(facts.at)} rows; an event holds 1 to {FACTS_PER_EVENT_MAX:,} facts"
        raise MalformedFact(message)
    _require_rows("at", facts.at, _TIMES.__contains__, "no time in nanoseconds since 1970")
    _require_fields((*facts.ids, *facts.numbers, *facts.reals))
    _require_lengths(facts)
    _require_columns("ids", facts.ids, _HEX_ID.fullmatch, "no id of 32 hexadecimal digits")
    _require_columns("numbers", facts.numbers, _INTEGERS.__contains__, "no integer of 64 bits")
    _require_columns("reals", facts.reals, _is_real, "not finite")
    return facts


def _shaped(told: RecordFacts) -> RecordFacts:
    # A caller in the same process may have put anything into the struct.
    try:
        return msgspec.convert(msgspec.structs.asdict(told), RecordFacts)
    except msgspec.ValidationError as error:
        raise MalformedFact(str(error)) from error


def _require_name(place: str, name: str) -> None:
    if len(name) > NAME_CHARACTERS_MAX or not _NAME.search(name):
        shown = repr(name[:NAME_CHARACTERS_MAX])
        message = f"{place} {shown} is not in snake case, or longer than {NAME_CHARACTERS_MAX} characters"
        raise MalformedFact(message)


def _require_fields(names: Sequence[str]) -> None:
    if len(names) > FACT_FIELDS_MAX:
        message = f"there are {len(names)} fields; a fact has at most {FACT_FIELDS_MAX}"
        raise MalformedFact(message)
    for name in names:
        _require_name("field", name)
        if names.count(name) > 1:
            message = f"field {name!r} is there {names.count(name)} times"
            raise MalformedFact(message)


def _require_lengths(facts: RecordFacts) -> None:
    columns: Mapping[str, Sequence[object]] = {**facts.ids, **facts.numbers, **facts.reals}
    for field, column in columns.items():
        if len(column) != len(facts.at):
            message = f"field {field!r} has {len(column)} rows where at has {len(facts.at)}"
            raise MalformedFact(message)


def _require_columns(
    group: str, columns: Mapping[str, Sequence[Any]], is_right: Callable[[Any], object], wrong: str
) -> None:
    for field, column in columns.items():
        _require_rows(f"{group}.{field}", column, is_right, wrong)


def _is_real(value: float | None) -> bool:
    return value is None or math.isfinite(value)


def _require_rows(place: str, column: Sequence[Any], is_right: Callable[[Any], object], wrong: str) -> None:
    for row, value in enumerate(column):
        if not is_right(value):
            message = f"{place}[{row}] is {wrong}"
            raise MalformedFact(message)
