"""Shared devices, against sets that are merged one by one."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from formicary.factory.features.slow.shared import known_uses, shared_devices
from tests.factory.features.slow.kit import DEVICES, assert_column

_uses = st.lists(st.tuples(st.integers(0, 6), st.integers(100, 105), st.integers(0, 20)), max_size=12)


def _component(party: int, pairs: set[tuple[int, int]]) -> set[int]:
    parties, before = {party}, set[int]()
    while parties != before:
        before = parties
        devices = {device for user, device in pairs if user in parties}
        parties = parties | {user for user, device in pairs if device in devices}
    return parties


@given(_uses)
def test_devices_join_parties(rows: list[tuple[int, int, int]]) -> None:
    """Counts and components are those of sets, of what was used before the end."""
    until = 10
    uses = known_uses(pl.DataFrame(rows, DEVICES, orient="row"), until)
    pairs = {(party, device) for party, device, at in rows if at < until}
    columns = shared_devices(uses, np.arange(7))
    mine = [{device for user, device in pairs if user == party} for party in range(7)]
    assert_column(columns, "devices", [len(devices) for devices in mine])
    users = {device: len({user for user, used in pairs if used == device}) for _, device in pairs}
    assert_column(
        columns,
        "device_parties_max",
        [max((users[device] for device in devices), default=0) for devices in mine],
    )
    sizes = [len(_component(party, pairs)) for party in range(7)]
    assert_column(columns, "device_component_parties", sizes)
