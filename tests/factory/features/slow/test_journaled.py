"""What the daily job works on: all that the journal knew when the day ended, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.factory.facts.messages import FactsRecorded
from formicary.factory.features.columns import MalformedEvents
from formicary.factory.features.slow.journaled import KnownDay, known_day
from formicary.factory.features.slow.spans import DAY
from formicary.factory.journal.blocks import Block, part_of
from formicary.factory.journal.events import Event
from formicary.factory.journal.rows import ACCOUNT_ROW, DECISION_ROW, TRANSFER_ROW
from formicary.factory.ledger import CreateTransferStatus, TransferFlags

UNTIL = 3 * DAY
WORD = 2**64
IDS = st.integers(1, 2**128 - 1)


def split(value: int) -> tuple[int, int]:
    """Return an id as two words."""
    return divmod(value, WORD)


def put(row: Any, name: str, value: int) -> None:
    """Write an id into a row."""
    row[f"{name}_high"], row[f"{name}_low"] = split(value)


class Rows:
    """Rows of a journal, one after the other; an account's id is its number, its holder a party."""

    def __init__(self, *holders: int) -> None:
        self.position = 0
        self.accounts = np.zeros(len(holders), ACCOUNT_ROW)
        for number, holder in enumerate(holders):
            self.position += 1
            self.accounts[number]["position"] = self.position
            self.accounts[number]["timestamp"] = self.position
            put(self.accounts[number], "id", number + 1)
            put(self.accounts[number], "user_data_128", holder)
        self.transfers: list[Any] = []
        self.events: list[Event] = []

    def pays(self, payer: int, payee: int, amount: int, at: int, *, flags: int = 0, status: int = -1) -> None:
        """Let an account pay another."""
        self.position += 1
        row = np.zeros((), TRANSFER_ROW)
        row["position"], row["timestamp"], row["amount"], row["flags"] = self.position, at, amount, flags
        row["status"] = CreateTransferStatus.CREATED if status < 0 else status
        put(row, "debit_account_id", payer)
        put(row, "credit_account_id", payee)
        self.transfers.append(row)

    def tells(self, kind: str, stamp: int, at: int, ids: dict[str, int], **numbers: int) -> None:
        """Tell one fact."""
        self.position += 1
        told = FactsRecorded(
            kind=kind,
            at=[at],
            ids={name: [f"{one:032x}"] for name, one in ids.items()},
            numbers={name: [one] for name, one in numbers.items()},
            real_bits={},
        )
        self.events.append(
            Event(
                position=self.position,
                timestamp=stamp,
                kind="facts.FactsRecorded",
                version=1,
                command_id=0,
                subject=0,
                body=msgspec.json.encode(told),
            )
        )

    def blocks(self, rows: int = 10**6) -> list[Block]:
        """Return them in blocks of so many."""
        whole = Block(
            accounts=self.accounts,
            transfers=np.array(self.transfers, TRANSFER_ROW),
            events=tuple(self.events),
            after=0,
            until=self.position,
        )
        starts = range(0, self.position, rows)
        return [part_of(whole, after=one, until=min(one + rows, self.position)) for one in starts]

    def known(self, rows: int = 10**6) -> KnownDay:
        """Return what was known when the day ended."""
        return known_day(self.blocks(rows), until=UNTIL, labels="fraud_label")


def paid(known: KnownDay) -> list[tuple[int, int, int, int]]:
    """Return the transfers with the parties' ids."""
    ids = [high * WORD + low for high, low in known.parties.tolist()]
    return [(ids[payer], ids[payee], amount, at) for payer, payee, amount, at in known.transfers.rows()]


def same(one: KnownDay, other: KnownDay) -> bool:
    """Tell whether two days know the same."""
    frames: Sequence[str] = ("transfers", "devices", "labels")
    return (
        all(getattr(one, name).equals(getattr(other, name)) for name in frames)
        and np.array_equal(one.parties, other.parties)
        and one.position == other.position
    )


def house() -> Rows:
    """Return rows of two days, with something of everything."""
    rows = Rows(2**100, 7, 0, WORD)
    rows.pays(1, 2, 50, DAY)
    rows.tells("device_use", DAY + 1, DAY, {"party": 7, "device": 2**127})
    rows.tells("device_use", DAY + 2, 5, {"party": 9, "device": 3})
    rows.tells("fraud_label", DAY + 3, DAY, {"party": 7}, is_fraud=1)
    rows.tells("other", DAY + 4, DAY, {"party": 7}, is_fraud=1)
    rows.pays(2, 4, 60, UNTIL - 1)
    return rows


