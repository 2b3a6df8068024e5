"""Meters, which the benchmark of sweeps measures: records of 128 bytes that turn, are billed and pay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.engine.columns import IDS, Column
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.ledger import TRANSFER

__all__ = [
    "FITTED_AT_ONCE",
    "HOUSE",
    "LEDGER",
    "METER",
    "METERS",
    "BillMeters",
    "FitMeters",
    "PayMeters",
    "TurnMeters",
]

Rows = npt.NDArray[Any]

LEDGER: Final = 826
CODE: Final = 1
HOUSE: Final = 1
"""The account that is paid; a meter pays from the account with its own id."""
MILLION: Final = 1_000_000
FITTED_AT_ONCE: Final = 3_500
"""Ids and tariffs of so many fit into one event."""

METER: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("tariff", "<u4"),
        ("load", "<i8"),
        ("rest", "<i8"),
        ("shows", "<i8"),
        ("billed", "<i8"),
        ("paid", "<i8"),
        # A record of 128 bytes, as one with a dozen figures and dates is.
        ("more", "<i8", (7,)),
    ]
)
TARIFFS: Final = Column("<u4")
AMOUNTS: Final = Column("<i8")


class FitMeters(Command, frozen=True):
    """Fit so many meters more."""

    count: Annotated[int, msgspec.Meta(ge=0, le=FITTED_AT_ONCE)]


class TurnMeters(Command, frozen=True):
    """Let meters turn, each by its load and its tariff."""

    first: int
    after: int


class BillMeters(Command, frozen=True):
    """Bill what meters show."""

    first: int
    after: int


class PayMeters(Command, frozen=True):
    """Let meters pay what was billed."""

    first: int
    after: int


class MetersFitted(DomainEvent, frozen=True):
    """There are meters."""

    first: int
    after: int
    ids: Annotated[str, IDS.meta]
    tariffs: Annotated[str, TARIFFS.meta]


class MetersTurned(DomainEvent, frozen=True):
    """Meters turned: by how much follows from what they are."""

    first: int
    after: int


class MetersBilled(DomainEvent, frozen=True):
    """Meters were billed these amounts."""

    first: int
    after: int
    amounts: Annotated[str, AMOUNTS.meta]


class MetersPaid(DomainEvent, frozen=True):
    """Meters paid what was billed."""

    first: int
    after: int


def decide(command: Command | TimerFired, _: Rows | None, context: Context) -> Decision:
    """Decide about meters, in columns."""
    meters = context.columns("meters")
    match command:
        case FitMeters(count=count):
            numbers = np.arange(len(meters), len(meters) + count, dtype=np.uint64)
            fitted = MetersFitted(
                first=len(meters),
                after=len(meters) + count,
                ids=IDS.pack(np.column_stack([np.full(count, 7, np.uint64), numbers + np.uint64(2)])),
                tariffs=TARIFFS.pack(50_000 + numbers % np.uint64(50_000)),
            )
            return Decision(events=[fitted])
        case TurnMeters(first=first, after=after):
            return Decision(events=[MetersTurned(first=first, after=after)])
        case BillMeters(first=first, after=after):
            amounts = AMOUNTS.pack(meters["shows"][first:after])
            return Decision(events=[MetersBilled(first=first, after=after, amounts=amounts)])
        case PayMeters(first=first, after=after):
            paid = MetersPaid(first=first, after=after)
            return Decision(events=[paid], transfers=_payments(meters[first:after], context))
    raise AssertionError(command)


def _payments(meters: Rows, context: Context) -> Rows:
    accounts = context.accounts(np.column_stack([meters["id_high"], meters["id_low"]]))
    has_account = accounts["ledger"] == LEDGER
    payments = np.zeros(int(has_account.sum()), TRANSFER)
    for word in ("high", "low"):
        payments[f"debit_account_id_{word}"] = meters[f"id_{word}"][has_account]
    payments["credit_account_id_low"] = HOUSE
    payments["amount"] = meters["billed"][has_account]
    payments["ledger"], payments["code"] = LEDGER, CODE
    return payments


def evolve(*_: Any) -> None:
    """Change nothing: no event is about one meter."""


def sweep(kind: str, meters: Rows, event: Any) -> None:
    """Change meters (n,) as one event says."""
    match kind:
        case "MetersFitted":
            meters["tariff"] = TARIFFS.unpack(event.tariffs)
            meters["load"] = 1_000 + meters["tariff"] % 977
        case "MetersTurned":
            turned = meters["load"] * meters["tariff"] + meters["rest"]
            meters["shows"] += turned // MILLION
            meters["rest"] = turned % MILLION
        case "MetersBilled":
            amounts = AMOUNTS.unpack(event.amounts)
            meters["shows"] -= amounts
            meters["billed"] += amounts
        case _:
            meters["paid"] += meters["billed"]
            meters["billed"] = 0


SWEEPS: Final[Sequence[type[DomainEvent]]] = (MetersFitted, MetersTurned, MetersBilled, MetersPaid)

METERS: Final = Product(
    name="meters",
    aggregate=METER,
    commands=(FitMeters, TurnMeters, BillMeters, PayMeters),
    events=tuple(SWEEPS),
    decide=decide,
    evolve=evolve,
    is_columnar=True,
    sweeps=tuple(SWEEPS),
    sweep=sweep,
)
