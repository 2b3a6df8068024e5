"""What comes of a transfer that is decided about."""

from __future__ import annotations

from dataclasses import replace

from formicary.factory.decisions.policies import point_id
from formicary.factory.ledger import CreateTransferStatus as S
from formicary.factory.ledger import TransferFlags
from tests.factory.decisions.desk import (
    FEE,
    LARGE,
    NOBODY,
    SECOND,
    Desk,
    rules_of,
)


def test_without_a_policy_nothing_is_decided(desk: Desk) -> None:
    """Every transfer that the ledger would make is made, and no decision is recorded."""
    assert desk.pays(10**6) == S.CREATED
    assert len(desk.decisions) == 0


def test_each_outcome_has_its_effect(desk: Desk) -> None:
    """Allowed money moves, held money is reserved, what needs a check or is rejected does not happen."""
    steps = [(300, "confirm"), (600, "hold"), (900, "reject")]
    desk.arms(1, rules_of(1, *({"when": f"amount > {least}", "outcome": says} for least, says in steps)))
    before, _ = desk.balance(100)
    statuses = [desk.pays(moved) for moved in (100, 400, 700, 1_000)]
    assert statuses == [S.CREATED, S.STEP_UP_REQUIRED, S.HELD, S.DECLINED]
    assert desk.balance(100) == (before - 100, 700)
    rows = desk.decisions
    assert rows["outcome"].tolist() == [0, 1, 2, 3]
    assert rows["effect"].tolist() == [0, 1, 2, 3]
    assert rows["propensity"].tolist() == [1.0] * 4
    assert set(rows["point"].tolist()) == {point_id("payment")}
    transfers = desk.transfers[-4:]
    assert transfers["position"].tolist() == (rows["position"] + 1).tolist()
    assert transfers["status"].tolist() == [S.CREATED, S.STEP_UP_REQUIRED, S.CREATED, S.DECLINED]
    assert transfers["flags"].tolist() == [0, 0, TransferFlags.PENDING | TransferFlags.HELD, 0]


def test_a_repeated_event_gets_its_first_answer(desk: Desk) -> None:
    """What was held is held, what was declined has burnt its id; nothing is decided again."""
    desk.arms(1, rules_of(1, {"when": "amount > 600", "outcome": "hold"}, LARGE))
    held, declined = desk.transfer(100, 101, 700), desk.transfer(100, 101, 1_000)
    assert desk.asks(held, declined) == [S.HELD, S.DECLINED]
    assert desk.asks(held, declined) == [S.HELD, S.ID_ALREADY_FAILED]
    assert desk.asks(replace(held, amount=701)) == [S.EXISTS_WITH_DIFFERENT_AMOUNT]
    assert desk.asks(replace(held, flags=TransferFlags.PENDING)) == [S.EXISTS_WITH_DIFFERENT_FLAGS]
    assert desk.asks(replace(held, timeout=5)) == [S.EXISTS_WITH_DIFFERENT_TIMEOUT]
    assert len(desk.decisions) == 2


def test_held_money_goes_back_by_itself_or_by_a_verdict(desk: Desk) -> None:
    """A hold ends when its time is over, or is posted or voided before."""
    desk.arms(1, rules_of(1, {"when": "amount > 600", "outcome": "hold"}), hold_seconds=60)
    first, second, third = (desk.transfer(100, 101, 700) for _ in range(3))
    assert desk.asks(first, second, third) == [S.HELD] * 3
    before, _ = desk.balance(101)
    post = desk.transfer(
        0, 0, 700, code=0, ledger=0, flags=TransferFlags.POST_PENDING_TRANSFER, pending_id=first.id
    )
    void = desk.transfer(
        0, 0, 700, code=0, ledger=0, flags=TransferFlags.VOID_PENDING_TRANSFER, pending_id=second.id
    )
    assert desk.asks(post, void) == [S.CREATED, S.CREATED]
    assert desk.balance(101) == (before + 700, 0)
    desk.clock.advance(60 * SECOND)
    assert desk.pays(1) == S.CREATED
    assert desk.balance(100)[1] == 0
    assert desk.transfers["status"][-2:].tolist() == [S.EXPIRED, S.CREATED]
    # Posting was decided when it was held, and is known of the payer from then on.
    assert desk.decisions["value_03"].tolist() == [0.0, 0.0, 0.0, 1.0]


