"""Whether a mapping makes sense by itself: names that lead somewhere, forms that exclude each other.

A fault is a path as msgspec writes one, ``$.events[0].transfer``, and a sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from formicary.base.currencies import UnknownCurrency, currency
from formicary.base.limits import FACT_FIELDS_MAX
from formicary.base.times import MalformedTime, parse_time
from formicary.economy.history.durations import parse_duration
from formicary.economy.history.mapping import (
    Amount,
    At,
    Event,
    Fact,
    Mapping,
    Party,
    Reference,
    Side,
    Transfer,
    Where,
    code_of,
)

__all__ = ["faults_of"]

Faults = Iterator[tuple[str, str]]

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_NAME_CHARACTERS_MAX: Final = 64
_CODE_MAX: Final = 2**16 - 1
_DECIMALS_MAX: Final = 9


def faults_of(mapping: Mapping) -> Faults:
    """Yield what is wrong with a mapping, in the order of its fields."""
    yield from _name("$.source", mapping.source)
    if mapping.currency is not None:
        yield from _currency(mapping.currency)
    for name, file in mapping.files.items():
        if len(file.separator) != 1:
            yield f"$.files.{name}.separator", "it is one character"
    for name, party in mapping.parties.items():
        yield from _party(f"$.parties.{name}", name, party, mapping)
    if not mapping.events and not mapping.parties:
        yield "$.events", "there is nothing to import"
    kinds = Counter(event.kind for event in mapping.events)
    codes = Counter(code_of(mapping, event) for event in mapping.events if event.transfer)
    for index, event in enumerate(mapping.events):
        path = f"$.events[{index}]"
        yield from _event(path, event, mapping)
        if kinds[event.kind] > 1:
            yield f"{path}.kind", "another event has this kind"
        if event.transfer is not None and codes[code_of(mapping, event)] > 1:
            yield f"{path}.transfer", "another event's transfers have this code"


def _name(path: str, name: str) -> Faults:
    if len(name) > _NAME_CHARACTERS_MAX or not _NAME.fullmatch(name):
        yield path, f"a name is in snake case and has at most {_NAME_CHARACTERS_MAX} characters"


def _currency(code: str) -> Faults:
    try:
        currency(code)
    except UnknownCurrency as refusal:
        yield "$.currency", str(refusal)


def _file(path: str, name: str, mapping: Mapping) -> Faults:
    if name not in mapping.files:
        yield f"{path}.file", f"there is no file {name!r} among files"


def _party(path: str, name: str, party: Party, mapping: Mapping) -> Faults:
    yield from _name(path, name)
    if (party.file is None) != (party.key is None):
        yield path, "file and key are given together"
    elif party.file is not None:
        yield from _file(path, party.file, mapping)


def _event(path: str, event: Event, mapping: Mapping) -> Faults:
    yield from _name(f"{path}.kind", event.kind)
    yield from _file(path, event.file, mapping)
    if not event.key:
        yield f"{path}.key", "it names at least one column"
    yield from _at(f"{path}.at", event.at)
    for index, where in enumerate(event.where):
        yield from _where(f"{path}.where[{index}]", where)
    if (event.transfer is None) == (event.fact is None):
        yield path, "it has either transfer or fact"
    elif event.transfer is not None:
        yield from _transfer(f"{path}.transfer", event.transfer, mapping)
    elif event.fact is not None:
        yield from _fact(f"{path}.fact", event.fact, mapping)
        if event.lines:
            yield f"{path}.lines", "only amounts of transfers add up"


def _at(path: str, at: At) -> Faults:
    if at.column is None and (at.start is None or at.step is not None or at.format is not None):
        yield path, "without a column it is a start and nothing else"
    if at.format is not None and (at.start is not None or at.step is not None):
        yield path, "it has either a format, or start and step"
    if at.column is not None and at.start is not None and at.step is None:
        yield path, "a start with a column needs a step"
    if at.step is not None and parse_duration(at.step) is None:
        yield f"{path}.step", _DURATION
    if at.start is not None:
        try:
            parse_time(at.start)
        except MalformedTime as refusal:
            yield f"{path}.start", str(refusal)


_DURATION: Final = "a duration is a whole number and its unit, as in 7d; units are ns, us, ms, s, m, h, d, w"


def _where(path: str, where: Where) -> Faults:
    given = (where.equals, where.one_of, where.prefix, where.positive, where.missing)
    if sum(one is not None for one in given) != 1:
        yield path, "it has exactly one of equals, in, prefix, positive and missing"


def _transfer(path: str, transfer: Transfer, mapping: Mapping) -> Faults:
    for name in ("payer", "payee"):
        yield from _side(f"{path}.{name}", getattr(transfer, name), mapping)
    externals = [transfer.payer.external, transfer.payee.external]
    if externals[0] is not None and externals[0] == externals[1]:
        yield path, "payer and payee are the same"
    yield from _amount(f"{path}.amount", transfer.amount)
    if transfer.code is not None and not 1 <= transfer.code <= _CODE_MAX:
        yield f"{path}.code", f"it is 1 to {_CODE_MAX:,}"
    if transfer.currency_column is None and mapping.currency is None:
        yield path, "there is neither a currency of the mapping nor a currency_column"


def _amount(path: str, amount: Amount) -> Faults:
    if amount.unit == "minor" and amount.decimals is not None:
        yield path, "minor units have no decimals"
    if amount.decimals is not None and not 0 <= amount.decimals <= _DECIMALS_MAX:
        yield f"{path}.decimals", f"it is 0 to {_DECIMALS_MAX}"


def _side(path: str, side: Side, mapping: Mapping) -> Faults:
    if (side.party is None) == (side.external is None):
        yield path, "it has either party or external"
    elif side.external is not None and (side.key, side.value, side.or_external) != (None, None, None):
        yield path, "an external account has no other fields"
    elif side.party is not None:
        if (not side.key) == (side.value is None):
            yield path, "a party has either a key or a value"
        yield from _party_named(path, side.party, mapping)
    for name in ("external", "or_external"):
        given = getattr(side, name)
        if given is not None:
            yield from _name(f"{path}.{name}", given)


def _party_named(path: str, name: str, mapping: Mapping) -> Faults:
    if name not in mapping.parties:
        yield f"{path}.party", f"there is no party {name!r} among parties"


def _fact(path: str, fact: Fact, mapping: Mapping) -> Faults:
    for name, reference in fact.ids.items():
        yield from _name(f"{path}.ids.{name}", name)
        yield from _reference(f"{path}.ids.{name}", reference, mapping)
    for field in ("numbers", "amounts", "reals"):
        for name in getattr(fact, field):
            yield from _name(f"{path}.{field}.{name}", name)
    names = [*fact.ids, *fact.numbers, *fact.amounts, *fact.reals]
    if not fact.ids:
        yield path, "a fact is about at least one id"
    if len(set(names)) < len(names) or len(names) > FACT_FIELDS_MAX:
        yield path, f"it has at most {FACT_FIELDS_MAX} fields, each with a name of its own"
    if fact.amounts and mapping.currency is None:
        yield f"{path}.amounts", "there is no currency of the mapping"
    if fact.known_after is not None and parse_duration(fact.known_after) is None:
        yield f"{path}.known_after", _DURATION


def _reference(path: str, reference: Reference, mapping: Mapping) -> Faults:
    if (reference.party is None) == (reference.event is None):
        yield path, "it has either party or event"
    elif reference.party is not None:
        yield from _party_named(path, reference.party, mapping)
    elif reference.event not in {event.kind for event in mapping.events}:
        yield f"{path}.event", f"there is no event {reference.event!r} among events"
    if not reference.key:
        yield path, "it has a key"
