"""Currencies: the table's integrity and the look-ups."""

from __future__ import annotations

import pytest

from formicary.base.currencies import CURRENCIES, Currency, UnknownCurrency, currency, currency_of_ledger


def test_table_is_sound() -> None:
    """Codes are three capitals in order, numbers are unique and of three digits, no name is empty."""
    codes = [known.code for known in CURRENCIES]
    assert codes == sorted(set(codes))
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in codes)
    assert len({known.number for known in CURRENCIES}) == len(CURRENCIES)
    assert all(1 <= known.number <= 999 and known.name for known in CURRENCIES)


def test_exponents() -> None:
    """Every currency without two decimals is one the standard lists as such."""
    by_exponent = {
        exponent: " ".join(known.code for known in CURRENCIES if known.exponent == exponent)
        for exponent in {known.exponent for known in CURRENCIES} - {2}
    }
    assert by_exponent == {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }


@pytest.mark.parametrize(
    ("code", "number", "minor_units"),
    [("GBP", 826, 100), ("EUR", 978, 100), ("JPY", 392, 1), ("KWD", 414, 1_000), ("CLF", 990, 10_000)],
)
def test_look_ups(code: str, number: int, minor_units: int) -> None:
    """A currency is found by its code and by the number of its ledger."""
    found = currency(code)
    assert found is currency_of_ledger(number)
    assert (str(found), found.number, found.minor_units) == (code, number, minor_units)


@pytest.mark.parametrize("code", ["", "gbp", "XAU", "XXX", "HRK", "BGN", "GBPGBP" * 1_000])
def test_unknown_code_is_refused(code: str) -> None:
    """Other spellings, metals and withdrawn codes are refused, and a long code is not echoed."""
    with pytest.raises(UnknownCurrency, match="not the code of an active currency") as caught:
        currency(code)
    assert caught.value.code == "unknown_currency"
    assert len(str(caught.value)) < 60


@pytest.mark.parametrize("number", [0, -826, 959, 1_000])
def test_unknown_number_is_refused(number: int) -> None:
    """A ledger that is no currency has none."""
    with pytest.raises(UnknownCurrency, match=f"{number} is not the number"):
        currency_of_ledger(number)


def test_currency_is_a_value() -> None:
    """Equal currencies are equal and can be keys."""
    twin = Currency(code="GBP", number=826, exponent=2, name="Pound Sterling")
    assert {twin: 1}[currency("GBP")] == 1
