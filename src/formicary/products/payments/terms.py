"""The terms of the payments business: fees and durations, each with its source.

Durations are nanoseconds. Those with a source repeat what the best-known escrow of the field published;
those without are ours, where the sources are silent and something has to end by itself.
"""

from __future__ import annotations

from typing import Final

from formicary.base.rounding import div_half_even

__all__ = [
    "AUTO_CONFIRM",
    "CASH_OUT_SILENT",
    "COMPLAINT",
    "DAY",
    "EXTENSION",
    "FEE_POINTS_MAX",
    "HOUR",
    "INTERCEPTION",
    "MERCHANT_FEE_POINTS",
    "NOT_RECEIVED",
    "RETRY",
    "RETURN_DUE",
    "RETURN_SILENT",
    "REVISE",
    "TOP_UP_SILENT",
    "UNSHIPPED",
    "fee_of",
]

HOUR: Final = 3_600 * 10**9
DAY: Final = 24 * HOUR

AUTO_CONFIRM: Final = 10 * DAY
"""From shipment to the release of the money without the buyer's word: published by Alipay."""

EXTENSION: Final = 3 * DAY
"""What the buyer may add to it, once: ours."""

UNSHIPPED: Final = 24 * HOUR
"""For the seller to ship or refuse when a refund is asked for before shipment: reported of Alipay."""

NOT_RECEIVED: Final = 36 * HOUR
"""For the seller to answer when shipped goods did not come: reported of Alipay."""

COMPLAINT: Final = 5 * DAY
"""For the seller to answer when goods came and are not right: ours."""

REVISE: Final = 5 * DAY
"""For the buyer to revise or escalate after a refusal, else the trade goes on: reported of Alipay."""

INTERCEPTION: Final = 3 * DAY
"""For the courier to bring goods back that were on their way: reported of Alipay."""

RETURN_DUE: Final = 7 * DAY
"""For the buyer to send goods back after the seller agreed, else the trade goes on: ours."""

RETURN_SILENT: Final = 10 * DAY
"""For the seller to confirm goods sent back, as long as a buyer has for a shipment: ours."""

RETRY: Final = 1 * DAY
"""Until a payment out of escrow is tried again whose receiver's account is closed: ours."""

TOP_UP_SILENT: Final = 3 * DAY
"""Until a top-up without the bank's word counts as silent and shows up in the ageing report: ours."""

CASH_OUT_SILENT: Final = 3 * DAY
"""The same for a cash-out: ours."""

FEE_POINTS_MAX: Final = 10_000
"""A fee in basis points, hundredths of a percent, is at most the whole amount."""

MERCHANT_FEE_POINTS: Final = 60
"""What a merchant pays of each payment unless agreed otherwise: 0.60%, ours."""


def fee_of(amount: int, fee_points: int) -> int:
    """Return the fee on an amount, in minor units, rounded half to even."""
    return div_half_even(amount * fee_points, FEE_POINTS_MAX)
