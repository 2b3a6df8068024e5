"""Deciding about escrows: the table says what may happen, this carries it out.

Every escrow has at most one timer. A timer that fires counts only if it is the one the escrow waits
for, by its name and its time: no two timers of an escrow share both, as stamps only grow.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy.typing as npt

from formicary.base.currencies import currency_of_ledger
from formicary.factory.engine.products import Command, Context, Decision, Timer, TimerFired
from formicary.factory.ledger import AMOUNT_MAX, ID_MAX, AccountFlags
from formicary.products.payments.escrow import refusals, schemas
from formicary.products.payments.escrow.money import Escrow, Payment, payments, read, transfers
from formicary.products.payments.escrow.table import (
    DURATIONS,
    PAID,
    TABLE,
    Event,
    Fact,
    Move,
    Refund,
    Role,
    Timing,
    Trade,
    Whole,
)
from formicary.products.payments.postings import (
    AccountCode,
    InvalidAmount,
    StaleTimer,
    WalletNotFound,
    account_id,
    house_account,
    house_account_id,
)
from formicary.products.payments.terms import EXTENSION, FEE_POINTS_MAX, RETRY

__all__ = ["decide"]

Rows = npt.NDArray[Any]
Asked = Command | TimerFired

_FINAL: Final = (Trade.TRADE_FINISHED, Trade.TRADE_CLOSED)
_EVENTS: Final[dict[Event, Any]] = {event: getattr(schemas, event.value) for event in Event}
_PAID: Final = {(paid.trade, paid.size): paid for paid in PAID}
_MOVES: Final[dict[tuple[Trade, Refund, str], list[Move]]] = {}
for _rule in TABLE:
    for _refund in _rule.refunds:
        _MOVES.setdefault((_rule.trade, _refund, _rule.move.trigger), []).append(_rule.move)


class _Next(NamedTuple):
    """Where an escrow is after a move, and what is paid."""

    trade: Trade
    refund: Refund
    timer: Timing
    due: int
    remaining: int
    paid: Payment


def decide(asked: Asked, record: Rows | None, context: Context) -> Decision:
    """Decide a command or a timer of an escrow."""
    if isinstance(asked, schemas.OpenEscrow):
        return _open(asked, record, context)
    if record is None or not record["trade"]:
        raise refusals.EscrowNotFound
    escrow = read(record)
    role = _role(asked, escrow)
    move = _move(asked, escrow, role)
    following = _next(move, asked, escrow, context)
    if role == Role.CLOCK and _is_blocked(escrow, following.paid, context):
        return _delay(escrow, context)
    event = _event(move, asked, role, following)
    timer = Timer(name=following.timer.name.lower(), due=following.due)
    return Decision(
        events=[event],
        transfers=transfers(escrow, following.paid),
        timers=[timer] if following.timer else [],
        answer=_answer(escrow, following),
    )


# -- opening -------------------------------------------------------------------------------


def _open(asked: schemas.OpenEscrow, record: Rows | None, context: Context) -> Decision:
    if record is not None and record["trade"]:
        raise refusals.EscrowAlreadyOpen
    if asked.by not in (Role.HOUSE, Role.BUYER, Role.SELLER):
        raise refusals.NotYourMove
    if asked.buyer == asked.seller:
        raise refusals.SameParty
    if not (1 <= asked.amount <= AMOUNT_MAX and 0 <= asked.fee_points <= FEE_POINTS_MAX):
        raise InvalidAmount
    currency_of_ledger(asked.currency)
    sides = (asked.buyer, asked.seller)
    if not all(
        0 <= party <= ID_MAX and context.account(account_id(party, asked.currency)) is not None
        for party in sides
    ):
        raise WalletNotFound
    codes = [AccountCode.ESCROW, *([AccountCode.FEES] if asked.fee_points else [])]
    missing = [code for code in codes if context.account(house_account_id(code, asked.currency)) is None]
    opened = schemas.EscrowOpened(
        by=asked.by,
        trade=Trade.WAIT_BUYER_PAY,
        refund=Refund.NONE,
        buyer=f"{asked.buyer:032x}",
        seller=f"{asked.seller:032x}",
        currency=asked.currency,
        amount=asked.amount,
        fee_points=asked.fee_points,
    )
    return Decision(
        events=[opened],
        accounts=[house_account(code, asked.currency) for code in missing],
        answer={"trade": Trade.WAIT_BUYER_PAY.name, "refund": Refund.NONE.name, "held": 0},
    )


# -- finding the move ----------------------------------------------------------------------


def _role(asked: Asked, escrow: Escrow) -> Role:
    if isinstance(asked, schemas.EscrowCommand):
        return asked.by
    if not isinstance(asked, TimerFired) or (escrow.timer.name.lower(), escrow.due) != (
        asked.name,
        asked.due,
    ):
        raise StaleTimer
    return Role.CLOCK


def _move(asked: Asked, escrow: Escrow, role: Role) -> Move:
    """Return the one move that applies, or refuse."""
    if escrow.trade in _FINAL:
        raise refusals.EscrowSettled
    trigger = asked.name if isinstance(asked, TimerFired) else type(asked).__name__
    moves = _MOVES.get((escrow.trade, escrow.refund, trigger))
    if moves is None:
        raise refusals.EscrowWrongState
    if role not in {Role.HOUSE, *moves[0].by}:
        raise refusals.NotYourMove
    facts = _facts(asked, escrow)
    move = next((move for move in moves if not move.when or facts & {*move.when}), None)
    if move is None:
        raise refusals.ClaimContradicts
    if move.event is Event.EXTENDED and escrow.extended:
        raise refusals.AlreadyExtended
    return move


def _facts(asked: Asked, escrow: Escrow) -> set[Fact]:
    received, returned = escrow.goods_received, escrow.goods_returned
    if isinstance(asked, schemas.RefundClaim):
        received, returned = asked.goods_received, asked.goods_returned
        if not 1 <= asked.amount <= escrow.held:
            raise refusals.RefundOutOfRange
        if returned and not received:
            raise refusals.ClaimContradicts
    goods = Fact.RETURNED if returned else Fact.KEPT
    facts = {goods if received else Fact.NOT_RECEIVED}
    if isinstance(asked, schemas.RuleRefund):
        facts.add(Fact.SOMETHING if asked.amount else Fact.NOTHING)
    return facts


# -- what follows --------------------------------------------------------------------------


def _next(move: Move, asked: Asked, escrow: Escrow, context: Context) -> _Next:
    if move.to is None:
        amount = asked.amount if isinstance(asked, schemas.RuleRefund) else escrow.refund_amount
        size = Whole.WHOLE if amount == escrow.held else Whole.PART
        paid = _PAID[escrow.trade, size]
        return _Next(paid.to, Refund.SUCCESS, Timing.NONE, 0, 0, payments(escrow, paid.money, amount))
    trade, refund = move.to
    return _Next(
        escrow.trade if trade is None else trade,
        escrow.refund if refund is None else refund,
        move.timer,
        *_times(move, escrow, context.now),
        payments(escrow, move.money),
    )


def _times(move: Move, escrow: Escrow, now: int) -> tuple[int, int]:
    """Return when the move's timer falls due, and what remains of a stopped automatic confirmation."""
    if move.event is Event.EXTENDED:
        return escrow.due + EXTENSION, 0
    if move.event is Event.SHIPPED:
        return now + DURATIONS[Timing.AUTO_CONFIRM], 0
    if move.timer == Timing.AUTO_CONFIRM:
        return now + max(escrow.remaining, 1), 0
    # The clock of the confirmation stands still while a refund is under way.
    remaining = max(escrow.due - now, 1) if escrow.timer == Timing.AUTO_CONFIRM else escrow.remaining
    is_over = move.to is not None and move.to[0] in _FINAL
    due = now + DURATIONS[move.timer] if move.timer else 0
    return due, 0 if is_over else remaining


