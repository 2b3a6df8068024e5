"""The life of a merchant's sales in escrow: shipped once a day, confirmed or not, refunded in every way.

What a buyer and the merchant do follows from the document's name alone, so a replay asks for the same
again. The book keeps no state machine: it knows when each of its own plans ends, and asks for nothing
that contradicts them. What it waits for at a timer it takes as done a little after the timer, never before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Final

from formicary.economy.names import named_id
from formicary.factory.engine.requests import CommandRequest, command_request
from formicary.products.payments import terms
from formicary.products.payments.escrow import (
    AgreeRefund,
    ConfirmEscrow,
    ConfirmReturn,
    EscalateRefund,
    EscrowCommand,
    ExtendEscrow,
    OpenEscrow,
    PayEscrow,
    RefuseRefund,
    RequestRefund,
    ReviseRefund,
    Role,
    RuleRefund,
    ShipEscrow,
    ShipReturn,
)

__all__ = ["EscrowBook", "Sale"]

Commands = list[CommandRequest]
Step = Callable[[int], Commands]

_SECOND: Final = 10**9
# Documents come on whole minutes: what is planned comes between them, and timers then do as well.
_OFFSET: Final = 30 * _SECOND
_SHIPPING_HOUR, _BUYERS_HOUR = 18 * terms.HOUR, 12 * terms.HOUR
# Long after everything that a group stamps in one nanosecond each.
_AFTER_A_TIMER: Final = 10 * _SECOND
_CONFIRMING_SHARE, _EXTENDING_SHARE = 70, 75


@dataclass(slots=True, kw_only=True)
class Sale:
    """One escrow as the book plans it: ``held`` minor units, whether it is shipped, busy, or over."""

    name: str
    subject: int
    party: Any
    held: int
    shipped: bool = False
    busy: bool = False
    over: bool = False


class EscrowBook:
    """Plans of all sales of one merchant, in order of time.

    Parameters
    ----------
    name
        What the merchant's documents are from; part of every id.
    merchant
        The merchant's party.
    currency
        The ISO 4217 number.
    received
        Told how much the merchant gets, when escrow releases it.
    returned
        Told which party gets how much back.

    ``plan``, ``pay``, ``chance``, ``buyer``, ``seller`` and ``house`` are for the ways of refunding below.
    """

    def __init__(
        self,
        name: str,
        merchant: int,
        currency: int,
        *,
        received: Callable[[int], None],
        returned: Callable[[Any, int], None],
    ) -> None:
        self._name = name
        self._merchant = merchant
        self._currency = currency
        self._received = received
        self._returned = returned
        self._later: list[tuple[int, int, Step]] = []
        self._planned = 0
        self._asked = 0

    # -- what is planned -------------------------------------------------------------------

    def due(self, until: int | None) -> Iterator[tuple[int, Commands]]:
        """Yield what falls due before ``until`` (all of it for None), moment by moment."""
        while self._later and (until is None or self._later[0][0] <= until):
            at, commands = self._later[0][0], []
            while self._later and self._later[0][0] == at:
                _, _, step = heappop(self._later)
                commands += step(at)
            yield at, commands

    def plan(self, at: int, step: Step) -> None:
        """Do a step at a time, in nanoseconds."""
        self._planned += 1
        heappush(self._later, (at, self._planned, step))

    # -- selling ---------------------------------------------------------------------------

    def sell(self, document: str, party: Any, buyer: int, amount: int, at: int) -> tuple[Sale, Commands]:
        """Sell on a document: opened and paid now, shipped in the evening."""
        sale = Sale(name=document, subject=named_id(self._name, document, "escrow"), party=party, held=amount)
        opening = OpenEscrow(
            subject=sale.subject,
            by=Role.SELLER,
            buyer=buyer,
            seller=self._merchant,
            currency=self._currency,
            amount=amount,
        )
        self.plan(_next(at, _SHIPPING_HOUR), lambda now: self._ship(sale, now))
        return sale, [self._asks(sale, opening), self.buyer(sale, PayEscrow)]

    def _ship(self, sale: Sale, at: int) -> Commands:
        if sale.over:
            return []
        if sale.busy:
            self.plan(_next(at, _SHIPPING_HOUR), lambda now: self._ship(sale, now))
            return []
        sale.shipped = True
        choice = self.chance(sale.name, "ending", 100)
        due = at + terms.AUTO_CONFIRM
        if choice < _CONFIRMING_SHARE:
            days = 1 + self.chance(sale.name, "patience", 9)
            self.plan(_next(at + (days - 1) * terms.DAY, _BUYERS_HOUR), lambda _: self._confirm(sale))
        elif choice < _EXTENDING_SHARE:
            self.plan(_next(at + 8 * terms.DAY, _BUYERS_HOUR), lambda _: self._extend(sale))
            self.plan(due + terms.EXTENSION + _AFTER_A_TIMER, lambda _: self._confirmed_by_itself(sale))
        else:
            self.plan(due + _AFTER_A_TIMER, lambda _: self._confirmed_by_itself(sale))
        return [self.seller(sale, ShipEscrow)]

    def _confirm(self, sale: Sale) -> Commands:
        return [self.buyer(sale, ConfirmEscrow)] if self._finishes(sale) else []

    def _extend(self, sale: Sale) -> Commands:
        return [] if sale.over or sale.busy else [self.buyer(sale, ExtendEscrow)]

    def _confirmed_by_itself(self, sale: Sale) -> Commands:
        self._finishes(sale)
        return []

    def _finishes(self, sale: Sale) -> bool:
        """Take the sale as paid to the merchant, unless a refund came in between."""
        if sale.over or sale.busy:
            return False
        sale.over = True
        self._received(sale.held)
        return True

    # -- refunding -------------------------------------------------------------------------

    def refund(self, document: str, sale: Sale, amount: int, at: int) -> Commands:
        """Refund ``amount`` of a sale that is not over, not busy, and holds as much."""
        refund = _Refund(self, document, sale, amount, at)
        ways = _WAYS if sale.shipped else _WAYS_BEFORE_SHIPMENT
        return ways[self.chance(document, "way", len(ways))](refund)

    def pay(self, sale: Sale, amount: int) -> None:
        """Take a refund as paid: to the buyer, and after shipment the rest to the merchant."""
        self._returned(sale.party, amount)
        sale.held -= amount
        sale.busy = False
        if sale.shipped or not sale.held:
            sale.over = True
            self._received(sale.held)

    # -- asking ----------------------------------------------------------------------------

    def chance(self, document: str, purpose: str, choices: int) -> int:
        """Return a number below ``choices`` that follows from a document's name."""
        return named_id(self._name, document, purpose) % choices

    def buyer(self, sale: Sale, kind: Callable[..., EscrowCommand], **more: Any) -> CommandRequest:
        """Return what a buyer asks of a sale."""
        return self._asks(sale, kind(subject=sale.subject, by=Role.BUYER, **more))

    def seller(self, sale: Sale, kind: Callable[..., EscrowCommand]) -> CommandRequest:
        """Return what the merchant asks of a sale."""
        return self._asks(sale, kind(subject=sale.subject, by=Role.SELLER))

    def house(self, sale: Sale, kind: Callable[..., EscrowCommand], **more: Any) -> CommandRequest:
        """Return what the house asks of a sale."""
        return self._asks(sale, kind(subject=sale.subject, by=Role.HOUSE, **more))

    def _asks(self, sale: Sale, command: EscrowCommand) -> CommandRequest:
        self._asked += 1
        return command_request("escrow", command, principal=self._name, key=f"{sale.name} {self._asked}")


