"""Deciding about orders of the rail: the bank's word is a fact, the wallet follows when it can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy.typing as npt

from formicary.base.currencies import currency_of_ledger
from formicary.factory.engine.products import Command, Context, Decision, Timer, TimerFired
from formicary.factory.ledger import AMOUNT_MAX, ID_MAX, Account, Transfer
from formicary.products.payments.postings import (
    AccountCode,
    InvalidAmount,
    StaleTimer,
    WalletNotFound,
    account_id,
    house_account,
    house_account_id,
)
from formicary.products.payments.rail import schemas
from formicary.products.payments.rail.money import Order, bank_half, hold, read, void, wallet_half
from formicary.products.payments.rail.schemas import Direction, OrderState
from formicary.products.payments.terms import CASH_OUT_SILENT, RETRY, TOP_UP_SILENT

__all__ = ["SETTLE", "SILENT", "decide", "evolve"]

Rows = npt.NDArray[Any]

SILENT: Final = "silent"
SETTLE: Final = "settle"

_WORD: Final = 2**64 - 1
_UNANSWERED: Final = (OrderState.REQUESTED, OrderState.SILENT)
_SILENT_AFTER: Final = {Direction.TOP_UP: TOP_UP_SILENT, Direction.CASH_OUT: CASH_OUT_SILENT}


def decide(asked: Command | TimerFired, record: Rows | None, context: Context) -> Decision:
    """Decide a command or a timer of an order."""
    if isinstance(asked, schemas.RequestOrder):
        return _request(asked, record, context)
    if record is None or not (record["state"] and record["direction"]):
        raise schemas.OrderNotFound
    order = read(record)
    if isinstance(asked, TimerFired):
        return _fired(asked, order, context)
    match asked:
        case schemas.ConfirmOrder() if order.state in _UNANSWERED:
            return _confirm(order, context)
        case schemas.FailOrder() if order.state in _UNANSWERED:
            return _fail(order, asked)
        case schemas.ReturnOrder() if order.state == OrderState.CONFIRMED:
            return _return(order, context)
        case schemas.SettleOrder() if order.open:
            return _settle(order, context)
    raise schemas.OrderWrongState


def _fired(timer: TimerFired, order: Order, context: Context) -> Decision:
    if timer.name == SILENT and order.state == OrderState.REQUESTED:
        return Decision(events=[schemas.OrderSilent()])
    if timer.name == SETTLE and order.open and timer.due == order.due:
        return _settle(order, context)
    raise StaleTimer


def _request(asked: schemas.RequestOrder, record: Rows | None, context: Context) -> Decision:
    if record is not None and record["state"]:
        raise schemas.OrderExists
    if not 1 <= asked.amount <= AMOUNT_MAX:
        raise InvalidAmount
    currency_of_ledger(asked.currency)
    if not 0 <= asked.party <= ID_MAX or context.account(account_id(asked.party, asked.currency)) is None:
        raise WalletNotFound
    direction = Direction.TOP_UP if isinstance(asked, schemas.RequestTopUp) else Direction.CASH_OUT
    order = Order(
        subject=asked.subject,
        party=asked.party,
        currency=asked.currency,
        amount=asked.amount,
        open=0,
        due=0,
        direction=direction,
        state=OrderState.REQUESTED,
    )
    requested = schemas.OrderRequested(
        direction=direction, party=f"{asked.party:032x}", currency=asked.currency, amount=asked.amount
    )
    return Decision(
        events=[requested],
        accounts=_missing_accounts(asked.currency, context),
        transfers=[hold(order)] if direction == Direction.CASH_OUT else [],
        timers=[Timer(name=SILENT, due=context.now + _SILENT_AFTER[direction])],
        answer={"state": OrderState.REQUESTED.name},
    )


def _missing_accounts(currency: int, context: Context) -> list[Account]:
    codes = (AccountCode.NOSTRO, AccountCode.CLEARING_IN, AccountCode.CLEARING_OUT)
    return [
        house_account(code, currency)
        for code in codes
        if context.account(house_account_id(code, currency)) is None
    ]


def _confirm(order: Order, context: Context) -> Decision:
    wallet, bank = wallet_half(order, context, back=False), bank_half(order, back=False)
    # Money comes to the clearing account before it leaves it.
    transfers = [bank, *wallet] if order.direction == Direction.TOP_UP else [*wallet, bank]
    still_open = 0 if wallet else order.amount
    return _moved_by_bank(schemas.OrderConfirmed, OrderState.CONFIRMED, transfers, still_open, context)


def _moved_by_bank(
    event: type[schemas.OrderMoved],
    state: OrderState,
    transfers: Sequence[Transfer],
    still_open: int,
    context: Context,
) -> Decision:
    due = context.now + RETRY if still_open else 0
    return Decision(
        events=[event(open=still_open, due=due)],
        transfers=transfers,
        timers=[Timer(name=SETTLE, due=due)] if still_open else [],
        answer={"state": state.name, "open": still_open},
    )


def _fail(order: Order, asked: schemas.FailOrder) -> Decision:
    return Decision(
        events=[schemas.OrderFailed(reason=asked.reason)],
        transfers=[void(order)] if order.direction == Direction.CASH_OUT else [],
        answer={"state": OrderState.FAILED.name},
    )


def _return(order: Order, context: Context) -> Decision:
    bank = bank_half(order, back=True)
    if order.open:
        # The wallet never took part: there is nothing to undo but the bank's half, and a hold to end.
        ended = [void(order)] if order.direction == Direction.CASH_OUT else []
        transfers, still_open = [bank, *ended], 0
    else:
        wallet = wallet_half(order, context, back=True)
        transfers = [*wallet, bank] if order.direction == Direction.TOP_UP else [bank, *wallet]
        still_open = 0 if wallet else order.amount
    return _moved_by_bank(schemas.OrderReturned, OrderState.RETURNED, transfers, still_open, context)


def _settle(order: Order, context: Context) -> Decision:
    wallet = wallet_half(order, context, back=order.state == OrderState.RETURNED)
    if wallet:
        return Decision(
            events=[schemas.OrderSettled()], transfers=wallet, answer={"state": order.state.name, "open": 0}
        )
    due = context.now + RETRY
    return Decision(
        events=[schemas.OrderDelayed(due=due)],
        timers=[Timer(name=SETTLE, due=due)],
        answer={"state": order.state.name, "open": order.open},
    )


# -- evolving ------------------------------------------------------------------------------


def evolve(kind: str, orders: Rows, events: Sequence[Any]) -> None:
    """Change orders (n,) as events (n,) of one kind say."""
    _EVOLVE[kind](orders, events)


def _requested(orders: Rows, events: Sequence[schemas.OrderRequested]) -> None:
    parties = [int(event.party, 16) for event in events]
    orders["party_high"] = [party >> 64 for party in parties]
    orders["party_low"] = [party & _WORD for party in parties]
    for name in ("direction", "currency", "amount"):
        orders[name] = [getattr(event, name) for event in events]
    orders["state"] = OrderState.REQUESTED


def _moved(state: OrderState) -> Callable[[Rows, Sequence[Any]], None]:
    def evolve_moved(orders: Rows, events: Sequence[schemas.OrderMoved]) -> None:
        orders["state"] = state
        orders["open"] = [event.open for event in events]
        orders["due"] = [event.due for event in events]

    return evolve_moved


def _failed(orders: Rows, events: Sequence[schemas.OrderFailed]) -> None:
    orders["state"] = OrderState.FAILED
    orders["reason"] = [event.reason for event in events]


def _silent(orders: Rows, _: Sequence[schemas.OrderSilent]) -> None:
    orders["state"] = OrderState.SILENT


def _settled(orders: Rows, _: Sequence[schemas.OrderSettled]) -> None:
    orders["open"] = 0


def _delayed(orders: Rows, events: Sequence[schemas.OrderDelayed]) -> None:
    orders["due"] = [event.due for event in events]


_EVOLVE: Final[dict[str, Callable[[Rows, Sequence[Any]], None]]] = {
    "OrderRequested": _requested,
    "OrderConfirmed": _moved(OrderState.CONFIRMED),
    "OrderReturned": _moved(OrderState.RETURNED),
    "OrderFailed": _failed,
    "OrderSilent": _silent,
    "OrderSettled": _settled,
    "OrderDelayed": _delayed,
}
