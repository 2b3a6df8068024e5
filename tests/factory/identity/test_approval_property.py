"""Random proposals, decisions, days and crashes against a model of a few lines."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.factory.identity.approval_messages import Approve, EntryLine, ProposeEntry, Reject
from formicary.factory.identity.party import PartyKind
from tests.factory.identity.kit import DAY, SECOND, House, hexed

HOUSE, PERSON, CASH, SUSPENSE = 101, 102, 201, 202
KEYS = {1: HOUSE, 2: HOUSE, 3: PERSON, 4: PERSON}
PROPOSALS = (11, 12, 13)
ODD_HOUR = 3_607 * SECOND
STEP = st.one_of(
    st.tuples(st.just("propose"), st.sampled_from(PROPOSALS), st.sampled_from(sorted(KEYS))),
    st.tuples(st.just("approve"), st.sampled_from(PROPOSALS), st.sampled_from(sorted(KEYS))),
    st.tuples(st.just("reject"), st.sampled_from(PROPOSALS), st.sampled_from(sorted(KEYS))),
    st.tuples(st.just("wait"), st.integers(1, 5), st.just(0)),
    st.tuples(st.just("crash"), st.just(0), st.just(0)),
)


class Model:
    """What should be: who proposed what is open and until when, and the money that moved."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.open: dict[int, tuple[int, int]] = {}
        self.moved = 0

    def propose(self, proposal: int, by: int, now: int) -> bool:
        """Tell whether a proposal is new, and keep it."""
        if proposal in self.seen:
            return False
        self.seen.add(proposal)
        self.open[proposal] = by, now + 7 * DAY
        return True

    def decide(self, proposal: int, by: int, *, approves: bool) -> bool:
        """Tell whether a decision is allowed, and give effect to it."""
        if proposal not in self.open:
            return False
        proposer, _ = self.open[proposal]
        is_one_person = KEYS[by] == KEYS[proposer] == PERSON
        if approves and (by == proposer or is_one_person):
            return False
        del self.open[proposal]
        self.moved += proposal if approves else 0
        return True

    def wait(self, now: int) -> None:
        """Let what is due lapse."""
        self.open = {key: kept for key, kept in self.open.items() if kept[1] > now}


def filled(folder: Path) -> House:
    """Return a house with two keys of its own and two of one person."""
    house = House(folder)
    house.party(HOUSE, PartyKind.HOUSE)
    house.party(PERSON)
    for key, party in KEYS.items():
        house.key(key, party)
    house.opens(CASH, SUSPENSE)
    return house


@settings(max_examples=30, deadline=None)
@given(st.lists(STEP, min_size=5, max_size=40))
def test_money_moves_by_two_persons_only(steps: list[tuple[str, int, int]]) -> None:
    """Every answer is the model's, and so is the money, whenever the engine starts again."""
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        house = filled(Path(folder))
        for step, number, by in steps:
            if step == "wait":
                # An odd hour more: no sum of waits is a week, so none ends within nanoseconds of an expiry.
                house.clock.advance(number * DAY + ODD_HOUR)
                house.engine.execute([])
                model.wait(house.clock.now())
            elif step == "crash":
                house.engine.recover()
            elif step == "propose":
                line = EntryLine(debit=hexed(CASH), credit=hexed(SUSPENSE), amount=number, ledger=826, code=1)
                receipt = house.does("approval", ProposeEntry(subject=number, by=hexed(by), lines=(line,)))
                assert (not receipt.code) == model.propose(number, by, house.clock.now())
            else:
                kind = Approve if step == "approve" else Reject
                receipt = house.does("approval", kind(subject=number, by=hexed(by)))
                assert (not receipt.code) == model.decide(number, by, approves=step == "approve")
            assert house.balance(SUSPENSE) == model.moved
        house.require_refolds()