@dataclass(frozen=True, slots=True)
class _Refund:
    """One refund as it is planned."""

    book: EscrowBook
    document: str
    sale: Sale
    amount: int
    at: int

    def asks(self, kind: Callable[..., EscrowCommand] = RequestRefund, **goods: bool) -> CommandRequest:
        """Return the buyer's claim."""
        return self.book.buyer(self.sale, kind, amount=self.amount, **goods)

    def does(self, kind: Callable[..., EscrowCommand]) -> CommandRequest:
        """Return what the merchant does."""
        return self.book.seller(self.sale, kind)

    def paid(self) -> None:
        """Take it as paid."""
        self.book.pay(self.sale, self.amount)

    def later(self, at: int, *commands: Callable[[], CommandRequest], pays: bool) -> None:
        """Do commands at a time, and take it as paid then or not; the sale is busy meanwhile."""
        self.sale.busy = True

        def step(_: int) -> Commands:
            asked = [command() for command in commands]
            if pays:
                self.paid()
            return asked

        self.book.plan(at, step)


def _next(at: int, hour: int) -> int:
    """Return when an hour of the day comes next, in nanoseconds."""
    then = at - at % terms.DAY + hour + _OFFSET
    return then if then > at else then + terms.DAY


def _agreed_before_shipment(refund: _Refund) -> Commands:
    commands = [refund.asks(), refund.does(AgreeRefund)]
    refund.paid()
    return commands


