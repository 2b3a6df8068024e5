"""Devices: registered to a party, revoked for good."""

from __future__ import annotations

from formicary.factory.identity.device import DeviceKind, DeviceStatus, RegisterDevice, RevokeDevice
from formicary.factory.identity.party import CloseParty
from tests.factory.identity.kit import House, hexed

PARTY, DEVICE = 2**126 + 3, 2**125 + 1
REGISTER = RegisterDevice(subject=DEVICE, party=hexed(PARTY), kind=DeviceKind.PHONE)


def test_a_device_belongs_to_an_active_party(house: House) -> None:
    """Nobody else's device is taken up, and an id is used once."""
    assert house.refused("device", REGISTER) == "party_not_found"
    house.party(PARTY)
    house.done("device", REGISTER)
    assert house.refused("device", REGISTER) == "device_exists"
    known = house.has("device", DEVICE)
    assert (known["party"], known["kind"], known["status"]) == (hexed(PARTY), DeviceKind.PHONE, 1)
    house.done("party", CloseParty(subject=PARTY))
    another = RegisterDevice(subject=5, party=hexed(PARTY), kind=DeviceKind.OTHER)
    assert house.refused("device", another) == "party_not_active"


def test_a_revoked_device_stays_revoked(house: House) -> None:
    """A device that was lost does not come back under its id."""
    assert house.refused("device", RevokeDevice(subject=DEVICE)) == "device_not_active"
    house.party(PARTY)
    house.done("device", REGISTER)
    house.done("device", RevokeDevice(subject=DEVICE))
    assert house.has("device", DEVICE)["status"] == DeviceStatus.REVOKED
    assert house.refused("device", RevokeDevice(subject=DEVICE)) == "device_not_active"
    assert house.refused("device", REGISTER) == "device_exists"
    house.require_refolds()
