"""By what rules a business date is closed: what is put aside for loans, and when a loss is taken.

Each currency has rules of its own where the house says some; the others have the defaults. What a part of a
close went by stands in its events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec

from formicary.factory.engine.products import Context
from formicary.products.lending.limits import CURRENCIES_MAX, LENDING_YEARS_MAX
from formicary.products.lending.servicing.fields import CurrencyNumber, Millionths
from formicary.products.lending.underwriting.provisions import ProvisionPolicy

__all__ = ["CloseRules", "CurrencyRules", "OwnRules", "RulesOf", "defaults", "rules_for"]

_DAYS_MAX: Final = LENDING_YEARS_MAX * 365

ChargeOffDays = Annotated[int, msgspec.Meta(ge=0, le=3_650)]


class CloseRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a close in one currency; those of a date stand in its events, so that they may change.

    Attributes
    ----------
    increased_days, impaired_days, ratio_percent, rise_min_millionths, drawn_millionths
        As in ``ProvisionPolicy``.
    default, loss
        The chance of default within 12 months and the loss then, in millionths, of a loan of which nobody
        said them: what the portfolio is taken to have.
    line_days
        Days that a line is taken to last, as it has no end of its own (IFRS 9, 5.5.20).
    charge_off_days, line_charge_off_days
        From how many days past due on the loss of an instalment loan, and of a line, is taken; 0 for never.
        The defaults are those of the Uniform Retail Credit Classification and Account Management Policy of
        the FFIEC (65 FR 36903, June 12, 2000): closed-end loans at 120 days, open-end ones at 180.
    """

    increased_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 30
    impaired_days: Annotated[int, msgspec.Meta(ge=61, le=400)] = 90
    ratio_percent: Annotated[int, msgspec.Meta(ge=101, le=10_000)] = 200
    rise_min_millionths: Millionths = 0
    drawn_millionths: Millionths = 500_000
    default: Millionths = 20_000
    loss: Millionths = 450_000
    line_days: Annotated[int, msgspec.Meta(ge=0, le=_DAYS_MAX)] = 365
    charge_off_days: ChargeOffDays = 120
    line_charge_off_days: ChargeOffDays = 180

    @property
    def policy(self) -> ProvisionPolicy:
        """The policy of the stages; numbers in their bounds never contradict each other."""
        return ProvisionPolicy(
            increased_days=self.increased_days,
            impaired_days=self.impaired_days,
            ratio_percent=self.ratio_percent,
            rise_min_millionths=self.rise_min_millionths,
            drawn_millionths=self.drawn_millionths,
        )


class CurrencyRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules that a house set for a currency, by its ISO 4217 number."""

    currency: CurrencyNumber
    rules: CloseRules


OwnRules = Annotated[tuple[CurrencyRules, ...], msgspec.Meta(max_length=CURRENCIES_MAX)]

RulesOf = Callable[[Context, int], CloseRules | None]
"""Returns the rules that are in force for a currency now, None where the house set none."""


def defaults(_: Context, __: int) -> CloseRules | None:
    """Return that the house set no rules."""
    return None


def rules_for(currency: int, own: Sequence[CurrencyRules], others: CloseRules) -> CloseRules:
    """Return the rules of a currency: its own, or those of all others."""
    return next((one.rules for one in own if one.currency == currency), others)
