"""Purposes: their names, their numbers, and which of them take consent."""

from __future__ import annotations

import hashlib

import pytest

from formicary.base.purposes import (
    NEEDS_CONSENT,
    PURPOSES_MAX,
    Purpose,
    UnknownPurpose,
    purpose_name,
    purpose_named,
    wording_of,
)


def test_a_number_never_changes_its_meaning() -> None:
    """The journal holds the numbers: one may be added, none moved."""
    assert {purpose.name: purpose.value for purpose in Purpose} == {
        "FRAUD": 0,
        "CREDIT": 1,
        "INSURANCE": 2,
        "MARKETING": 3,
        "WEALTH": 4,
        "SCORE_SHARING": 5,
        "RESEARCH": 6,
    }
    assert max(Purpose) < PURPOSES_MAX


@pytest.mark.parametrize("purpose", Purpose)
def test_a_name_leads_back(purpose: Purpose) -> None:
    """Each has one name, in lower case."""
    assert purpose_named(purpose_name(purpose)) is purpose
    assert purpose_name(purpose) == purpose_name(purpose).lower()


@pytest.mark.parametrize("name", ["", "CREDIT", "credit ", "1", "everything"])
def test_another_name_is_none(name: str) -> None:
    """No other spelling is taken for a purpose, and there is none for everything."""
    with pytest.raises(UnknownPurpose) as refused:
        purpose_named(name)
    assert refused.value.code == "unknown_purpose"


def test_only_fraud_is_looked_for_without_asking() -> None:
    """A purpose that is added takes consent unless somebody says otherwise here."""
    assert set(Purpose) - NEEDS_CONSENT == {Purpose.FRAUD}


def test_a_wording_is_half_of_a_known_hash() -> None:
    """Whoever has the text and a common tool finds the same digits; one character more changes them."""
    assert wording_of("I agree.") == hashlib.sha256(b"I agree.").hexdigest()[:32]
    assert wording_of("I agree.") != wording_of("I agree!")