def test_a_chain_breaks_at_what_is_not_allowed(desk: Desk) -> None:
    """Nothing of a chain happens but the held member's reservation, and nothing of it is known later."""
    desk.arms(1, rules_of(1, {"when": "amount > 600", "outcome": "hold"}, LARGE))
    fee = {"code": FEE, "debit": 101, "credit": 105}

    def chain(moved: int) -> list[int]:
        paid = desk.transfer(100, 101, moved, flags=TransferFlags.LINKED)
        return desk.asks(paid, desk.transfer(fee["debit"], fee["credit"], 1, code=FEE))

    assert chain(100) == [S.CREATED, S.CREATED]
    assert chain(700) == [S.HELD, S.LINKED_EVENT_FAILED]
    assert chain(1_000) == [S.DECLINED, S.LINKED_EVENT_FAILED]
    assert desk.pays(1) == S.CREATED
    assert desk.balance(105) == (10**9 + 1, 0)
    # Paid in the last day as each of the four knew it: the held and the declined are not there.
    assert desk.decisions["value_02"].tolist() == [0.0, 100.0, 100.0, 100.0]


def test_a_chain_that_fails_leaves_no_decision(desk: Desk) -> None:
    """What was decided in a chain that the ledger breaks is undone with it: no row, no position."""
    desk.arms(1, rules_of(1, NOBODY))
    poor = desk.transfer(105, 101, 2 * 10**9)
    statuses = desk.asks(desk.transfer(100, 101, 5, flags=TransferFlags.LINKED), poor)
    assert statuses == [S.LINKED_EVENT_FAILED, S.EXCEEDS_CREDITS]
    assert len(desk.decisions) == 0
    assert desk.pays(1) == S.CREATED
    assert desk.decisions["value_03"].tolist() == [0.0]


def test_what_is_held_is_judged_without_its_chain(desk: Desk) -> None:
    """Money that would have come from an earlier member is not there once the chain is undone."""
    desk.arms(1, rules_of(1, {"when": "amount > 600", "outcome": "hold"}))
    rich = desk.balance(100)[0]
    brought = desk.transfer(102, 100, 100, code=FEE, flags=TransferFlags.LINKED)
    held = desk.transfer(100, 101, rich + 100)
    assert desk.asks(brought, held) == [S.LINKED_EVENT_FAILED, S.EXCEEDS_CREDITS]
    assert desk.asks(held) == [S.ID_ALREADY_FAILED]
    assert len(desk.decisions) == 1


def test_what_could_slip_through_a_hold_is_declined(desk: Desk) -> None:
    """What is pending by itself could be posted by whoever asked for it."""
    desk.arms(1, rules_of(1, {"when": "amount > 600", "outcome": "hold"}))
    assert desk.pays(700, flags=TransferFlags.PENDING) == S.DECLINED
    assert desk.pays(100, flags=TransferFlags.PENDING) == S.CREATED


def test_what_happened_elsewhere_is_not_decided_about(desk: Desk) -> None:
    """Imports are history; other codes have no decision point."""
    desk.arms(1, rules_of(1, {"when": "amount > 0"}))
    past = int(desk.transfers["timestamp"][-1]) + 1
    assert desk.pays(5, flags=TransferFlags.IMPORTED, timestamp=past) == S.CREATED
    assert desk.pays(5, code=FEE) == S.CREATED
    assert len(desk.decisions) == 0
    assert desk.pays(5) == S.DECLINED
    # Imports are known of all the same.
    assert desk.decisions["value_02"].tolist() == [5.0]


def test_only_the_reserved_flag_is_not_the_callers(desk: Desk) -> None:
    """Nobody makes a held transfer but a decision."""
    assert desk.pays(5, flags=TransferFlags.HELD) == S.RESERVED_FLAG
