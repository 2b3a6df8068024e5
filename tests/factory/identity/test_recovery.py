"""What identity holds comes back from a snapshot and from the journal, to the last bit."""

from __future__ import annotations

from pathlib import Path

from formicary.factory.engine.state import FactoryState
from formicary.factory.identity import IDENTITY
from formicary.factory.identity.approval_messages import Approve, EntryLine, ProposeEntry, ProposeLimits
from formicary.factory.identity.device import DeviceKind, RegisterDevice
from formicary.factory.journal.snapshot_file import SnapshotHeader, read_snapshot
from formicary.factory.journal.snapshots import Snapshots
from formicary.factory.ledger import SEMANTICS
from tests.factory.identity.kit import House, hexed

HOUSE, ADA, BOB = 2**126 + 1, 2**125 + 1, 2**125 + 2


def filled(house: House) -> None:
    """Let there be one of everything: a party with limits, keys, a device, an open entry of two lines."""
    house.party(HOUSE)
    house.party(7)
    house.key(ADA, HOUSE)
    house.party(8)
    house.key(BOB, 8)
    house.done("device", RegisterDevice(subject=9, party=hexed(7), kind=DeviceKind.PHONE))
    limits = ProposeLimits(subject=11, by=hexed(ADA), party=hexed(7), daily_amount_max=5, daily_count_max=6)
    house.done("approval", limits)
    house.done("approval", Approve(subject=11, by=hexed(BOB)))
    line = EntryLine(debit=hexed(2**127 + 1), credit=hexed(2), amount=2**61, ledger=826, code=65_535)
    house.done("approval", ProposeEntry(subject=10, by=hexed(ADA), lines=(line, line)))


def test_a_snapshot_holds_all_of_it(house: House, tmp_path: Path) -> None:
    """Also arrays within an aggregate, and the proposal's timer."""
    filled(house)
    state = house.engine.state
    header = SnapshotHeader(
        position=state.position,
        timestamp=state.machine.timestamp,
        semantics=SEMANTICS,
        state_hash=state.state_hash,
    )
    path = Snapshots(tmp_path / "snapshots").write(header, state.sections())
    (tmp_path / "other").mkdir()
    restored = FactoryState(tmp_path / "other", IDENTITY)
    restored.restore(read_snapshot(path, semantics=SEMANTICS).sections)
    assert restored.state_hash == state.state_hash
    assert restored.timers == state.timers
    for product in IDENTITY:
        kept = restored.aggregates[product.name].records
        assert kept.tobytes() == state.aggregates[product.name].records.tobytes()


def test_an_engine_that_recovers_goes_on(house: House) -> None:
    """What was proposed before is approved after, by the same rules."""
    filled(house)
    house.opens(2**127 + 1, 2)
    before = house.engine.state.state_hash
    house.engine.recover()
    assert house.engine.state.state_hash == before
    assert house.refused("approval", Approve(subject=10, by=hexed(ADA))) == "approver_is_proposer"
    house.done("approval", Approve(subject=10, by=hexed(BOB)))
    assert house.balance(2) == 2**62
    house.require_refolds()
