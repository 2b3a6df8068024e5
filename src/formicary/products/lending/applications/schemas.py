"""What is asked for, what was decided and by what, and what is kept of an application.

The event is the whole decision: what was read, what the model said, what limits were, why, and what is
offered. Reals stand in it as the shortest texts that give the same bits again; the journal keeps no reals.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import numpy as np

from formicary.factory.engine.products import AGGREGATE_HEADER, Command, DomainEvent
from formicary.factory.journal.rows import REASONS
from formicary.products.lending.applications.book import BookTold
from formicary.products.lending.applications.settings import CreditorWords, Text
from formicary.products.lending.limits import LENDING_AMOUNT_MAX
from formicary.products.lending.servicing.fields import (
    Amount,
    CurrencyNumber,
    HexId,
    LoanTerms,
    Number,
    Time,
)
from formicary.products.lending.underwriting.preapproval import NEVER_WARNED

__all__ = [
    "APPLICATION",
    "NAME",
    "ApplyForCredit",
    "ChangeTold",
    "CreditDecided",
    "Offered",
    "PartyTold",
    "ReasonTold",
    "Scored",
    "real_of",
    "text_of",
]

NAME: Final = "credit_application"
"""The product's name."""

Wanted = Annotated[int, msgspec.Meta(ge=1, le=LENDING_AMOUNT_MAX)]
RealText = Annotated[str, msgspec.Meta(pattern=r"^-?([0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?|inf)\Z", max_length=32)]
FeatureName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*\Z", max_length=64)]
Position = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Told = Annotated[int, msgspec.Meta(ge=-1, le=1_000_000)]
Signed = Annotated[int, msgspec.Meta(ge=-1, le=LENDING_AMOUNT_MAX)]
Days = Annotated[int, msgspec.Meta(ge=0, le=10**6)]
Sum = Annotated[int, msgspec.Meta(ge=0, le=LENDING_AMOUNT_MAX)]
Small = Annotated[int, msgspec.Meta(ge=0, le=2**16 - 1)]
Version = Annotated[int, msgspec.Meta(ge=1, le=2**31)]


class ApplyForCredit(Command, frozen=True, kw_only=True):
    """Ask for credit of ``wanted`` minor units; ``subject`` is the application's id.

    ``wallet`` is where the party means to have it, if it says so.
    """

    party: HexId
    currency: CurrencyNumber
    wanted: Wanted
    wallet: HexId | None = None


class PartyTold(msgspec.Struct, frozen=True, kw_only=True):
    """What the decision took the party for: whole numbers, as ``Parties`` has them."""

    default: Told
    loss: Told
    sales_30d: Sum
    sales_90d: Sum
    debt_service: Sum
    history_days: Days
    arrears_days: Days
    frauds: Days
    is_stopped: bool
    segment: Number
    warned_days: Annotated[int, msgspec.Meta(ge=-1, le=10**6)] = NEVER_WARNED


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """What the champion said, by its hash."""

    model: HexId
    raw: RealText
    chance: RealText


class ReasonTold(msgspec.Struct, frozen=True, kw_only=True):
    """A principal reason: its number, the model's column or empty, and the sentence that is told."""

    number: Small
    column: FeatureName | None
    said: Text


class ChangeTold(msgspec.Struct, frozen=True, kw_only=True):
    """What a feature would have had to be, and its words and unit in a sentence."""

    feature: FeatureName
    after: RealText
    words: Text
    unit: Annotated[str, msgspec.Meta(pattern=r"^[a-z]+\Z", max_length=8)]


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered: the terms with their rate, until when, and what it costs a year, in millionths."""

    offer: HexId
    terms: LoanTerms
    expires: Time
    effective_rate: Amount
    instalment: Amount


class CreditDecided(DomainEvent, frozen=True, kw_only=True):
    """An application was decided about.

    Attributes
    ----------
    party, currency, wanted, wallet
        Who asked for what.
    policy
        The version of the house's settings.
    position, values
        The features that were read, at which position of the journal; None where one was missing.
    scored
        What the champion said, None where none could.
    told, book
        What the decision was made from.
    standing_rate
        The rate of the party's standing offer in millionths a day, which was honoured; -1 where none stood.
    limit, rate, expected_loss
        What is lent, at how many millionths a day (-1 of nothing), and what of it is expected to be lost.
    failed, binding, is_cut
        As ``DECISION`` has them.
    reasons
        At most four, the most important first; none of what is granted whole.
    changes
        What would have been enough, judged; empty where nothing was found, or nothing was refused.
    offered
        What came of it, None of nothing.
    creditor
        Who lends, where somebody has to be told why.
    """

    party: HexId
    currency: CurrencyNumber
    wanted: Wanted
    wallet: HexId | None
    policy: Version
    position: Position
    values: dict[FeatureName, RealText | None]
    scored: Scored | None
    told: PartyTold
    book: BookTold
    standing_rate: Signed
    limit: Sum
    rate: Signed
    expected_loss: Sum
    failed: Small
    binding: Annotated[int, msgspec.Meta(ge=0, le=255)]
    is_cut: bool
    reasons: Annotated[list[ReasonTold], msgspec.Meta(max_length=REASONS)]
    changes: Annotated[list[ChangeTold], msgspec.Meta(max_length=2)]
    offered: Offered | None
    creditor: CreditorWords | None


APPLICATION: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("currency", "<u4"),
        ("party_high", "<u8"),
        ("party_low", "<u8"),
        ("model_high", "<u8"),
        ("model_low", "<u8"),
        ("offer_high", "<u8"),
        ("offer_low", "<u8"),
        ("wanted", "<i8"),
        ("limit", "<i8"),
        ("rate", "<i8"),
        ("expected_loss", "<i8"),
        ("effective_rate", "<i8"),
        ("instalment", "<i8"),
        ("expires", "<i8"),
        ("position", "<i8"),
        ("default", "<i4"),
        ("loss", "<i4"),
        ("policy", "<u4"),
        ("failed", "<u2"),
        ("binding", "u1"),
        ("is_cut", "u1"),
    ]
)
"""One application, 21 words: what is looked up of a decision; all of it stands in its event."""


def text_of(real: float) -> str:
    """Return the shortest text that gives a real number's bits again."""
    return repr(float(real))


def real_of(text: str | None) -> float:
    """Return the real number of a text, NaN of None."""
    return float("nan") if text is None else float(text)
