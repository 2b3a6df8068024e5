"""Currencies by ISO 4217: what an amount of minor units is an amount of.

The numeric code is also the number of the currency's ledger: pounds are ``currency("GBP")``
and ``currency_of_ledger(826)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from formicary.base._iso_4217 import LIST_ONE
from formicary.base.errors import Refusal

__all__ = ["CURRENCIES", "Currency", "UnknownCurrency", "currency", "currency_of_ledger"]


class UnknownCurrency(Refusal):
    """The currency is not an active one of ISO 4217 with a minor unit."""

    code = "unknown_currency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """One currency.

    Attributes
    ----------
    code
        Alphabetic code, three upper-case letters: ``"GBP"``.
    number
        Numeric code, 1 to 999, and the number of its ledger: 826.
    exponent
        Decimals of the minor unit, 0 to 4: 2, since a penny is 0.01.
    name
        English name: ``"Pound Sterling"``.
    """

    code: str
    number: int
    exponent: int
    name: str

    @property
    def minor_units(self) -> int:
        """Minor units in one unit of the currency: 100 for pounds."""
        return int(10**self.exponent)

    def __str__(self) -> str:
        """Return the alphabetic code."""
        return self.code


CURRENCIES: Final = tuple(
    Currency(code=code, number=number, exponent=exponent, name=name)
    for code, number, exponent, name in LIST_ONE
)
"""Every currency an amount can have, in alphabetic order of the codes."""

_BY_CODE: Final = {known.code: known for known in CURRENCIES}
_BY_NUMBER: Final = {known.number: known for known in CURRENCIES}


def currency(code: str) -> Currency:
    """Return the currency of an alphabetic code, upper case, or refuse with ``UnknownCurrency``."""
    found = _BY_CODE.get(code)
    if found is None:
        # What was sent may be long or hostile: three characters are enough to recognise it.
        message = f"{code[:3]!r} is not the code of an active currency"
        raise UnknownCurrency(message)
    return found


def currency_of_ledger(number: int) -> Currency:
    """Return the currency of a ledger (its numeric code), or refuse with ``UnknownCurrency``."""
    found = _BY_NUMBER.get(number)
    if found is None:
        message = f"{number} is not the number of an active currency"
        raise UnknownCurrency(message)
    return found
