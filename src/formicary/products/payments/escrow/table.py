"""The escrow's state machine as data: what may happen when, by whom, and what becomes of it.

``docs/escrow.md`` holds the same tables for people; a test compares the two. The states and the refund's
states have the names of the best-known escrow of the field. One name is ours: ``WAIT_RULING``, where
the house decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

from formicary.products.payments import terms

__all__ = [
    "DURATIONS",
    "IDLE",
    "PAID",
    "TABLE",
    "Event",
    "Fact",
    "Money",
    "Move",
    "Paid",
    "Refund",
    "Role",
    "Rule",
    "Timing",
    "Trade",
    "Whole",
]


class Trade(IntEnum):
    """Where a trade is."""

    WAIT_BUYER_PAY = 1
    WAIT_SELLER_SEND_GOODS = 2
    WAIT_BUYER_CONFIRM_GOODS = 3
    TRADE_FINISHED = 4
    TRADE_CLOSED = 5


class Refund(IntEnum):
    """Where the refund of a trade is; ``NONE`` before the first was asked for."""

    NONE = 0
    WAIT_SELLER_AGREE = 1
    SELLER_REFUSE_BUYER = 2
    WAIT_BUYER_RETURN_GOODS = 3
    WAIT_SELLER_CONFIRM_GOODS = 4
    SUCCESS = 5
    CLOSED = 6
    WAIT_RULING = 7


class Role(IntEnum):
    """Who moves: the house may do what a side may do, the clock only what falls due."""

    HOUSE = 0
    BUYER = 1
    SELLER = 2
    CLOCK = 3


class Timing(IntEnum):
    """The timer of an escrow; there is one at most. Its name is the member's in lower case."""

    NONE = 0
    AUTO_CONFIRM = 1
    UNSHIPPED = 2
    NOT_RECEIVED = 3
    COMPLAINT = 4
    REVISE = 5
    INTERCEPTION = 6
    RETURN_DUE = 7
    RETURN_SILENT = 8


class Fact(Enum):
    """What a rule may ask of a refund: what is with the goods, or whether a ruling gives anything back."""

    NOT_RECEIVED = "the goods were not received"
    KEPT = "the goods were received and are kept"
    RETURNED = "the goods were received and go back"
    NOTHING = "nothing goes back"
    SOMETHING = "something goes back"


class Money(Enum):
    """What moves."""

    NONE = ""
    PAY = "the amount, from the buyer into escrow"
    RELEASE = "all that is held, to the seller"
    RETURN = "all that is held, to the buyer"
    REFUND = "the refund, to the buyer"
    SPLIT = "the refund, to the buyer; the rest, to the seller"


class Event(Enum):
    """What happened, by the name of the event that says so."""

    PAID = "EscrowPaid"
    SHIPPED = "EscrowShipped"
    EXTENDED = "EscrowExtended"
    FINISHED = "EscrowFinished"
    CLOSED = "EscrowClosed"
    REQUESTED = "RefundRequested"
    REVISED = "RefundRevised"
    AGREED = "RefundAgreed"
    REFUSED = "RefundRefused"
    ESCALATED = "RefundEscalated"
    RETURN_SHIPPED = "ReturnShipped"
    REFUND_CLOSED = "RefundClosed"
    REFUND_PAID = "RefundPaid"


class Whole(Enum):
    """How a refund compares with what is held."""

    WHOLE = "all that is held"
    PART = "less than that"


DURATIONS: Final = {
    Timing.AUTO_CONFIRM: terms.AUTO_CONFIRM,
    Timing.UNSHIPPED: terms.UNSHIPPED,
    Timing.NOT_RECEIVED: terms.NOT_RECEIVED,
    Timing.COMPLAINT: terms.COMPLAINT,
    Timing.REVISE: terms.REVISE,
    Timing.INTERCEPTION: terms.INTERCEPTION,
    Timing.RETURN_DUE: terms.RETURN_DUE,
    Timing.RETURN_SILENT: terms.RETURN_SILENT,
}
"""How long each timer runs, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Move:
    """What a trigger does.

    Attributes
    ----------
    trigger
        The name of a command, or of a timer in lower case.
    by
        Who may do it, the house apart, which may do whatever a side may.
    event
        What is recorded.
    to
        The next state of the trade and of the refund, None where it stays; None altogether where the refund
        is paid and ``PAID`` says what follows.
    timer
        The timer that runs from then on. ``AUTO_CONFIRM`` goes on with the time that was left where a refund
        had stopped it.
    money
        What moves.
    when
        What must be so besides, one of them; empty where nothing.
    """

    trigger: str
    by: tuple[Role, ...]
    event: Event
    to: tuple[Trade | None, Refund | None] | None = (None, None)
    timer: Timing = Timing.NONE
    money: Money = Money.NONE
    when: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: in this state of the trade and one of these of the refund, a move."""

    trade: Trade
    refunds: tuple[Refund, ...]
    move: Move