def test_who_paid_whom() -> None:
    """Transfers are between the parties that hold the accounts; facts name theirs."""
    known = house().known()
    assert paid(known) == [(2**100, 7, 50, DAY), (7, WORD, 60, UNTIL - 1)]
    numbers = {high * WORD + low: number for number, (high, low) in enumerate(known.parties.tolist())}
    assert list(numbers) == [7, 9, WORD, 2**100]
    assert known.devices.rows() == [(numbers[7], 1, DAY), (numbers[9], 0, 5)]
    assert known.labels.rows() == [(numbers[7], DAY, True)]
    assert known.position == 10


def test_what_moves_nothing_between_parties() -> None:
    """Holds, refusals and what comes from the house itself are no payments."""
    rows = house()
    before = paid(rows.known())
    rows.pays(1, 2, 1, UNTIL - 1, flags=TransferFlags.PENDING)
    rows.pays(1, 2, 1, UNTIL - 1, status=CreateTransferStatus.EXCEEDS_CREDITS)
    rows.pays(3, 2, 1, UNTIL - 1)
    assert paid(rows.known()) == before


def test_nothing_looks_ahead() -> None:
    """What was journaled after the day's end changes nothing, whatever its date."""
    rows, as_known = house(), house().known()
    rows.pays(1, 2, 9, UNTIL)
    rows.pays(1, 2, 9, UNTIL - 5, flags=TransferFlags.IMPORTED)
    rows.tells("fraud_label", UNTIL + 1, DAY, {"party": 2**100}, is_fraud=1)
    rows.tells("device_use", UNTIL + 2, DAY, {"party": 9, "device": 2**127})
    assert same(rows.known(), as_known)


@pytest.mark.parametrize(("stamp", "known"), [(UNTIL - 1, 1), (UNTIL, 0)])
def test_a_decision_is_stamped_as_well(stamp: int, known: int) -> None:
    """One within the day shows that what stands before it was known; one behind ends the day."""
    rows = house()
    before = rows.known()
    rows.pays(2, 1, 9, DAY + 5, flags=TransferFlags.IMPORTED)
    (block,) = rows.blocks()
    decision = np.zeros(1, DECISION_ROW)
    decision["position"], decision["timestamp"] = block.until + 1, stamp
    block = replace(block, until=block.until + 1, decisions=decision)
    found = known_day([block], until=UNTIL)
    assert found.position == (block.until if known else before.position)


def test_an_imported_row_counts_once_it_was_surely_known() -> None:
    """Its date says nothing of when it was journaled; a row stamped within the day, behind it, does."""
    rows = house()
    rows.pays(2, 1, 9, DAY + 5, flags=TransferFlags.IMPORTED)
    assert len(rows.known().transfers) == 2
    rows.tells("other", UNTIL - 1, DAY, {})
    assert len(rows.known().transfers) == 3


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 11])
def test_where_blocks_end_does_not_matter(rows: int) -> None:
    """Blocks are how the journal is read, and nothing else."""
    one = house()
    one.pays(2, 1, 9, DAY + 5, flags=TransferFlags.IMPORTED)
    one.pays(1, 2, 9, UNTIL)
    one.pays(1, 2, 9, UNTIL + 1)
    assert same(one.known(rows), one.known())


def test_nothing_behind_the_day_is_read() -> None:
    """The job of a day long ago does not go through all that came since."""
    rows = house()
    for _ in range(20):
        rows.pays(1, 2, 9, UNTIL)
    blocks = iter(rows.blocks(5))
    known_day(blocks, until=UNTIL)
    assert next(blocks).after == 15


def test_an_empty_journal() -> None:
    """Of nothing comes nothing."""
    known = known_day([], until=UNTIL, labels="fraud_label")
    assert (len(known.transfers), len(known.devices), len(known.labels), known.position) == (0, 0, 0, 0)
    assert known.parties.shape == (0, 2)


@pytest.mark.parametrize(
    ("kind", "ids", "lacks"),
    [("device_use", {"party": 1}, "device"), ("fraud_label", {"party": 1}, "is_fraud")],
)
def test_a_fact_that_lacks_a_column(kind: str, ids: dict[str, int], lacks: str) -> None:
    """It is named: to leave it out would be a silent hole."""
    rows = house()
    rows.tells(kind, UNTIL - 1, DAY, ids)
    with pytest.raises(MalformedEvents, match=f"'{kind}' has no '{lacks}'"):
        rows.known()


@given(st.lists(IDS, min_size=2, max_size=8, unique=True), st.data())
def test_ids_map_back(holders: list[int], data: st.DataObject) -> None:
    """Whatever the ids are, each transfer has the parties that it had."""
    rows = Rows(*holders)
    account = st.integers(1, len(holders))
    pairs = data.draw(st.lists(st.tuples(account, account), max_size=8))
    for payer, payee in pairs:
        rows.pays(payer, payee, 1, DAY)
    expected = [(holders[payer - 1], holders[payee - 1], 1, DAY) for payer, payee in pairs]
    assert paid(rows.known()) == expected
