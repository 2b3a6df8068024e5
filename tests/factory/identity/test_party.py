"""Parties: registered once, closed, erased, and never back."""

from __future__ import annotations

import pytest

from formicary.factory.identity.party import CloseParty, EraseParty, PartyKind, PartyStatus, RegisterParty
from tests.factory.identity.kit import START, House


@pytest.mark.parametrize("kind", PartyKind)
def test_a_party_is_registered_once(house: House, kind: PartyKind) -> None:
    """The second attempt is refused whatever kind it names; a look shows what is known."""
    house.party(7, kind)
    assert house.refused("party", RegisterParty(subject=7, kind=PartyKind.PERSON)) == "party_exists"
    known = house.has("party", 7)
    assert known.pop("timestamp") >= START
    assert known == {
        "id": f"{7:032x}",
        "events": 1,
        "kind": kind,
        "status": PartyStatus.ACTIVE,
        "daily_count_max": 0,
        "daily_amount_max": 0,
    }
    house.require_refolds()


def test_closing_is_for_good(house: House) -> None:
    """A closed party can only be erased; nobody closes one that is not there."""
    assert house.refused("party", CloseParty(subject=7)) == "party_not_found"
    house.party(7)
    house.done("party", CloseParty(subject=7))
    assert house.has("party", 7)["status"] == PartyStatus.CLOSED
    assert house.refused("party", CloseParty(subject=7)) == "party_not_active"
    house.done("party", EraseParty(subject=7))
    house.require_refolds()


def test_erasing_is_for_good(house: House) -> None:
    """An erased party cannot be closed, erased again, or taken up under the same id."""
    assert house.refused("party", EraseParty(subject=7)) == "party_not_found"
    house.party(7)
    house.done("party", EraseParty(subject=7))
    assert house.has("party", 7)["status"] == PartyStatus.ERASED
    assert house.refused("party", EraseParty(subject=7)) == "party_not_active"
    assert house.refused("party", CloseParty(subject=7)) == "party_not_active"
    assert house.refused("party", RegisterParty(subject=7, kind=PartyKind.PERSON)) == "party_exists"
