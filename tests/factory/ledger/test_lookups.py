"""Ids are found among many others, and only where they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from formicary.factory.ledger import (
    Account,
    AccountFlags,
    CreateAccountStatus,
    CreateTransferStatus,
    LedgerMachine,
    Transfer,
    transfer_array,
)
from formicary.factory.ledger import TransferFlags as F
from formicary.factory.ledger.room import FIRST_ROOM
from tests.factory.ledger.kit import Bench
from tests.factory.ledger.test_state_hash import MULTIPLIER, SEED, absorb, finish

POST: Final = int(F.POST_PENDING_TRANSFER)
# So many that a third of the index's places are taken: hundreds of keys are not in their first place.
MANY: Final = 700
# Of these a few dozen are not.
SOME: Final = 200


@pytest.fixture(scope="module")
def crowd() -> Bench:
    """Return a bench with many accounts, whose ids differ in one word or the other."""
    bench = Bench()
    opened = bench.accounts(*(Account(id=_id(number), ledger=1, code=1) for number in range(MANY)))
    assert set(opened) == {CreateAccountStatus.CREATED}
    return bench


@pytest.fixture
def bench() -> Bench:
    """Return a bench with two accounts."""
    bench = Bench()
    bench.accounts(Account(id=1, ledger=1, code=1), Account(id=2, ledger=1, code=1))
    return bench


def _hold(number: int, *, flags: int = int(F.PENDING), ledger: int = 1) -> Transfer:
    return Transfer(
        id=_id(number),
        debit_account_id=1,
        credit_account_id=2,
        amount=1,
        ledger=ledger,
        code=1,
        flags=flags,
    )


def _id(number: int) -> int:
    return (number // 2 + 1) << (64 * (number % 2))


def test_every_account_of_many_is_found(crowd: Bench) -> None:
    """Also where others stand in its place of the index."""
    machine = crowd.ledger._machine
    assert [machine.account_number(_id(number)) for number in range(MANY)] == list(range(MANY))


def test_accounts_are_found_by_an_array_of_ids(crowd: Bench) -> None:
    """In the order asked, the same as one by one; where there is no account all is zero."""
    machine = crowd.ledger._machine
    numbers = [*range(MANY), MANY + 2, 3, 3, MANY + 3]
    ids = np.array([(_id(number) >> 64, _id(number) & (2**64 - 1)) for number in numbers], np.uint64)
    ids.flags.writeable = False
    found = machine.accounts_at(ids)
    expected = [machine.account_view(number).tobytes() for number in numbers if number < MANY]
    there = found["ledger"] == 1
    assert [account.tobytes() for account in found[there]] == expected
    assert np.flatnonzero(~there).tolist() == [MANY, MANY + 3]
    assert not any(found[~there].tobytes())
    assert machine.accounts_at(ids[:0]).shape == (0,)


def test_an_account_that_is_not_there_has_no_number(crowd: Bench) -> None:
    """Many other ids lead to places that are taken, by accounts with another id."""
    machine = crowd.ledger._machine
    assert {machine.account_number(_id(number)) for number in range(MANY, 3 * MANY)} == {-1}
    assert Bench().ledger._machine.account_number(1) == -1


def test_accounts_that_a_broken_chain_takes_back_are_not_found() -> None:
    """Their places in the index are free again, however they stood in each other's way."""
    bench = Bench()
    linked = int(AccountFlags.LINKED)
    chain = [Account(id=_id(number), ledger=1, code=1, flags=linked) for number in range(SOME)]
    bench.accounts(*chain, Account(id=1, ledger=0, code=1))
    assert np.count_nonzero(bench.ledger._machine.state.account_slots) == 0
    bench.accounts(*chain, Account(id=_id(SOME), ledger=1, code=1))
    assert [bench.ledger._machine.account_number(_id(number)) for number in range(SOME)] == list(range(SOME))


def test_holds_that_a_broken_chain_takes_back_are_not_found(bench: Bench) -> None:
    """Nor are their rows: the chain can be tried again."""
    chain = [_hold(number, flags=int(F.PENDING | F.LINKED)) for number in range(SOME)]
    state = bench.ledger._machine.state
    bench.transfers(*chain, _hold(SOME, ledger=0))
    assert np.count_nonzero(state.recent.slots) == np.count_nonzero(state.hold_slots) == 0
    assert set(bench.transfers(*chain, _hold(SOME))) == {CreateTransferStatus.CREATED}


def test_ends_that_a_broken_chain_takes_back_leave_nothing(bench: Bench) -> None:
    """Keys that stayed behind would fill the index, chain by chain."""
    bench.transfers(*(_hold(number) for number in range(SOME)))
    slots = bench.ledger._machine.state.recent.slots
    before = slots.copy()
    void = int(F.VOID_PENDING_TRANSFER | F.LINKED)
    voids = [Transfer(id=_id(SOME + number), pending_id=_id(number), flags=void) for number in range(SOME)]
    bench.transfers(*voids, _hold(3 * SOME, ledger=0))
    assert np.array_equal(slots, before)
    bench.check()


