"""Money: an integer of minor units and its currency. No float, no rounding that is not named.

An amount here has no bounds, so sums cannot overflow; the ledger takes signed 64-bit amounts
and checks that itself. Divisions are in ``formicary.base.rounding``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from formicary.base.currencies import Currency
from formicary.base.errors import ProgrammingError, Refusal
from formicary.base.limits import AMOUNT_CHARACTERS_MAX

__all__ = ["CurrencyMismatch", "MalformedAmount", "Money", "TooManyDecimals"]

_DECIMAL: Final = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]+)(\.(?P<decimals>[0-9]+))?", re.ASCII)


class CurrencyMismatch(Refusal):
    """Amounts of different currencies cannot be added, subtracted or compared."""

    code = "currency_mismatch"


class MalformedAmount(Refusal):
    """An amount is written as digits with an optional minus sign and an optional decimal point."""

    code = "malformed_amount"


class TooManyDecimals(Refusal):
    """The amount has more decimals than the currency's minor unit."""

    code = "too_many_decimals"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency.

    Attributes
    ----------
    amount
        Minor units (pence, cents, yen), positive, zero or negative.
    currency
        What they are minor units of.

    Examples
    --------
    >>> from formicary.base.currencies import currency
    >>> str(Money.parse("12.3", currency("GBP")) + Money(45, currency("GBP")))
    'GBP 12.75'
    """

    amount: int
    currency: Currency

    def __post_init__(self) -> None:
        """Refuse minor units that are no Python integer with a ``ProgrammingError``."""
        # A float, a bool or a numpy integer here is a bug that would surface as lost cents.
        if type(self.amount) is not int:
            message = f"minor units are an int, not {type(self.amount).__name__}"
            raise ProgrammingError(message)

    @classmethod
    def parse(cls, text: str, currency: Currency) -> Money:
        """Read a decimal amount exactly: ``"-12.3"`` pounds are -1,230 pence.

        Raises
        ------
        MalformedAmount
            The text is not a plain decimal number, or longer than ``AMOUNT_CHARACTERS_MAX``.
        TooManyDecimals
            It has more decimals than the currency, zeros included: they show a misunderstanding.
        """
        match = _DECIMAL.fullmatch(text) if len(text) <= AMOUNT_CHARACTERS_MAX else None
        if match is None:
            raise MalformedAmount
        decimals = match["decimals"] or ""
        if len(decimals) > currency.exponent:
            message = f"{currency} has {currency.exponent} decimals, not {len(decimals)}"
            raise TooManyDecimals(message)
        size = int(match["whole"] + decimals.ljust(currency.exponent, "0"))
        return cls(-size if match["sign"] else size, currency)

    def format(self, *, grouped: bool = False) -> str:
        """Write the amount with all decimals of its currency, ``"-1234.50"``; grouped, ``"-1,234.50"``."""
        whole, decimals = divmod(abs(self.amount), self.currency.minor_units)
        sign = "-" if self.amount < 0 else ""
        digits = f"{whole:,}" if grouped else str(whole)
        if self.currency.exponent == 0:
            return f"{sign}{digits}"
        return f"{sign}{digits}.{decimals:0{self.currency.exponent}}"

    def __str__(self) -> str:
        """Return the currency's code and the amount: ``"GBP 12.50"``."""
        return f"{self.currency} {self.format()}"

    def __add__(self, other: Money) -> Money:
        """Add an amount of the same currency; refuse another with ``CurrencyMismatch``."""
        return Money(self.amount + self._amount_of(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        """Subtract an amount of the same currency; refuse another with ``CurrencyMismatch``."""
        return Money(self.amount - self._amount_of(other), self.currency)

    def __neg__(self) -> Money:
        """Return the amount with the other sign."""
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        """Compare amounts of the same currency; refuse another with ``CurrencyMismatch``."""
        return self.amount < self._amount_of(other)

    def __le__(self, other: Money) -> bool:
        """Compare amounts of the same currency; refuse another with ``CurrencyMismatch``."""
        return self.amount <= self._amount_of(other)

    def _amount_of(self, other: Money) -> int:
        if other.currency != self.currency:
            message = f"{other.currency} cannot be combined with {self.currency}"
            raise CurrencyMismatch(message)
        return other.amount
