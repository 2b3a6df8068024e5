"""Parties: whoever holds money or acts, known here by an id, a kind and limits. Names are in the vault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Final

import numpy as np

from formicary.base.errors import Refusal
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.identity._fields import Amount, Count, Rows, require_well_formed

__all__ = [
    "PARTY",
    "PARTY_PRODUCT",
    "CloseParty",
    "EraseParty",
    "PartyClosed",
    "PartyErased",
    "PartyExists",
    "PartyKind",
    "PartyLimitsChanged",
    "PartyNotActive",
    "PartyNotFound",
    "PartyRegistered",
    "PartyStatus",
    "RegisterParty",
    "require_active_party",
]

PARTY: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("kind", "<u4"),
        ("status", "<u4"),
        ("daily_count_max", "<u4"),
        ("daily_amount_max", "<i8"),
    ]
)
"""A party; limits of 0 are none. The amount is in minor units of whatever currency is moved."""


class PartyKind(IntEnum):
    """What a party is."""

    PERSON = 1
    MERCHANT = 2
    PARTNER = 3
    HOUSE = 4


class PartyStatus(IntEnum):
    """Where a party stands: closed takes part in nothing new, erased has no personal data either."""

    ACTIVE = 1
    CLOSED = 2
    ERASED = 3


class PartyExists(Refusal):
    """There is a party with this id."""

    code = "party_exists"


class PartyNotFound(Refusal):
    """There is no party with this id."""

    code = "party_not_found"


class PartyNotActive(Refusal):
    """The party was closed or erased."""

    code = "party_not_active"


class RegisterParty(Command, frozen=True):
    """Take up a party; its personal data goes to the vault and never into a command."""

    kind: PartyKind


class CloseParty(Command, frozen=True):
    """End a party's part in anything new."""


class EraseParty(Command, frozen=True):
    """Record that a party's personal data is to be destroyed, which the vault does next."""


class PartyRegistered(DomainEvent, frozen=True):
    """There is a new party."""

    kind: PartyKind


class PartyClosed(DomainEvent, frozen=True):
    """A party takes part in nothing new."""


class PartyErased(DomainEvent, frozen=True):
    """A party is to have no personal data any more; the id and what it did stay, as books must."""


class PartyLimitsChanged(DomainEvent, frozen=True):
    """Two persons agreed on a party's limits; 0 is none."""

    daily_amount_max: Amount
    daily_count_max: Count


def require_active_party(context: Context, party: int) -> None:
    """Refuse unless there is an active party with this id.

    Raises
    ------
    PartyNotFound, PartyNotActive
        There is none, or it was closed or erased.
    """
    found = context.aggregate(PARTY_PRODUCT.name, party)
    if found is None:
        raise PartyNotFound
    if found["status"] != PartyStatus.ACTIVE:
        raise PartyNotActive


def decide(command: Command | TimerFired, party: Rows | None, _: Context) -> Decision:
    """Decide a command about a party."""
    require_well_formed(command)
    if isinstance(command, RegisterParty):
        if party is not None:
            raise PartyExists
        return Decision(events=[PartyRegistered(kind=command.kind)])
    if party is None:
        raise PartyNotFound
    if party["status"] == PartyStatus.ERASED:
        raise PartyNotActive
    if isinstance(command, EraseParty):
        return Decision(events=[PartyErased()])
    if party["status"] == PartyStatus.CLOSED:
        raise PartyNotActive
    return Decision(events=[PartyClosed()])


def evolve(kind: str, parties: Rows, events: Sequence[Any]) -> None:
    """Change parties (n,) as events (n,) of one kind say."""
    _EVOLVE[kind](parties, events)


def _registered(parties: Rows, events: Sequence[PartyRegistered]) -> None:
    parties["kind"] = [event.kind for event in events]
    parties["status"] = PartyStatus.ACTIVE


def _closed(parties: Rows, _: Sequence[PartyClosed]) -> None:
    parties["status"] = PartyStatus.CLOSED


def _erased(parties: Rows, _: Sequence[PartyErased]) -> None:
    parties["status"] = PartyStatus.ERASED


def _limits_changed(parties: Rows, events: Sequence[PartyLimitsChanged]) -> None:
    parties["daily_amount_max"] = [event.daily_amount_max for event in events]
    parties["daily_count_max"] = [event.daily_count_max for event in events]


_EVOLVE: Final[dict[str, Callable[[Rows, Sequence[Any]], None]]] = {
    "PartyRegistered": _registered,
    "PartyClosed": _closed,
    "PartyErased": _erased,
    "PartyLimitsChanged": _limits_changed,
}

PARTY_PRODUCT: Final = Product(
    name="party",
    aggregate=PARTY,
    commands=(RegisterParty, CloseParty, EraseParty),
    events=(PartyRegistered, PartyClosed, PartyErased, PartyLimitsChanged),
    decide=decide,
    evolve=evolve,
)
