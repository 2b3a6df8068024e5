"""Escrow, the tiny product of the engine's tests: money waits until it is released or lapses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    DomainEvent,
    Product,
    Timer,
    TimerFired,
)
from formicary.factory.ledger import AMOUNT_MAX, ID_MAX, Account, AccountFlags, Transfer

Rows = npt.NDArray[Any]
Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX)]

SECOND: Final = 10**9
CURRENCY: Final = 826
ESCROW_CODE: Final = 50
FEE_ACCOUNT: Final = 2
REMINDERS_MAX: Final = 3
SECONDS_MAX: Final = 10**9
STARS_MAX: Final = 5

ESCROW: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("status", "<u4"),
        ("amount", "<i8"),
        ("buyer_high", "<u8"),
        ("buyer_low", "<u8"),
        ("seller_high", "<u8"),
        ("seller_low", "<u8"),
        ("reminders", "<u4"),
        ("stars", "<u4"),
    ]
)


class Status(IntEnum):
    """Where the money of an escrow is."""

    OPEN = 1
    RELEASED = 2
    LAPSED = 3


class EscrowExists(Refusal):
    """There is an escrow with this id."""

    code = "escrow_exists"


class EscrowNotOpen(Refusal):
    """There is no such escrow, or its money has left."""

    code = "escrow_not_open"


class NoSuchSide(Refusal):
    """A buyer or seller is no 128-bit id."""

    code = "no_such_side"


class TooManyStars(Refusal):
    """An escrow is rated with one to five stars."""

    code = "too_many_stars"


class OpenEscrow(Command, frozen=True):
    """Hold the buyer's money for the seller; after ``seconds`` it goes back."""

    buyer: int
    seller: int
    amount: Amount
    seconds: Annotated[int, msgspec.Meta(ge=0, le=SECONDS_MAX)]


class ReleaseEscrow(Command, frozen=True):
    """Pay the seller, less a tenth."""


class RateEscrow(Command, frozen=True):
    """Add stars: a command that moves no money, so that only its receipt stops it from counting twice."""

    stars: int


class EscrowOpened(DomainEvent, frozen=True):
    """The buyer's money is held."""

    buyer: Id
    seller: Id
    amount: Amount


class EscrowReleased(DomainEvent, frozen=True):
    """The seller is paid."""

    fee: Amount


class EscrowLapsed(DomainEvent, frozen=True):
    """The buyer has the money back."""


class EscrowReminded(DomainEvent, frozen=True):
    """The buyer was reminded."""


class EscrowRated(DomainEvent, frozen=True):
    """Somebody gave stars."""

    stars: Annotated[int, msgspec.Meta(ge=1, le=STARS_MAX)]


def decide(command: Command | TimerFired, escrow: Rows | None, context: Context) -> Decision:
    """Decide a command or a timer."""
    match command:
        case OpenEscrow():
            return _open(command, escrow, context)
        case RateEscrow(stars=stars):
            if not 1 <= stars <= STARS_MAX:
                raise TooManyStars
            return Decision(events=[EscrowRated(stars=stars)], answer={"stars": stars})
    if escrow is None or escrow["status"] != Status.OPEN:
        raise EscrowNotOpen
    if isinstance(command, ReleaseEscrow):
        return _release(escrow)
    return _remind(escrow, context) if _name(command) == "remind" else _lapse(escrow)


def evolve(kind: str, escrows: Rows, events: Sequence[Any]) -> None:
    """Change escrows (n,) as events (n,) of one kind say."""
    _EVOLVE[kind](escrows, events)


def _name(command: Command | TimerFired) -> str:
    return command.name if isinstance(command, TimerFired) else ""


def _open(command: OpenEscrow, escrow: Rows | None, context: Context) -> Decision:
    if escrow is not None and escrow["status"]:
        raise EscrowExists
    if not all(0 <= side <= ID_MAX for side in (command.buyer, command.seller)):
        raise NoSuchSide
    due = context.now + command.seconds * SECOND
    return Decision(
        events=[
            EscrowOpened(
                buyer=f"{command.buyer:032x}", seller=f"{command.seller:032x}", amount=command.amount
            )
        ],
        accounts=[
            Account(
                id=command.subject,
                ledger=CURRENCY,
                code=ESCROW_CODE,
                flags=AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS,
            )
        ],
        transfers=[_pay(command.buyer, command.subject, command.amount)],
        timers=[
            Timer(name="remind", due=context.now + command.seconds * SECOND // 2),
            Timer(name="lapse", due=due),
        ],
        answer={"due": due},
    )


def _release(escrow: Rows) -> Decision:
    subject, amount = _id(escrow, "id"), int(escrow["amount"])
    fee = amount // 10
    return Decision(
        events=[EscrowReleased(fee=fee)],
        transfers=[_pay(subject, _id(escrow, "seller"), amount - fee), _pay(subject, FEE_ACCOUNT, fee)],
        answer={"fee": fee},
    )


def _remind(escrow: Rows, context: Context) -> Decision:
    again = int(escrow["reminders"]) + 1 < REMINDERS_MAX
    timers = [Timer(name="remind", due=context.now + SECOND)] if again else []
    return Decision(events=[EscrowReminded()], timers=timers)


def _lapse(escrow: Rows) -> Decision:
    transfer = _pay(_id(escrow, "id"), _id(escrow, "buyer"), int(escrow["amount"]))
    return Decision(events=[EscrowLapsed()], transfers=[transfer])


def _pay(debit: int, credit: int, amount: int) -> Transfer:
    return Transfer(
        id=0,
        debit_account_id=debit,
        credit_account_id=credit,
        amount=amount,
        ledger=CURRENCY,
        code=ESCROW_CODE,
    )


def _id(record: Rows, name: str) -> int:
    return (int(record[f"{name}_high"]) << 64) | int(record[f"{name}_low"])


def _opened(escrows: Rows, events: Sequence[EscrowOpened]) -> None:
    escrows["status"] = Status.OPEN
    escrows["amount"] = [event.amount for event in events]
    for side in ("buyer", "seller"):
        ids = [int(getattr(event, side), 16) for event in events]
        escrows[f"{side}_high"] = [value >> 64 for value in ids]
        escrows[f"{side}_low"] = [value & (2**64 - 1) for value in ids]


def _released(escrows: Rows, _: Sequence[EscrowReleased]) -> None:
    escrows["status"] = Status.RELEASED


def _lapsed(escrows: Rows, _: Sequence[EscrowLapsed]) -> None:
    escrows["status"] = Status.LAPSED


def _reminded(escrows: Rows, _: Sequence[EscrowReminded]) -> None:
    escrows["reminders"] += 1


def _rated(escrows: Rows, events: Sequence[EscrowRated]) -> None:
    escrows["stars"] += np.array([event.stars for event in events], np.uint32)


_EVOLVE: Final[dict[str, Callable[[Rows, Sequence[Any]], None]]] = {
    "EscrowOpened": _opened,
    "EscrowReleased": _released,
    "EscrowLapsed": _lapsed,
    "EscrowReminded": _reminded,
    "EscrowRated": _rated,
}

ESCROW_PRODUCT: Final = Product(
    name="escrow",
    aggregate=ESCROW,
    commands=(OpenEscrow, ReleaseEscrow, RateEscrow),
    events=(EscrowOpened, EscrowReleased, EscrowLapsed, EscrowReminded, EscrowRated),
    decide=decide,
    evolve=evolve,
    timers=("remind", "lapse"),
)
