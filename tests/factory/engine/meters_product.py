"""Meters and the rounds that read them: the products of the tests of columnar aggregates.

A meter turns by its tariff. One event fits many meters, lets many turn, writes down what many show, or says
that many were billed. A round lets all meters turn, part by part, and knows how far it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.factory.engine.columns import IDS, Column
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Consequence,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.ledger import TRANSFER

Rows = npt.NDArray[Any]

LEDGER: Final = 826
CODE: Final = 9
HOUSE: Final = 1
"""The account that bills are paid to; a meter's account has the meter's id."""
MANY: Final = 200
PART: Final = 7
"""Meters that a round lets turn by one command."""

METER: Final = np.dtype(
    [*AGGREGATE_HEADER, ("tariff", "<u4"), ("shows", "<i8"), ("billed", "<i8"), ("led", "<u8")]
)
ROUND: Final = np.dtype([*AGGREGATE_HEADER, ("done", "<u4")])

TARIFFS: Final = Column("<u4", like=(1, 0, 7))
SHOWN: Final = Column("<i8", like=(0, 5, 2**40))

Number = Annotated[int, msgspec.Meta(ge=0, le=2**31)]
Tariff = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
Steps = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
Ids = Annotated[str, IDS.meta]


class RoundOver(Refusal):
    """Every meter has turned."""

    code = "round_over"


class FitMeter(Command, frozen=True):
    """Fit one meter."""

    tariff: Tariff


class FitMeters(Command, frozen=True):
    """Fit many meters, whose ids follow from the command's; ``offset`` is how far off the decider counts."""

    tariffs: Annotated[list[Tariff], msgspec.Meta(max_length=MANY)]
    offset: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0


class TurnMeters(Command, frozen=True):
    """Let meters turn."""

    first: Number
    after: Number
    steps: Steps


class ReadMeters(Command, frozen=True):
    """Write down what meters show, from the first one on."""

    first: Number
    shown: Annotated[list[Number], msgspec.Meta(max_length=MANY)]


class BillMeters(Command, frozen=True):
    """Let those meters that have an account pay for what they show."""

    first: Number
    after: Number


class GoRound(Command, frozen=True):
    """Let the next meters of a round turn."""


class MeterFitted(DomainEvent, frozen=True):
    """There is a meter."""

    tariff: Tariff


class MetersFitted(DomainEvent, frozen=True):
    """There are meters."""

    first: Number
    after: Number
    ids: Ids
    tariffs: Annotated[str, TARIFFS.meta]


class MetersTurned(DomainEvent, frozen=True):
    """Meters turned."""

    first: Number
    after: Number
    steps: Steps


class MetersRead(DomainEvent, frozen=True):
    """Meters were read: what they show is what was written down."""

    first: Number
    after: Number
    shown: Annotated[str, SHOWN.meta]


class MetersBilled(DomainEvent, frozen=True):
    """Meters paid for what they show."""

    first: Number
    after: Number


class RoundWent(DomainEvent, frozen=True):
    """A round came so far."""

    done: Number


def decide(command: Command | TimerFired, _: Rows | None, context: Context) -> Decision:
    """Decide about meters."""
    match command:
        case FitMeter(tariff=tariff):
            return Decision(events=[MeterFitted(tariff=tariff)])
        case FitMeters(tariffs=tariffs, offset=offset):
            first = len(context.columns("meters")) + offset
            ids = [context.derive_id(number) for number in range(len(tariffs))]
            fitted = MetersFitted(
                first=first,
                after=first + len(ids),
                ids=IDS.pack(
                    np.array([(one >> 64, one & (2**64 - 1)) for one in ids], np.uint64).reshape(-1, 2)
                ),
                tariffs=TARIFFS.pack(np.array(tariffs, np.uint32)),
            )
            return Decision(events=[fitted], answer={"ids": [f"{one:032x}" for one in ids]})
        case TurnMeters(first=first, after=after, steps=steps):
            return Decision(events=[MetersTurned(first=first, after=after, steps=steps)])
        case ReadMeters(first=first, shown=shown):
            packed = SHOWN.pack(np.array(shown, np.int64))
            return Decision(events=[MetersRead(first=first, after=first + len(shown), shown=packed)])
        case BillMeters(first=first, after=after):
            return _bill(first, after, context)
    raise AssertionError(command)


def _bill(first: int, after: int, context: Context) -> Decision:
    meters = context.columns("meters")[first:after]
    ids = np.column_stack([meters["id_high"], meters["id_low"]])
    pay = (context.accounts(ids)["ledger"] == LEDGER) & (meters["shows"] > 0)
    transfers = np.zeros(int(pay.sum()), TRANSFER)
    transfers["debit_account_id_high"], transfers["debit_account_id_low"] = ids[pay].T
    transfers["credit_account_id_low"] = HOUSE
    transfers["amount"] = meters["shows"][pay]
    transfers["ledger"], transfers["code"] = LEDGER, CODE
    return Decision(
        events=[MetersBilled(first=first, after=after)],
        transfers=transfers,
        answer={"paid": int(transfers["amount"].sum())},
    )


def evolve(kind: str, meters: Rows, events: Sequence[Any]) -> None:
    """Change meters (n,) as events (n,) of one kind say; one that a sweep is about has led it."""
    if kind == "MeterFitted":
        meters["tariff"] = [event.tariff for event in events]
    else:
        meters["led"] += np.uint64(1)


def sweep(kind: str, meters: Rows, event: Any) -> None:
    """Change meters (n,) as one event says."""
    match kind:
        case "MetersFitted":
            meters["tariff"] = TARIFFS.unpack(event.tariffs)
        case "MetersTurned":
            meters["shows"] += event.steps * meters["tariff"].astype(np.int64)
        case "MetersRead":
            meters["shows"] = SHOWN.unpack(event.shown)
        case _:
            meters["billed"] += meters["shows"]
            meters["shows"] = 0


METERS: Final = Product(
    name="meters",
    aggregate=METER,
    commands=(FitMeter, FitMeters, TurnMeters, ReadMeters, BillMeters),
    events=(MeterFitted, MetersFitted, MetersTurned, MetersRead, MetersBilled),
    decide=decide,
    evolve=evolve,
    is_columnar=True,
    sweeps=(MetersFitted, MetersTurned, MetersRead, MetersBilled),
    sweep=sweep,
)


def _decide_round(command: Command | TimerFired, entry: Rows | None, context: Context) -> Decision:
    done = 0 if entry is None else int(entry["done"])
    after = min(done + PART, len(context.columns("meters")))
    if done == after:
        raise RoundOver
    turned = MetersTurned(first=done, after=after, steps=1)
    return Decision(
        events=[RoundWent(done=after)],
        consequences=[Consequence(product="meters", subject=command.subject, event=turned)],
    )


def _evolve_round(_: str, rounds: Rows, events: Sequence[Any]) -> None:
    rounds["done"] = [event.done for event in events]


ROUNDS: Final = Product(
    name="rounds",
    aggregate=ROUND,
    commands=(GoRound,),
    events=(RoundWent,),
    decide=_decide_round,
    evolve=_evolve_round,
    neighbours=(METERS,),
)
