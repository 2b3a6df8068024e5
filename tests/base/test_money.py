"""Money: exact text, one currency at a time."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.currencies import CURRENCIES, currency
from formicary.base.errors import ProgrammingError
from formicary.base.limits import AMOUNT_CHARACTERS_MAX
from formicary.base.money import CurrencyMismatch, MalformedAmount, Money, TooManyDecimals

GBP, JPY, KWD = currency("GBP"), currency("JPY"), currency("KWD")
AMOUNTS = st.integers(-(2**63), 2**63 - 1)


@given(AMOUNTS, st.sampled_from(CURRENCIES))
def test_text_round_trip(amount: int, of_currency: Any) -> None:
    """Every amount of every currency survives its text, which is the exact decimal."""
    money = Money(amount, of_currency)
    text = money.format()
    assert Money.parse(text, of_currency) == money
    assert Decimal(text).scaleb(of_currency.exponent) == amount
    assert money.format(grouped=True).replace(",", "") == text


@pytest.mark.parametrize(
    ("text", "amount", "written"),
    [
        ("12", 1_200, "12.00"),
        ("12.3", 1_230, "12.30"),
        ("-0.05", -5, "-0.05"),
        ("-0", 0, "0.00"),
        ("007.00", 700, "7.00"),
    ],
)
def test_parse_fills_up_decimals(text: str, amount: int, written: str) -> None:
    """Missing decimals are zeros; writing shows all of them."""
    assert Money.parse(text, GBP) == Money(amount, GBP)
    assert Money.parse(text, GBP).format() == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        ".5",
        "5.",
        "+1",
        "1,000",
        "1e3",
        " 1",
        "1\n",
        "--1",
        "1.2.3",
        "nan",
        "inf",
        "0x1",
        "1_0",
        "\u0661",
    ],
)
def test_malformed_amount_is_refused(text: str) -> None:
    """Only digits, one minus sign and one point are an amount."""
    with pytest.raises(MalformedAmount) as caught:
        Money.parse(text, GBP)
    assert caught.value.code == "malformed_amount"


def test_overlong_amount_is_refused() -> None:
    """A text at the limit is read, a longer one is not."""
    assert Money.parse("9" * AMOUNT_CHARACTERS_MAX, JPY).amount == 10**AMOUNT_CHARACTERS_MAX - 1
    with pytest.raises(MalformedAmount):
        Money.parse("9" * (AMOUNT_CHARACTERS_MAX + 1), JPY)


@pytest.mark.parametrize(
    ("text", "of_currency"),
    [("1.005", GBP), ("1.000", GBP), ("1.0", JPY), ("1.0005", KWD)],
)
def test_too_many_decimals_are_refused(text: str, of_currency: Any) -> None:
    """Decimals that the currency does not have are refused, zeros too, never rounded."""
    with pytest.raises(TooManyDecimals, match=f"{of_currency} has {of_currency.exponent} decimals") as caught:
        Money.parse(text, of_currency)
    assert caught.value.code == "too_many_decimals"


def test_text_of_an_amount() -> None:
    """Text shows the code, all decimals and, when grouped, thousands."""
    assert str(Money(-5, GBP)) == "GBP -0.05"
    assert str(Money(1_234, JPY)) == "JPY 1234"
    assert str(Money(1_234, KWD)) == "KWD 1.234"
    assert Money(-974_774_793, GBP).format(grouped=True) == "-9,747,747.93"


@given(AMOUNTS, AMOUNTS)
def test_arithmetic_is_that_of_integers(one: int, other: int) -> None:
    """Sums, differences, signs and order are those of the minor units."""
    left, right = Money(one, GBP), Money(other, GBP)
    assert left + right == Money(one + other, GBP)
    assert left - right == Money(one - other, GBP)
    assert -left == Money(-one, GBP)
    assert (left < right, left <= right) == (one < other, one <= other)
    assert (left > right, left >= right) == (one > other, one >= other)


@pytest.mark.parametrize("combine", [operator.add, operator.sub, operator.lt, operator.le])
def test_different_currencies_do_not_mix(combine: Callable[[Money, Money], object]) -> None:
    """Adding, subtracting or comparing pounds and yen is refused."""
    with pytest.raises(CurrencyMismatch, match="JPY cannot be combined with GBP") as caught:
        combine(Money(1, GBP), Money(1, JPY))
    assert caught.value.code == "currency_mismatch"


def test_same_number_of_another_currency_is_not_equal() -> None:
    """One penny is not one yen."""
    assert Money(1, GBP) != Money(1, JPY)


@pytest.mark.parametrize("amount", [1.0, True, "1", Decimal(1), None])
def test_minor_units_are_integers(amount: Any) -> None:
    """Anything but a Python integer is a bug."""
    with pytest.raises(ProgrammingError, match="minor units are an int"):
        Money(amount, GBP)


def test_money_is_immutable() -> None:
    """An amount cannot be changed in place."""
    with pytest.raises(AttributeError):
        Money(1, GBP).amount = 2  # type: ignore[misc]
