"""Why something is not done with an escrow."""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = [
    "AlreadyExtended",
    "ClaimContradicts",
    "EscrowAlreadyOpen",
    "EscrowNotFound",
    "EscrowSettled",
    "EscrowWrongState",
    "NotYourMove",
    "RefundOutOfRange",
    "SameParty",
]


class EscrowAlreadyOpen(Refusal):
    """There is an escrow with this id."""

    code = "escrow_already_open"


class EscrowNotFound(Refusal):
    """There is no escrow with this id."""

    code = "escrow_not_found"


class EscrowSettled(Refusal):
    """The trade is finished or closed: nothing more can be done with its money here."""

    code = "escrow_settled"


class EscrowWrongState(Refusal):
    """The trade, or its refund, is not where this can be done."""

    code = "escrow_wrong_state"


class NotYourMove(Refusal):
    """It is for the other side of the trade to do, or for the house."""

    code = "not_your_move"


class AlreadyExtended(Refusal):
    """The automatic confirmation was put off before; once is all there is."""

    code = "already_extended"


class ClaimContradicts(Refusal):
    """What a refund claims of the goods cannot be: received before they were sent, or returned unreceived."""

    code = "claim_contradicts"


class RefundOutOfRange(Refusal):
    """A refund is at least one minor unit, or none in a ruling, and at most what is held."""

    code = "refund_out_of_range"


class SameParty(Refusal):
    """Buyer and seller are the same party."""

    code = "same_party"
