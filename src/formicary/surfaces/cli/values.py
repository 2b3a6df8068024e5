"""Values as people write and read them: ids, times, amounts, ledgers."""

from __future__ import annotations

from typing import Final

from formicary.base.currencies import UnknownCurrency, currency, currency_of_ledger
from formicary.base.errors import Refusal
from formicary.base.ids import MalformedId, parse_id
from formicary.base.money import MalformedAmount, Money
from formicary.base.times import MalformedTime, parse_time, time_text
from formicary.factory.ledger import AMOUNT_MAX, ID_MAX

__all__ = [
    "AmountOutOfRange",
    "MalformedTime",
    "amount_text",
    "ledger_name",
    "ledger_number",
    "parse_amount",
    "parse_identifier",
    "parse_time",
    "time_text",
]

_DIGITS_MAX: Final = len(str(ID_MAX))
_LEDGER_MAX: Final = 2**32 - 1


class AmountOutOfRange(Refusal):
    """The ledger takes amounts of up to 2**63 - 1 minor units, and none below zero."""

    code = "amount_out_of_range"


def parse_identifier(text: str) -> int:
    """Read a 128-bit id: canonical UUID text, or a decimal number for those who count from 1."""
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX:
        number = int(text)
        if number <= ID_MAX:
            return number
        raise MalformedId
    return parse_id(text)


def ledger_number(text: str) -> int:
    """Read a ledger: the code of a currency, or a number from 1 for any book."""
    if text.isascii() and text.isdigit():
        number = int(text[: len(str(_LEDGER_MAX))])
        if not text[len(str(_LEDGER_MAX)) :] and 0 < number <= _LEDGER_MAX:
            return number
        message = f"{text[:12]} is not the number of a ledger"
        raise UnknownCurrency(message)
    return currency(text.upper()).number


def ledger_name(number: int) -> str:
    """Write a ledger: its currency's code, or its number where it is no currency."""
    try:
        return currency_of_ledger(number).code
    except UnknownCurrency:
        return str(number)


def parse_amount(text: str, ledger: int) -> int:
    """Read an amount of a ledger's currency as minor units; of another book, as whole units.

    Raises
    ------
    MalformedAmount, TooManyDecimals
        It is no decimal number, or has more decimals than the currency.
    AmountOutOfRange
        It is negative, or too large for the ledger.
    """
    try:
        amount = Money.parse(text, currency_of_ledger(ledger)).amount
    except UnknownCurrency:
        amount = _parse_units(text)
    if not 0 <= amount <= AMOUNT_MAX:
        raise AmountOutOfRange
    return amount


def amount_text(amount: int, ledger: int) -> str:
    """Write minor units of a ledger's currency with its decimals, grouped; of another book, as they are."""
    try:
        return Money(amount, currency_of_ledger(ledger)).format(grouped=True)
    except UnknownCurrency:
        return f"{amount:,}"


def _parse_units(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise MalformedAmount
    return int(text)
