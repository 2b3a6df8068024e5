"""The state hash and the sealed ids are formats: what is stored today must be read tomorrow.

Here they are computed again in plain Python, from their description.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.factory.ledger import Account, Ledger, Transfer, TransferFlags
from tests.factory.ledger.kit import SECOND
from tests.factory.ledger.oracle import unpack
from tests.factory.ledger.oracle_rules import TOTALS, Record
from tests.factory.ledger.refold import worked

_WORD: Final = 2**64 - 1
SEED: Final = 0x9E3779B97F4A7C15
MULTIPLIER: Final = 0xD6E8FEB86659FD93
_DETAILS: Final = ("user_data_64", "user_data_32", "ledger", "code", "timestamp", "position")


def absorb(value: int, words: Iterable[int]) -> int:
    """Fold words into a hash."""
    for word in words:
        value = ((value ^ (word & _WORD)) * MULTIPLIER) & _WORD
        value ^= value >> 32
    return value


def finish(value: int) -> int:
    """Spread the last word's bits."""
    value = (value * SEED) & _WORD
    return value ^ (value >> 32)


def halves(number: int) -> tuple[int, int]:
    """Return the two words of a 128-bit number."""
    return number >> 64, number & _WORD


def state_hash(ledger: Ledger) -> int:
    """Sum the hashes of all rows, accounts and open holds."""
    words = ledger.rows.view(np.uint64).reshape(len(ledger.rows), -1).tolist()
    hashes = [finish(absorb(0, row)) for row in words]
    hashes += [_account_row_hash(row) for row in unpack(ledger.account_rows)]
    latest = {row["position"]: row for row in unpack(ledger.rows)}
    hashes += [_account_hash(account, latest) for account in unpack(ledger._machine.accounts)]
    hashes += [_hold_hash(row) for row in _open_holds(unpack(ledger.rows))]
    return sum(hashes) & _WORD


def _account_row_hash(row: Record) -> int:
    high, low = halves(row["user_data_128"])
    return finish(absorb(high, [low, *(row[name] for name in _DETAILS)]))


def _account_hash(account: Record, rows: dict[int, Record]) -> int:
    high, low = halves(account["id"])
    entries = [position for position, row in rows.items() if _touches(row, account["id"])]
    last_entry = max(entries, default=0)
    totals = [account[name] for name in TOTALS]
    return finish(absorb(high, [low, *totals, account["credit_limit"], last_entry, account["flags"]]))


def _touches(row: Record, account_id: int) -> bool:
    is_entry = row["status"] in (0, 101)
    return is_entry and account_id in (row["debit_account_id"], row["credit_account_id"])


def _open_holds(rows: list[Record]) -> list[Record]:
    created = [row for row in rows if row["status"] == 0]
    ends = {row["pending_id"] for row in rows if row["status"] in (0, 101)}
    return [row for row in created if row["flags"] & TransferFlags.PENDING and row["id"] not in ends]


def _hold_hash(row: Record) -> int:
    high, low = halves(row["id"])
    due = row["timestamp"] + row["timeout"] * SECOND if row["timeout"] else 0
    return finish(absorb(high, [low, row["amount"], due]))


@pytest.mark.parametrize(("world", "requests"), [(1, 6), (1, 60), (2, 60), (4, 60)])
def test_the_state_hash_is_the_sum_of_its_parts(world: int, requests: int) -> None:
    """Rows, accounts and open holds, each hashed alone: no order and no layout in memory enters."""
    ledger, _ = worked(world, SimulatedClock(0), generation_rows=64, requests=requests)
    assert _open_holds(unpack(ledger.rows))
    assert ledger.state_hash == state_hash(ledger)


def test_nothing_has_the_hash_zero() -> None:
    """A sum of no parts."""
    assert Ledger(SimulatedClock(1)).state_hash == 0


