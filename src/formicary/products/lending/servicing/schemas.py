"""What a loan is asked, and what happened to it."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from formicary.factory.engine.products import Command, DomainEvent
from formicary.products.lending.servicing.close_rules import CloseRules, OwnRules
from formicary.products.lending.servicing.fields import (
    LOST,
    Amount,
    AmountColumn,
    Believed,
    CurrencyNumber,
    Day,
    HexId,
    IdColumn,
    LoanTerms,
    Millionths,
    Number,
)
from formicary.products.lending.servicing.standing_offers import LIMITS

__all__ = [
    "COMMANDS",
    "EVENTS",
    "SWEEPS",
    "AcceptOffer",
    "AllowCollection",
    "AssessRisk",
    "ChargeOff",
    "CollectionAllowed",
    "CollectionRevoked",
    "Draw",
    "LimitsCut",
    "LoanAccepted",
    "LoanChargedOff",
    "LoanPaidOut",
    "LoanRecovered",
    "LoanRepaid",
    "LoanWrittenBack",
    "LoansAccrued",
    "LoansChargedOff",
    "LoansCollected",
    "LoansProvided",
    "LoansTakenOver",
    "RecordRecovery",
    "RefinanceLoan",
    "Repay",
    "RevokeCollection",
    "RiskAssessed",
    "TakeOverLoans",
    "WriteBack",
]

Refinanced = Annotated[int, msgspec.Meta(ge=0, le=255)]


class AcceptOffer(Command, frozen=True, kw_only=True):
    """Take an offer: from now on there is a loan, of which nothing is drawn yet.

    ``subject`` is its id, and that of its account. ``amount`` is what an instalment loan lends, or a line's
    limit. ``effective_rate`` is what the party was shown, in millionths a year. ``is_collected`` says that
    what falls due may be taken from the wallet, an account's id.
    """

    offer: HexId
    party: HexId
    wallet: HexId
    amount: Amount
    effective_rate: Amount
    is_collected: bool


class Draw(Command, frozen=True, kw_only=True):
    """Pay out into the wallet: any amount of a line, all of an instalment loan, once."""

    amount: Amount


class Repay(Command, frozen=True, kw_only=True):
    """Pay back from the wallet, at any time and without a penalty; more than is owed is not taken."""

    amount: Amount


class AllowCollection(Command, frozen=True):
    """Agree that what falls due is taken from the wallet."""


class RevokeCollection(Command, frozen=True):
    """Agree no more that what falls due is taken from the wallet."""


class RefinanceLoan(Command, frozen=True, kw_only=True):
    """Draw an accepted instalment loan to pay off another one; what is left goes into the wallet."""

    loan: HexId


class ChargeOff(Command, frozen=True):
    """Take the loss of a loan in arrears; the party owes it all the same."""


class RecordRecovery(Command, frozen=True, kw_only=True):
    """Take from the wallet what comes of a loan that was charged off, no more than is owed."""

    amount: Amount


class WriteBack(Command, frozen=True):
    """Take a charge-off back: all of what is left of it is due."""


class AssessRisk(Command, frozen=True, kw_only=True):
    """Say what the chance of default within 12 months is now, in millionths, or that it is in default.

    ``is_impaired`` is default for another reason than days, as an insolvency.
    """

    default: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    is_impaired: bool = False


class TakeOverLoans(Command, frozen=True, kw_only=True):
    """Take instalment loans of the same terms over from another lender's books.

    ``day`` is from when interest is ours, ``next_due`` when each has its next instalment, a period later at
    most. Columns: ids of loans, parties and wallets, principal and instalment in minor units.
    """

    currency: CurrencyNumber
    terms: LoanTerms
    day: Day
    next_due: Day
    ids: IdColumn
    parties: IdColumn
    wallets: IdColumn
    balances: AmountColumn
    instalments: AmountColumn


class LoanAccepted(DomainEvent, frozen=True, kw_only=True):
    """A party took an offer; a partner carries a share of the loan, in millionths."""

    offer: HexId
    party: HexId
    wallet: HexId
    currency: CurrencyNumber
    limit: Amount
    terms: LoanTerms
    is_collected: bool
    believed: Believed = Believed()
    partner_share: Millionths = 0


class LoanPaidOut(DomainEvent, frozen=True, kw_only=True):
    """An amount was drawn; ``instalment`` is what is paid each time from now on, 0 of a line."""

    day: Day
    amount: Amount
    instalment: Amount
    refinanced: Refinanced = 0


class LoanRepaid(DomainEvent, frozen=True, kw_only=True):
    """An amount was paid back."""

    day: Day
    amount: Amount


class CollectionAllowed(DomainEvent, frozen=True):
    """What falls due may be taken from the wallet."""


class CollectionRevoked(DomainEvent, frozen=True):
    """What falls due may not be taken from the wallet any more."""


class LoanChargedOff(DomainEvent, frozen=True, kw_only=True):
    """The house took the loss."""

    day: Day


class LoanRecovered(DomainEvent, frozen=True, kw_only=True):
    """Something came of a loan that was charged off."""

    amount: Amount


class LoanWrittenBack(DomainEvent, frozen=True, kw_only=True):
    """A charge-off was taken back."""

    day: Day


class RiskAssessed(DomainEvent, frozen=True, kw_only=True):
    """The chance of default is another one now."""

    default: Millionths
    is_impaired: bool


class LoansTakenOver(DomainEvent, frozen=True, kw_only=True):
    """Loans came from another lender's books."""

    first: Number
    after: Number
    ids: IdColumn
    parties: IdColumn
    wallets: IdColumn
    balances: AmountColumn
    instalments: AmountColumn
    currency: CurrencyNumber
    terms: LoanTerms
    day: Day
    next_due: Day


