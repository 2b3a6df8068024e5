"""Folding finds every difference between the rows, their effects and the hashes of commits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formicary.factory.engine.products import Product
from formicary.factory.engine.state import FactoryState
from formicary.factory.follower.checked_fold import CheckedFold
from formicary.factory.follower.commits import ended_in, read_commits
from formicary.factory.journal.access import Access
from formicary.factory.journal.batch import NO_DECISIONS
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.errors import JournalCorrupted
from formicary.factory.journal.rows import ACCOUNT_ROW
from tests.factory.engine.example_product import ESCROW_PRODUCT
from tests.factory.follower.house import House, open_house
from tests.factory.journal.kit import decided


@pytest.fixture
def house(access: Access, tmp_path: Path) -> Iterator[House]:
    """Give a house whose journal has commits of every kind: transfers, accounts, events, and mixed ones."""
    with open_house(access, tmp_path, products=[ESCROW_PRODUCT]) as house:
        house.pay(60)
        for number in range(5):
            house.rate(900 + number % 2, key=str(number))
        house.hold_in_escrow(800)
        yield house


def _read(house: House) -> tuple[list[Block], Any]:
    reader = house.reader()
    commits = np.concatenate(list(read_commits(reader, after=0)))
    return list(reader.read(after=0, until=reader.head())), commits


def _state(house: House) -> FactoryState:
    folder = house.folder / "fold"
    folder.mkdir(exist_ok=True)
    return FactoryState(folder, house.products, generation_rows=50)


def _cut(block: Block, positions: list[int]) -> Iterator[Block]:
    """Yield a block in pieces that end at ``positions`` and at its end."""
    ends = [block.after, *positions, block.until]
    for after, until in pairwise(ends):
        yield Block(
            accounts=block.accounts[_within(block.accounts["position"], after, until)],
            transfers=block.transfers[_within(block.transfers["position"], after, until)],
            events=tuple(event for event in block.events if after < event.position <= until),
            after=after,
            until=until,
            decisions=block.decisions[_within(block.decisions["position"], after, until)],
        )


def _within(positions: Any, after: int, until: int) -> Any:
    return (positions > after) & (positions <= until)


@pytest.mark.parametrize("step", [1, 7, 1_000])
def test_a_sound_journal_folds_to_the_engines_state(house: House, step: int) -> None:
    """Wherever blocks end, also within commits, the state is the engine's, and every hash agrees."""
    (block,), commits = _read(house)
    state = _state(house)
    fold = CheckedFold(state)
    for piece in _cut(block, list(range(step, block.until, step))):
        fold.fold(piece, ended_in(commits, piece))
    assert state.position == house.engine.state.position
    assert state.state_hash == house.engine.state.state_hash


class _Told(FactoryState):
    """A state that notes which decisions it is given, and with which last position."""

    def __init__(self, folder: Path, products: Sequence[Product]) -> None:
        super().__init__(folder, products, generation_rows=50)
        self.told: list[tuple[list[int], int]] = []

    def fold(
        self, accounts: Any, transfers: Any, events: Any, *, until: int, decisions: Any = NO_DECISIONS
    ) -> None:
        if len(decisions):
            self.told.append((decisions["position"].tolist(), until))
        super().fold(accounts, transfers, events, until=until)


def test_decisions_are_folded_with_their_commit(house: House) -> None:
    """Where commits hold decisions, each is one call of its own; what is left in the block is another."""
    (block,), commits = _read(house)
    state = _Told(house.folder, house.products)
    CheckedFold(state).fold(block, commits)
    last = block.until
    judged, _ = decided(last + 1, 3)
    more = Block(
        accounts=block.accounts[:0],
        transfers=block.transfers[:0],
        events=(),
        after=last,
        until=last + 5,
        decisions=judged,
    )
    ended = np.zeros(2, commits.dtype)
    ended["first"], ended["last"] = (last + 1, last + 3), (last + 2, last + 4)
    ended["state_hash"] = state.state_hash
    CheckedFold(state).fold(more, ended)
    assert state.told == [([last + 1], last + 2), ([last + 3], last + 4), ([last + 5], last + 5)]


def test_every_wrong_hash_is_found(house: House) -> None:
    """A commit that left another state is named, whatever kinds of rows it holds."""
    (block,), commits = _read(house)
    for number in range(len(commits)):
        wrong = commits.copy()
        wrong["state_hash"][number] ^= 1 << 40
        with pytest.raises(JournalCorrupted, match=f"ends at position {commits['last'][number]} left"):
            CheckedFold(_state(house)).fold(block, wrong)


def test_every_wrong_row_is_found(house: House) -> None:
    """A transfer that is not what it does is named, an account that is opened twice too."""
    (block,), commits = _read(house)
    for number in range(0, len(block.transfers), 7):
        wrong = block.transfers.copy()
        wrong["credit_debits_posted"][number] += 1
        with pytest.raises(JournalCorrupted, match=f"position {wrong['position'][number]} is not"):
            CheckedFold(_state(house)).fold(replace(block, transfers=wrong), commits)
    twice = block.accounts.copy()
    twice["id_low"][1] = twice["id_low"][0]
    with pytest.raises(JournalCorrupted, match=f"position {twice['position'][1]} is not"):
        CheckedFold(_state(house)).fold(replace(block, accounts=twice), commits)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("escrow.EscrowRated", b'{"stars": 77}'),
        ("engine.timer_fired", b'{"set_at": 1}'),
        ("engine.answered", b"[]"),
    ],
)
def test_an_event_that_cannot_be_applied(house: House, kind: str, body: bytes) -> None:
    """An event's body is read before its hash is compared; one that makes no sense is damage as well."""
    (block,), commits = _read(house)
    events = [replace(event, kind=kind, body=body) for event in block.events[-1:]]
    with pytest.raises(JournalCorrupted, match="cannot be applied"):
        CheckedFold(_state(house)).fold(replace(block, events=(*block.events[:-1], *events)), commits)


def test_a_block_without_the_end_of_a_commit(house: House) -> None:
    """Rows of a commit that goes on are folded; it is compared where it ends."""
    (block,), commits = _read(house)
    state = _state(house)
    none = Block(
        accounts=np.zeros(0, ACCOUNT_ROW), transfers=block.transfers[:0], events=(), after=0, until=0
    )
    assert len(ended_in(commits, none)) == 0
    CheckedFold(state).fold(block, commits[:0])
    assert state.state_hash == house.engine.state.state_hash