def _silent_before_shipment(refund: _Refund) -> Commands:
    refund.later(refund.at + terms.UNSHIPPED + _AFTER_A_TIMER, pays=True)
    return [refund.asks()]


def _agreed(refund: _Refund) -> Commands:
    commands = [refund.asks(goods_received=True), refund.does(AgreeRefund)]
    refund.paid()
    return commands


def _silent(refund: _Refund) -> Commands:
    refund.later(refund.at + terms.COMPLAINT + _AFTER_A_TIMER, pays=True)
    return [refund.asks(goods_received=True)]


def _never_came(refund: _Refund) -> Commands:
    refund.later(refund.at + terms.NOT_RECEIVED + _AFTER_A_TIMER, pays=True)
    return [refund.asks()]


def _intercepted(refund: _Refund) -> Commands:
    refund.later(refund.at + terms.INTERCEPTION + _AFTER_A_TIMER, pays=True)
    return [refund.asks(), refund.does(AgreeRefund)]


def _sent_back(refund: _Refund) -> Commands:
    sent = _next(refund.at + terms.DAY, _BUYERS_HOUR)
    refund.later(sent, lambda: refund.book.buyer(refund.sale, ShipReturn), pays=False)
    refund.later(sent + 2 * terms.DAY, lambda: refund.does(ConfirmReturn), pays=True)
    return [refund.asks(goods_received=True, goods_returned=True), refund.does(AgreeRefund)]


def _sent_back_in_silence(refund: _Refund) -> Commands:
    sent = _next(refund.at + terms.COMPLAINT, _BUYERS_HOUR)
    refund.later(sent, lambda: refund.book.buyer(refund.sale, ShipReturn), pays=False)
    refund.later(sent + terms.RETURN_SILENT + _AFTER_A_TIMER, pays=True)
    return [refund.asks(goods_received=True, goods_returned=True)]


def _never_sent_back(refund: _Refund) -> Commands:
    _asks_again(refund, refund.at + terms.RETURN_DUE + _AFTER_A_TIMER)
    return [refund.asks(goods_received=True, goods_returned=True), refund.does(AgreeRefund)]


def _refused_and_dropped(refund: _Refund) -> Commands:
    _asks_again(refund, refund.at + terms.REVISE + _AFTER_A_TIMER)
    return [refund.asks(goods_received=True), refund.does(RefuseRefund)]


def _asks_again(refund: _Refund, at: int) -> None:
    refund.later(at, lambda: refund.asks(goods_received=True), lambda: refund.does(AgreeRefund), pays=True)


def _revised(refund: _Refund) -> Commands:
    commands = [
        refund.asks(goods_received=True),
        refund.does(RefuseRefund),
        refund.asks(ReviseRefund, goods_received=True),
        refund.does(AgreeRefund),
    ]
    refund.paid()
    return commands


def _ruled(refund: _Refund) -> Commands:
    escalated = _next(refund.at, _BUYERS_HOUR)
    refund.later(escalated, lambda: refund.book.buyer(refund.sale, EscalateRefund), pays=False)
    ruling = refund.amount
    refund.later(
        escalated + terms.DAY, lambda: refund.book.house(refund.sale, RuleRefund, amount=ruling), pays=True
    )
    return [refund.asks(goods_received=True), refund.does(RefuseRefund)]


# Most refunds are simple; each of the others comes in one of twelve.
_WAYS: Final[tuple[Callable[[_Refund], Commands], ...]] = (
    _agreed,
    _agreed,
    _agreed,
    _silent,
    _never_came,
    _intercepted,
    _sent_back,
    _sent_back_in_silence,
    _never_sent_back,
    _refused_and_dropped,
    _revised,
    _ruled,
)
_WAYS_BEFORE_SHIPMENT: Final = (_agreed_before_shipment, _silent_before_shipment)