class LoansAccrued(DomainEvent, frozen=True, kw_only=True):
    """Loans were brought to the end of a business date: interest, what falls due, how late they are."""

    first: Number
    after: Number
    day: Day


class LoansCollected(DomainEvent, frozen=True, kw_only=True):
    """What was due was taken from wallets, as far as it was there; 0 for loans that nothing was taken of."""

    first: Number
    after: Number
    amounts: AmountColumn


class LoansChargedOff(DomainEvent, frozen=True, kw_only=True):
    """The house took the loss of those loans for which ``lost`` is 1, at the close of a date."""

    first: Number
    after: Number
    day: Day
    lost: Annotated[str, LOST.meta]


class LoansProvided(DomainEvent, frozen=True, kw_only=True):
    """Stages and allowances of loans are those of the end of a day.

    ``rules`` are those of all currencies for which the house has not set its ``own``.
    """

    first: Number
    after: Number
    day: Day
    rules: CloseRules
    own: OwnRules = ()


class LimitsCut(DomainEvent, frozen=True, kw_only=True):
    """Lines were cut: limits in minor units, ``STAYS`` of loans between them; what is owed stays."""

    first: Number
    after: Number
    limits: Annotated[str, LIMITS.meta]


COMMANDS: Final = (
    AcceptOffer,
    Draw,
    Repay,
    AllowCollection,
    RevokeCollection,
    RefinanceLoan,
    ChargeOff,
    RecordRecovery,
    WriteBack,
    AssessRisk,
    TakeOverLoans,
)
SWEEPS: Final = (LoansTakenOver, LoansAccrued, LoansCollected, LoansChargedOff, LoansProvided, LimitsCut)
EVENTS: Final = (
    LoanAccepted,
    LoanPaidOut,
    LoanRepaid,
    CollectionAllowed,
    CollectionRevoked,
    LoanChargedOff,
    LoanRecovered,
    LoanWrittenBack,
    RiskAssessed,
    *SWEEPS,
)