def test_ids_with_the_same_hash_are_told_apart(bench: Bench) -> None:
    """They agree in one word and in all bits of their hash that the index keeps or has its places by."""
    one, *others = _alike(kind=0)
    assert bench.accounts(Account(id=one, ledger=1, code=1)) == [CreateAccountStatus.CREATED]
    numbers = [bench.ledger._machine.account_number(number) for number in (one, *others)]
    assert numbers == [2, -1, -1]
    hold = replace(_hold(0), id=one)
    assert bench.transfers(hold) == [CreateTransferStatus.CREATED]
    posts = [Transfer(id=5 + place, pending_id=number, flags=POST) for place, number in enumerate(others)]
    assert bench.transfers(*posts) == [CreateTransferStatus.PENDING_TRANSFER_NOT_FOUND] * 2
    assert bench.transfers(*(replace(hold, id=number) for number in others)) == [
        CreateTransferStatus.CREATED,
        CreateTransferStatus.CREATED,
    ]
    bench.check()


def test_ended_holds_with_the_same_hash_are_told_apart(bench: Bench) -> None:
    """Each is known to have ended in its own way when nothing but its rows is left."""
    ids = _alike(kind=1)
    bench.transfers(*(replace(_hold(0), id=number) for number in ids))
    flags = (POST, int(F.VOID_PENDING_TRANSFER), POST)
    ends = [
        Transfer(id=5 + place, pending_id=number, flags=flags[place], amount=0)
        for place, number in enumerate(ids)
    ]
    assert set(bench.transfers(*ends)) == {CreateTransferStatus.CREATED}
    # The holds themselves make room.
    bench.ledger._machine.reserve(transfers=FIRST_ROOM)
    assert bench.ledger._machine.scalar("holds") == 0
    assert bench.transfers(*(replace(end, id=end.id + 10) for end in ends)) == [
        CreateTransferStatus.PENDING_TRANSFER_ALREADY_POSTED,
        CreateTransferStatus.PENDING_TRANSFER_ALREADY_VOIDED,
        CreateTransferStatus.PENDING_TRANSFER_ALREADY_POSTED,
    ]
    bench.check()


def test_only_the_sealed_rows_that_are_needed_are_asked_for() -> None:
    """The row of an id, a hold and its end; and nothing for ids that are new, however many there are."""
    bench = Bench(generation_rows=64)
    bench.accounts(Account(id=1, ledger=1, code=1), Account(id=2, ledger=1, code=1))
    bench.transfers(_hold(0), _hold(1))
    bench.transfers(
        Transfer(id=98, pending_id=_id(0), amount=1, flags=POST),
        Transfer(id=99, pending_id=_id(1), flags=int(F.VOID_PENDING_TRANSFER)),
    )
    for number in (2, 3):
        bench.transfers(_hold(number))
    machine = bench.ledger._machine
    assert [row["position"] for row in machine.rows_in_memory()[0]] == [7]
    assert _needed(machine, _hold(1)) == [4]
    assert _needed(machine, Transfer(id=100, pending_id=_id(0), flags=POST)) == [3, 5]
    assert _needed(machine, Transfer(id=99, pending_id=_id(1), flags=POST)) == [4, 6]
    assert _needed(machine, _hold(2)) == []
    new = (Transfer(id=_id(2 * number), pending_id=_id(2 * number + 1)) for number in range(MANY, 2 * MANY))
    assert _needed(machine, *new) == []


def _needed(machine: LedgerMachine, *transfers: Transfer) -> list[int]:
    return [int(position) for position in machine.missing(transfer_array(transfers))]


def _alike(*, kind: int) -> tuple[int, int, int]:
    """Return three ids: the second has the first one's low word, the third its high word.

    Their hashes differ in bits 16 and 17 alone: an index keeps the upper half of a hash, and has
    fewer places than lower bits. The hash can be computed backwards.
    """
    high, low = 3, 4
    middle = absorb(SEED ^ kind, [high])
    wanted = finish(absorb(middle, [low]))
    other_high = _before(_before(_before(wanted ^ 1 << 16, SEED), MULTIPLIER) ^ low, MULTIPLIER) ^ SEED ^ kind
    other_low = _before(_before(wanted ^ 1 << 17, SEED), MULTIPLIER) ^ middle
    return high << 64 | low, other_high << 64 | low, high << 64 | other_low


def _before(value: int, factor: int) -> int:
    """Return what a round of multiplying and shifting made ``value`` of."""
    return (value ^ value >> 32) * pow(factor, -1, 1 << 64) % (1 << 64)


def test_every_transfer_and_hold_of_many_is_found(bench: Bench) -> None:
    """Every id is known again, and every hold is resolved, once."""
    holds = [_hold(number) for number in range(SOME)]
    voids = [
        Transfer(id=_id(SOME + number), pending_id=_id(number), flags=int(F.VOID_PENDING_TRANSFER))
        for number in range(SOME)
    ]
    assert set(bench.transfers(*holds)) == {CreateTransferStatus.CREATED}
    assert set(bench.transfers(*voids)) == {CreateTransferStatus.CREATED}
    assert set(bench.transfers(*holds, *voids)) == {CreateTransferStatus.EXISTS}
    bench.check()
