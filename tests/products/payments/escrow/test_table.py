"""The escrow's table: the same in the documentation, and every pair of states with every trigger."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product as combinations
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.base.errors import Refusal
from formicary.factory.engine.conformance import check_product
from formicary.factory.engine.products import Decision, TimerFired
from formicary.factory.ledger import ACCOUNT
from formicary.products.payments.escrow import schemas
from formicary.products.payments.escrow.table import (
    DURATIONS,
    TABLE,
    Event,
    Fact,
    Move,
    Refund,
    Role,
    Timing,
    Trade,
)
from formicary.products.payments.product import ESCROWS
from tests.products.payments.escrow.drawn import PAGE, drawn_durations, drawn_paid, drawn_rules

NOW, HELD, ASKED = 10**18, 1_000, 400
GOODS = {Fact.NOT_RECEIVED: (0, 0), Fact.KEPT: (1, 0), Fact.RETURNED: (1, 1)}
FINAL = (Trade.TRADE_FINISHED, Trade.TRADE_CLOSED)


class Surroundings:
    """What a decider is told: every account there is, open."""

    now = NOW

    def derive_id(self, ordinal: int) -> int:
        """Return the ordinal itself."""
        return ordinal

    def features(self, name: str, **_: Any) -> Any:
        """Know nothing: no escrow asks."""
        raise AssertionError(name)

    def account(self, _: int) -> Any:
        """Return an empty account."""
        return np.zeros((), ACCOUNT)

    def accounts(self, ids: Any) -> Any:
        """Know nothing: no escrow asks."""
        raise AssertionError(ids)

    def columns(self, product: str) -> Any:
        """Know nothing: no escrow asks."""
        raise AssertionError(product)

    def transfer(self, _: int) -> Any:
        """Return nothing."""

    def aggregate(self, _product: str, _subject: int) -> Any:
        """Return nothing."""


def escrow(trade: Trade, refund: Refund, goods: Fact, timer: Timing = Timing.NONE) -> Any:
    """Return the record of an escrow in a state."""
    record = np.zeros((), schemas.ESCROW)
    received, returned = GOODS[goods]
    values = {"buyer_low": 1, "seller_low": 2, "amount": HELD, "currency": 826, "trade": trade, "due": NOW}
    values |= {"refund": refund, "refund_amount": ASKED, "goods_received": received, "timer": timer}
    values |= {"goods_returned": returned, "held": 0 if trade == Trade.WAIT_BUYER_PAY else HELD}
    for name, value in values.items():
        record[name] = value
    return record


def asked(goods: Fact) -> Iterator[Any]:
    """Return every command but the first, claiming something of the goods where it claims anything."""
    received, returned = map(bool, GOODS[goods])
    kinds: tuple[Any, ...] = schemas.COMMANDS[1:]
    for kind in kinds:
        if issubclass(kind, schemas.RefundClaim):
            yield kind(subject=1, amount=ASKED, goods_received=received, goods_returned=returned)
        elif kind is schemas.RuleRefund:
            yield from (kind(subject=1, amount=amount) for amount in (0, ASKED))
        else:
            yield kind(subject=1)


def moves(trade: Trade, refund: Refund, trigger: str, facts: set[Fact]) -> list[Move]:
    """Return the moves of the table that apply."""
    return [
        rule.move
        for rule in TABLE
        if rule.trade == trade and refund in rule.refunds and rule.move.trigger == trigger
        if not rule.move.when or facts & set(rule.move.when)
    ]


def outcome(command: Any, record: Any) -> Decision | str:
    """Return a decision, or the code of a refusal."""
    surroundings: Any = Surroundings()
    try:
        return ESCROWS.decide(command, record, surroundings)
    except Refusal as refusal:
        return refusal.code


def test_the_documentation_holds_the_table() -> None:
    """People read what the machine does: the moves, what paying leads to, and the timers."""
    page = PAGE.read_text()
    assert all(f"\n\n{table}\n\n" in page for table in (drawn_rules(), drawn_paid(), drawn_durations()))


def test_the_product_keeps_its_contract() -> None:
    """The factory's own checks find nothing."""
    assert check_product(ESCROWS) == []


def test_every_command_timer_and_event_is_in_the_table() -> None:
    """Nothing can be asked that no state answers, no timer runs that no state sets."""
    triggers = {rule.move.trigger for rule in TABLE}
    commands = {kind.__name__ for kind in schemas.COMMANDS} - {"OpenEscrow"}
    assert triggers == commands | {timing.name.lower() for timing in DURATIONS}
    assert {rule.move.timer for rule in TABLE} == set(Timing)
    assert {rule.move.event for rule in TABLE} == set(Event)