@dataclass(frozen=True, slots=True)
class Paid:
    """What paying a refund leads to; the refund is a ``SUCCESS`` and no timer runs."""

    trade: Trade
    size: Whole
    to: Trade
    money: Money


IDLE: Final = (Refund.NONE, Refund.SUCCESS, Refund.CLOSED)
"""No refund is under way: none was asked for, or the last one ended."""

_PAY, _SEND, _CONFIRM = Trade.WAIT_BUYER_PAY, Trade.WAIT_SELLER_SEND_GOODS, Trade.WAIT_BUYER_CONFIRM_GOODS
_FINISHED, _CLOSED = Trade.TRADE_FINISHED, Trade.TRADE_CLOSED
_ASKED, _REFUSED, _RULING = Refund.WAIT_SELLER_AGREE, Refund.SELLER_REFUSE_BUYER, Refund.WAIT_RULING
_RETURNING, _BACK = Refund.WAIT_BUYER_RETURN_GOODS, Refund.WAIT_SELLER_CONFIRM_GOODS
_BUYER, _SELLER, _EITHER = (Role.BUYER,), (Role.SELLER,), (Role.BUYER, Role.SELLER)
_HOUSE, _CLOCK = (Role.HOUSE,), (Role.CLOCK,)
_MISSING, _RECEIVED = (Fact.NOT_RECEIVED,), (Fact.KEPT, Fact.RETURNED)
_KEPT, _RETURNED = (Fact.KEPT,), (Fact.RETURNED,)
_NOTHING, _SOMETHING = (Fact.NOTHING,), (Fact.SOMETHING,)
_E, _T = Event, Timing
_ON = (None, Refund.CLOSED)

