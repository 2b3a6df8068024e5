"""Devices: what a party acts from. Serial numbers and the like are personal data and stay in the vault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Final

import numpy as np

from formicary.base.errors import Refusal
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.identity._fields import HexId, Rows, put_ids, require_well_formed
from formicary.factory.identity.party import PARTY_PRODUCT, require_active_party

__all__ = [
    "DEVICE",
    "DEVICE_PRODUCT",
    "DeviceExists",
    "DeviceKind",
    "DeviceNotActive",
    "DeviceRegistered",
    "DeviceRevoked",
    "DeviceStatus",
    "RegisterDevice",
    "RevokeDevice",
]

DEVICE: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("kind", "<u4"),
        ("status", "<u4"),
        ("party_high", "<u8"),
        ("party_low", "<u8"),
    ]
)
"""A device and whose it is."""


class DeviceKind(IntEnum):
    """What a device is."""

    PHONE = 1
    COMPUTER = 2
    TERMINAL = 3
    OTHER = 4


class DeviceStatus(IntEnum):
    """Whether anything may be done from a device."""

    ACTIVE = 1
    REVOKED = 2


class DeviceExists(Refusal):
    """There is a device with this id."""

    code = "device_exists"


class DeviceNotActive(Refusal):
    """There is no such device, or it was revoked."""

    code = "device_not_active"


class RegisterDevice(Command, frozen=True):
    """Take up a device of a party."""

    party: HexId
    kind: DeviceKind


class RevokeDevice(Command, frozen=True):
    """Let nothing more be done from a device: lost, stolen or given away."""


class DeviceRegistered(DomainEvent, frozen=True):
    """A party has a new device."""

    party: HexId
    kind: DeviceKind


class DeviceRevoked(DomainEvent, frozen=True):
    """Nothing more may be done from a device."""


def decide(command: Command | TimerFired, device: Rows | None, context: Context) -> Decision:
    """Decide a command about a device."""
    require_well_formed(command)
    if isinstance(command, RegisterDevice):
        if device is not None:
            raise DeviceExists
        require_active_party(context, int(command.party, 16))
        return Decision(events=[DeviceRegistered(party=command.party, kind=command.kind)])
    if device is None or device["status"] != DeviceStatus.ACTIVE:
        raise DeviceNotActive
    return Decision(events=[DeviceRevoked()])


def evolve(kind: str, devices: Rows, events: Sequence[Any]) -> None:
    """Change devices (n,) as events (n,) of one kind say."""
    _EVOLVE[kind](devices, events)


def _registered(devices: Rows, events: Sequence[DeviceRegistered]) -> None:
    devices["kind"] = [event.kind for event in events]
    devices["status"] = DeviceStatus.ACTIVE
    put_ids(devices, "party", [event.party for event in events])


def _revoked(devices: Rows, _: Sequence[DeviceRevoked]) -> None:
    devices["status"] = DeviceStatus.REVOKED


_EVOLVE: Final[dict[str, Callable[[Rows, Sequence[Any]], None]]] = {
    "DeviceRegistered": _registered,
    "DeviceRevoked": _revoked,
}

DEVICE_PRODUCT: Final = Product(
    name="device",
    aggregate=DEVICE,
    commands=(RegisterDevice, RevokeDevice),
    events=(DeviceRegistered, DeviceRevoked),
    decide=decide,
    evolve=evolve,
    neighbours=(PARTY_PRODUCT,),
)