@pytest.mark.parametrize("trade", Trade)
@pytest.mark.parametrize("refund", Refund)
def test_every_pair_with_every_command(trade: Trade, refund: Refund) -> None:
    """What the table has happens as it says; everything else is refused, whoever asks."""
    for goods in GOODS:
        for command, role in combinations(asked(goods), (Role.HOUSE, Role.BUYER, Role.SELLER, Role.CLOCK)):
            by_role = msgspec.structs.replace(command, by=role)
            facts = {goods}
            if isinstance(command, schemas.RuleRefund):
                facts.add(Fact.SOMETHING if command.amount else Fact.NOTHING)
            found = moves(trade, refund, type(command).__name__, facts)
            assert len(found) <= 1
            decided = outcome(by_role, escrow(trade, refund, goods))
            if not found:
                assert decided in _refusals(trade, refund, command, role)
            elif role not in {Role.HOUSE, *found[0].by}:
                assert decided == "not_your_move"
            else:
                _check(decided, found[0], trade, refund)


def _refusals(trade: Trade, refund: Refund, command: Any, role: Role) -> set[str]:
    if trade in FINAL:
        return {"escrow_settled"}
    name = type(command).__name__
    elsewhere = [rule.move for rule in TABLE if rule.trade == trade and refund in rule.refunds]
    same = [move for move in elsewhere if move.trigger == name]
    if not same:
        return {"escrow_wrong_state"}
    return {"claim_contradicts"} if role in {Role.HOUSE, *same[0].by} else {"not_your_move"}


@pytest.mark.parametrize("trade", Trade)
@pytest.mark.parametrize("refund", Refund)
@pytest.mark.parametrize("timing", DURATIONS)
def test_every_pair_with_every_timer(trade: Trade, refund: Refund, timing: Timing) -> None:
    """A timer does what the table has for it, and nothing anywhere else or at another time."""
    name = timing.name.lower()
    for goods in GOODS:
        record = escrow(trade, refund, goods, timing)
        found = moves(trade, refund, name, {goods})
        assert len(found) <= 1
        decided = outcome(TimerFired(subject=1, name=name, due=NOW), record)
        if found:
            _check(decided, found[0], trade, refund)
        else:
            assert decided in {"escrow_settled", "escrow_wrong_state", "claim_contradicts"}
        for late in (TimerFired(subject=1, name=name, due=NOW - 1), TimerFired(subject=1, name="x", due=NOW)):
            assert outcome(late, record) == "stale_timer"


def _check(decided: Decision | str, move: Move, trade: Trade, refund: Refund) -> None:
    """Compare a decision with the move that led to it."""
    assert isinstance(decided, Decision)
    (event,) = decided.events
    assert isinstance(event, schemas.EscrowMoved)
    assert type(event).__name__ == move.event.value
    if move.to is None:
        assert event.refund == Refund.SUCCESS
    else:
        expected = [old if new is None else new for old, new in zip((trade, refund), move.to, strict=True)]
        assert [event.trade, event.refund] == expected
    assert event.timer == move.timer
    assert [timer.name for timer in decided.timers] == ([move.timer.name.lower()] if move.timer else [])
    assert all(timer.due == event.due > NOW for timer in decided.timers)


def test_final_states_are_left_by_nothing() -> None:
    """What is finished or closed stays so, and a timer of it never fires."""
    assert not [rule for rule in TABLE if rule.trade in FINAL]


def test_every_state_can_be_reached() -> None:
    """From the first state the table leads to every state but those that a refund can never be in."""
    start = (Trade.WAIT_BUYER_PAY, Refund.NONE)
    reached, new = {start}, {start}
    while new:
        new = {after for pair in new for after in _after(*pair)} - reached
        reached |= new
    assert {trade for trade, _ in reached} == set(Trade)
    assert {refund for _, refund in reached} == set(Refund)
    waiting = {pair for pair in reached if pair[0] not in FINAL}
    # Each of them can be left: no money waits for ever in a state without a move.
    assert all(_after(*pair) for pair in waiting)


def _after(trade: Trade, refund: Refund) -> set[tuple[Trade, Refund]]:
    after: set[tuple[Trade, Refund]] = set()
    for rule in TABLE:
        if rule.trade == trade and refund in rule.refunds:
            if rule.move.to is None:
                ends = {Trade.TRADE_CLOSED, trade if trade == Trade.WAIT_SELLER_SEND_GOODS else FINAL[0]}
                after |= {(end, Refund.SUCCESS) for end in ends}
            else:
                to = rule.move.to
                after.add((trade if to[0] is None else to[0], refund if to[1] is None else to[1]))
    return after