def test_states_of_holds_and_kinds_of_timers_are_numbers_of_a_snapshot() -> None:
    """A hold is open, posted, voided or expired: 1 to 4. A timer is a hold's, or another's: 0 or 1."""
    clock = SimulatedClock(1)
    ledger = Ledger(clock)
    ledger.create_accounts(Account(id=number, ledger=1, code=1) for number in (1, 2))
    common = {"debit_account_id": 1, "credit_account_id": 2, "ledger": 1, "code": 1, "amount": 5}
    holds = [
        Transfer(id=number, timeout=timeout, flags=int(TransferFlags.PENDING), **common)
        for number, timeout in ((10, 9), (11, 9), (12, 9), (13, 1))
    ]
    post = Transfer(id=20, pending_id=11, amount=5, flags=int(TransferFlags.POST_PENDING_TRANSFER))
    void = Transfer(id=21, pending_id=12, flags=int(TransferFlags.VOID_PENDING_TRANSFER))
    assert not ledger.create_transfers([*holds, post, void])["status"].any()
    clock.advance(2 * SECOND)
    ledger.tick()
    ledger._machine.set_timer(clock.now() + 99 * SECOND, 7)
    sections = ledger._machine.sections()
    assert sections["holds"]["state"].tolist() == [1, 2, 3, 4]
    assert sorted(sections["timers"]["kind"].tolist()) == [0, 0, 0, 1]


def test_sealed_ids_are_written_as_described() -> None:
    """A file has a filter word for four keys and a table with a place for each key and a quarter more."""
    ledger, _ = worked(2, SimulatedClock(0), generation_rows=64)
    rows = unpack(ledger.rows)
    assert len(ledger._machine.sealed.files) > 1
    for path in ledger._machine.sealed.files:
        content = path.read_bytes()
        size = int.from_bytes(content[:8], "little")
        words = np.frombuffer(content, np.uint64, size, 8).tolist()
        table = np.frombuffer(content, np.int64, offset=8 + 8 * size).reshape(-1, 4)
        entries = [tuple(entry) for entry in table.tolist()]
        held = [entry for entry in entries if entry[2]]
        first, last = min(entry[2] for entry in held), max(entry[2] for entry in held)
        keys = _keys([row for row in rows if first <= row["position"] <= last])
        assert path.name == f"ids-{first:020d}-{last:020d}"
        assert sorted(held) == sorted(
            (_signed(high), _signed(low), position, kind) for kind, high, low, position in keys
        )
        assert len(entries) == len(keys) + len(keys) // 4 + 1
        assert words == _filter(keys, max(len(keys) // 4, 1))
        assert entries == _table(keys, len(entries))


def _keys(rows: list[Record]) -> list[tuple[int, int, int, int]]:
    """Return (kind, high, low, position) of every id, and of every hold that a row ended."""
    keys = []
    for row in rows:
        if row["status"] != 101:
            keys.append((0, *halves(row["id"]), row["position"]))
        resolves = row["status"] == 0 and row["flags"] & (
            TransferFlags.POST_PENDING_TRANSFER | TransferFlags.VOID_PENDING_TRANSFER
        )
        if resolves or row["status"] == 101:
            keys.append((1, *halves(row["pending_id"]), row["position"]))
    return keys


def _signed(word: int) -> int:
    return word - (word >> 63 << 64)


def _key_hash(kind: int, high: int, low: int) -> int:
    return finish(absorb(SEED ^ kind, [high, low]))


def _filter(keys: list[tuple[int, int, int, int]], size: int) -> list[int]:
    words = [0] * size
    for kind, high, low, _ in keys:
        key_hash = _key_hash(kind, high, low)
        for shift in (0, 6, 12, 18, 24):
            words[(key_hash >> 32) * size >> 32] |= 1 << (key_hash >> shift & 63)
    return words


def _table(keys: list[tuple[int, int, int, int]], size: int) -> list[tuple[Any, ...]]:
    table: list[tuple[Any, ...]] = [(0, 0, 0, 0)] * size
    for kind, high, low, position in keys:
        place = (_key_hash(kind, high, low) >> 32) * size >> 32
        while table[place][2]:
            place = (place + 1) % size
        table[place] = (_signed(high), _signed(low), position, kind)
    return table
