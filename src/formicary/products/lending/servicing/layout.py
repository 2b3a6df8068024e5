"""One loan as a record: its terms, what is owed, and where its periods stand.

A revolving line and an instalment loan are the same record. Days are days since 1970-01-01, amounts minor
units, rates billionths a year, shares millionths.
"""

from __future__ import annotations

from enum import IntEnum
from itertools import permutations
from typing import Final

import numpy as np

from formicary.factory.engine.products import AGGREGATE_HEADER

__all__ = [
    "BELIEVED",
    "BUCKET_DAYS",
    "LOAN",
    "WATERFALLS",
    "Bucket",
    "LoanKind",
    "LoanState",
    "OfferState",
    "Origin",
    "Owed",
]


class LoanKind(IntEnum):
    """How it is drawn and paid back."""

    LINE = 1
    """Any amount within the limit, again and again; each period a share of what is drawn falls due."""

    INSTALMENT = 2
    """Once and whole; paid back in instalments."""


class Origin(IntEnum):
    """Who offered the credit."""

    HOUSE = 0
    """Somebody of the house, by hand."""

    PREAPPROVAL = 1
    """The run over all parties."""

    APPLICATION = 2
    """The decision about an application."""


class OfferState(IntEnum):
    """Where an offer is; what has expired is still open, and nobody can take it."""

    OPEN = 1
    ACCEPTED = 2
    WITHDRAWN = 3


class LoanState(IntEnum):
    """Where a loan is."""

    NONE = 0
    ACCEPTED = 1
    """The party took the offer; nothing was drawn yet."""

    ACTIVE = 2
    REPAID = 3
    CHARGED_OFF = 4
    """The house took the loss; the party still owes it."""


class Bucket(IntEnum):
    """How long something that fell due is unpaid, in days: 0, 1-29, 30-59, 60-89, 90 and more."""

    CURRENT = 0
    DAYS_1 = 1
    DAYS_30 = 2
    DAYS_60 = 3
    DAYS_90 = 4


BUCKET_DAYS: Final = (0, 1, 30, 60, 90)
"""From which day on a loan is in the bucket of that number."""


class Owed(IntEnum):
    """What a payment can pay, by the place in a waterfall."""

    FEES = 0
    INTEREST = 1
    PRINCIPAL = 2


WATERFALLS: Final = tuple(permutations(Owed))
"""The orders in which a payment may go to what is due; a loan's terms name one by its number.

The first one is the usual one: fees, interest, principal.
"""

BELIEVED: Final = [("default", "<u4"), ("loss", "<u4"), ("segment", "<u4"), ("origin", "<u4")]
"""What was believed of a party when credit was offered; zeros where nobody told, as of what was taken over.

The chance of default and the loss given default in millionths, the trade or place by number, and by the
number of ``Origin`` who offered it.
"""

LOAN: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("currency", "<u4"),
        ("party_high", "<u8"),
        ("party_low", "<u8"),
        ("wallet_high", "<u8"),
        ("wallet_low", "<u8"),
        # Terms. The limit of an instalment loan is what it lends; fees are of an instalment and of a draw.
        ("limit", "<i8"),
        ("rate", "<i8"),
        ("instalment", "<i8"),
        ("fee", "<i8"),
        ("draw_fee", "<i8"),
        ("share", "<u4"),
        ("left", "<u4"),
        ("every", "<u2"),
        # By the numbers of LoanKind, LoanState, Unit, DayCount and WATERFALLS; a level instalment has its
        # interest within it, another one besides.
        ("kind", "u1"),
        ("state", "u1"),
        ("unit", "u1"),
        ("day_count", "u1"),
        ("waterfall", "u1"),
        ("is_level", "u1"),
        ("due_day", "u1"),
        # What the party agreed to, and how the loan stands.
        ("is_collected", "u1"),
        ("bucket", "u1"),
        ("is_non_accrual", "u1"),
        ("refinanced", "<u4"),
        ("arrears_since", "<i4"),
        # The period, and the part of it since the principal last changed; interest is accrued until a day.
        ("start", "<i4"),
        ("until", "<i4"),
        ("period_start", "<i4"),
        ("next_due", "<i4"),
        ("segment_start", "<i4"),
        # What is lent, all of it; the interest of the segment when it is over, and so far.
        ("balance", "<i8"),
        ("segment_interest", "<i8"),
        ("segment_accrued", "<i8"),
        # Interest that is owed and not due yet; of all interest owed, what no account of the ledger holds.
        ("accrued", "<i8"),
        ("unbooked", "<i8"),
        # Due and not paid.
        ("fees_due", "<i8"),
        ("interest_due", "<i8"),
        ("principal_due", "<i8"),
        # Still owed after a charge-off, and what came of it.
        ("charged_fees", "<i8"),
        ("charged_interest", "<i8"),
        ("charged_principal", "<i8"),
        ("recovered", "<i8"),
        # Terms of instalment loans: what stays for the last instalment, how many first ones pay no principal.
        ("balloon", "<i8"),
        # Put aside for it at the last close of business, in which stage; see providing.py. Chances are those
        # when it was made and now, 0 where nobody said one.
        ("allowance", "<i8"),
        *BELIEVED,
        ("default_now", "<u4"),
        ("grace", "<u2"),
        ("stage", "u1"),
        ("is_impaired", "u1"),
        # The day on which its loss was last taken back, 0 where none was. Of a joint loan, what a partner
        # carries of it, in millionths.
        ("written_back", "<i4"),
        ("partner_share", "<u4"),
    ]
)
"""One loan, 37 words."""