def _event(move: Move, asked: Asked, role: Role, following: _Next) -> schemas.EscrowMoved:
    more: dict[str, Any] = {}
    event = _EVENTS[move.event]
    if isinstance(asked, schemas.RefundClaim):
        more = {name: getattr(asked, name) for name in ("amount", "goods_received", "goods_returned")}
    elif issubclass(event, schemas.EscrowSettled):
        paid = following.paid
        more = {"to_buyer": paid.to_buyer, "to_seller": paid.to_seller, "fee": paid.fee}
    moved: schemas.EscrowMoved = event(
        by=role,
        trade=following.trade,
        refund=following.refund,
        timer=following.timer,
        due=following.due,
        remaining=following.remaining,
        **more,
    )
    return moved


def _answer(escrow: Escrow, following: _Next) -> dict[str, Any]:
    paid = following.paid
    return {
        "trade": following.trade.name,
        "refund": following.refund.name,
        "timer": following.timer.name.lower() if following.timer else "",
        "due": following.due,
        "held": escrow.held + paid.into - paid.to_buyer - paid.to_seller,
        "to_buyer": paid.to_buyer,
        "to_seller": paid.to_seller,
        "fee": paid.fee,
    }


# -- when a timer cannot pay ---------------------------------------------------------------


def _is_blocked(escrow: Escrow, paid: Payment, context: Context) -> bool:
    """Tell whether an account that would be paid is closed: nobody could ever repeat a timer."""
    receivers = [
        party for party, amount in ((escrow.buyer, paid.to_buyer), (escrow.seller, paid.to_seller)) if amount
    ]
    return any(_is_closed(context.account(account_id(party, escrow.currency))) for party in receivers)


def _is_closed(account: Rows | None) -> bool:
    return account is None or bool(account["flags"] & AccountFlags.CLOSED)


def _delay(escrow: Escrow, context: Context) -> Decision:
    due = context.now + RETRY
    delayed = schemas.EscrowDelayed(
        by=Role.CLOCK,
        trade=escrow.trade,
        refund=escrow.refund,
        timer=escrow.timer,
        due=due,
        remaining=escrow.remaining,
    )
    return Decision(events=[delayed], timers=[Timer(name=escrow.timer.name.lower(), due=due)])