_RULES: Final[dict[tuple[Trade, tuple[Refund, ...]], tuple[Move, ...]]] = {
    (_PAY, (Refund.NONE,)): (
        Move("PayEscrow", _BUYER, _E.PAID, (_SEND, None), money=Money.PAY),
        Move("CloseEscrow", _EITHER, _E.CLOSED, (_CLOSED, None)),
    ),
    (_SEND, IDLE): (
        Move("ShipEscrow", _SELLER, _E.SHIPPED, (_CONFIRM, None), _T.AUTO_CONFIRM),
        Move("RequestRefund", _BUYER, _E.REQUESTED, (None, _ASKED), _T.UNSHIPPED, when=_MISSING),
    ),
    (_SEND, (_ASKED, _REFUSED)): (
        Move("ShipEscrow", _SELLER, _E.SHIPPED, (_CONFIRM, Refund.CLOSED), _T.AUTO_CONFIRM),
    ),
    (_SEND, (*IDLE, _ASKED, _REFUSED)): (
        Move("CloseEscrow", _SELLER, _E.CLOSED, (_CLOSED, Refund.SUCCESS), money=Money.RETURN),
    ),
    (_SEND, (_ASKED,)): (
        Move("AgreeRefund", _SELLER, _E.REFUND_PAID, None),
        Move("unshipped", _CLOCK, _E.REFUND_PAID, None),
        Move("RefuseRefund", _SELLER, _E.REFUSED, (None, _REFUSED), _T.REVISE),
    ),
    (_SEND, (_REFUSED,)): (
        Move("ReviseRefund", _BUYER, _E.REVISED, (None, _ASKED), _T.UNSHIPPED, when=_MISSING),
        Move("EscalateRefund", _BUYER, _E.ESCALATED, (None, _RULING)),
        Move("revise", _CLOCK, _E.REFUND_CLOSED, _ON),
    ),
    (_SEND, (_RULING,)): (
        Move("RuleRefund", _HOUSE, _E.REFUND_CLOSED, _ON, when=_NOTHING),
        Move("RuleRefund", _HOUSE, _E.REFUND_PAID, None, when=_SOMETHING),
    ),
    (_SEND, (_ASKED, _REFUSED, _RULING)): (Move("CancelRefund", _BUYER, _E.REFUND_CLOSED, _ON),),
    (_CONFIRM, IDLE): (
        Move("ConfirmEscrow", _BUYER, _E.FINISHED, (_FINISHED, None), money=Money.RELEASE),
        Move("auto_confirm", _CLOCK, _E.FINISHED, (_FINISHED, None), money=Money.RELEASE),
        Move("ExtendEscrow", _BUYER, _E.EXTENDED, timer=_T.AUTO_CONFIRM),
        Move("RequestRefund", _BUYER, _E.REQUESTED, (None, _ASKED), _T.NOT_RECEIVED, when=_MISSING),
        Move("RequestRefund", _BUYER, _E.REQUESTED, (None, _ASKED), _T.COMPLAINT, when=_RECEIVED),
    ),
    (_CONFIRM, (_ASKED,)): (
        Move("AgreeRefund", _SELLER, _E.AGREED, (None, _BACK), _T.INTERCEPTION, when=_MISSING),
        Move("AgreeRefund", _SELLER, _E.REFUND_PAID, None, when=_KEPT),
        Move("AgreeRefund", _SELLER, _E.AGREED, (None, _RETURNING), _T.RETURN_DUE, when=_RETURNED),
        Move("not_received", _CLOCK, _E.REFUND_PAID, None),
        Move("complaint", _CLOCK, _E.REFUND_PAID, None, when=_KEPT),
        Move("complaint", _CLOCK, _E.AGREED, (None, _RETURNING), _T.RETURN_DUE, when=_RETURNED),
    ),
    (_CONFIRM, (_ASKED, _BACK)): (Move("RefuseRefund", _SELLER, _E.REFUSED, (None, _REFUSED), _T.REVISE),),
    (_CONFIRM, (_REFUSED,)): (
        Move("ReviseRefund", _BUYER, _E.REVISED, (None, _ASKED), _T.NOT_RECEIVED, when=_MISSING),
        Move("ReviseRefund", _BUYER, _E.REVISED, (None, _ASKED), _T.COMPLAINT, when=_RECEIVED),
        Move("EscalateRefund", _BUYER, _E.ESCALATED, (None, _RULING)),
        Move("revise", _CLOCK, _E.REFUND_CLOSED, _ON, _T.AUTO_CONFIRM),
    ),
    (_CONFIRM, (_RETURNING,)): (
        Move("ShipReturn", _BUYER, _E.RETURN_SHIPPED, (None, _BACK), _T.RETURN_SILENT),
        Move("return_due", _CLOCK, _E.REFUND_CLOSED, _ON, _T.AUTO_CONFIRM),
    ),
    (_CONFIRM, (_BACK,)): (
        Move("ConfirmReturn", _SELLER, _E.REFUND_PAID, None),
        Move("interception", _CLOCK, _E.REFUND_PAID, None),
        Move("return_silent", _CLOCK, _E.REFUND_PAID, None),
    ),
    (_CONFIRM, (_RULING,)): (
        Move("RuleRefund", _HOUSE, _E.REFUND_CLOSED, _ON, _T.AUTO_CONFIRM, when=_NOTHING),
        Move("RuleRefund", _HOUSE, _E.REFUND_PAID, None, when=_SOMETHING),
    ),
    (_CONFIRM, (_ASKED, _REFUSED, _RETURNING, _BACK, _RULING)): (
        Move("CancelRefund", _BUYER, _E.REFUND_CLOSED, _ON, _T.AUTO_CONFIRM),
    ),
}

TABLE: Final = tuple(Rule(*states, move) for states, moves in _RULES.items() for move in moves)
"""Every rule; ``OpenEscrow`` apart, which makes an escrow that waits for the buyer to pay."""

PAID: Final = (
    Paid(_SEND, Whole.WHOLE, Trade.TRADE_CLOSED, Money.REFUND),
    Paid(_SEND, Whole.PART, Trade.WAIT_SELLER_SEND_GOODS, Money.REFUND),
    Paid(_CONFIRM, Whole.WHOLE, Trade.TRADE_CLOSED, Money.REFUND),
    Paid(_CONFIRM, Whole.PART, Trade.TRADE_FINISHED, Money.SPLIT),
)
"""What paying a refund leads to, by how much it is."""
