"""Random escrows with random crashes: money is conserved, and nothing is ever held for nobody."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from formicary.products.payments import terms
from formicary.products.payments.escrow import OpenEscrow, Refund, RefundClaim, Role, RuleRefund, Trade
from formicary.products.payments.escrow.schemas import COMMANDS
from formicary.products.payments.escrow.table import TABLE
from formicary.products.payments.postings import AccountCode
from formicary.products.payments.product import ESCROWS
from tests.products.payments.house import GBP, House

BUYERS, SELLERS, FUNDS = (11, 12), (21, 22), 60_000
SUBJECTS = st.integers(1, 5)
AMOUNTS = st.integers(0, 1_200)
OTHERS: tuple[Any, ...] = tuple(
    kind for kind in COMMANDS[1:] if not issubclass(kind, RefundClaim) and kind is not RuleRefund
)
NAMED: dict[str, Any] = {kind.__name__: kind for kind in COMMANDS}
CLAIMS: tuple[Any, ...] = tuple(kind for kind in COMMANDS if issubclass(kind, RefundClaim))
ROLES = st.sampled_from([Role.HOUSE, Role.HOUSE, Role.HOUSE, Role.BUYER, Role.SELLER])
STEP = st.tuples(SUBJECTS, st.integers(0, 30), AMOUNTS, st.integers(0, 2))
FINAL = (Trade.TRADE_FINISHED, Trade.TRADE_CLOSED)


class Escrows(RuleBasedStateMachine):
    """Five escrows of two buyers and two sellers: what the table has, anything else, and crashes."""

    @initialize()
    def begins(self) -> None:
        """Open the house; the buyers have money, the sellers none."""
        self.folder = tempfile.TemporaryDirectory()
        self.house = House(Path(self.folder.name))
        self.house.has(*BUYERS, amount=FUNDS)
        self.house.has(*SELLERS, code=AccountCode.MERCHANT_WALLET)
        self.settled: dict[int, bytes] = {}

    def teardown(self) -> None:
        """Forget the house."""
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(subject=SUBJECTS, buyer=st.sampled_from(BUYERS), seller=st.sampled_from(SELLERS), amount=AMOUNTS)
    def opens(self, subject: int, buyer: int, seller: int, amount: int) -> None:
        """Open an escrow and pay, if there is none yet and there is money."""
        opening = OpenEscrow(
            subject=subject, amount=amount, buyer=buyer, seller=seller, currency=GBP, fee_points=125
        )
        self.house.does(ESCROWS, opening)

    @rule(steps=st.lists(STEP, min_size=10, max_size=20))
    def walks(self, steps: list[tuple[int, int, int, int]]) -> None:
        """Go on with one escrow or another; single rules would seldom come far."""
        for step in steps:
            self.goes_on(*step)
            self.money_is_conserved()

    def goes_on(self, subject: int, choice: int, amount: int, goods: int) -> None:
        """Do one of the things that the table has for the escrow's state; open it where there is none."""
        record = self.house.engine.state.aggregates[ESCROWS.name].find(subject)
        if record is None:
            self.opens(subject, BUYERS[choice % 2], SELLERS[amount % 2], 1 + amount)
            return
        where = Trade(int(record["trade"])), Refund(int(record["refund"]))
        moves = [rule.move for rule in TABLE if rule.trade == where[0] and where[1] in rule.refunds]
        if not moves:
            return
        move = moves[choice % len(moves)]
        if move.by == (Role.CLOCK,):
            self.house.waits(max(int(record["due"]) - self.house.now, 1))
            return
        kind = NAMED[move.trigger]
        if issubclass(kind, RefundClaim):
            # Half of the claims are of all that is held.
            claimed = int(record["held"]) if choice % 2 else 1 + amount * int(record["held"]) // 1_200
            self.claims(subject, kind, claimed, goods if where[0] == Trade.WAIT_BUYER_CONFIRM_GOODS else 0)
        elif kind is RuleRefund:
            self.is_ruled(subject, amount)
        else:
            self.moves(subject, kind, move.by[0])

    @rule(subject=SUBJECTS, kind=st.sampled_from(OTHERS), by=ROLES)
    def moves(self, subject: int, kind: Any, by: Role) -> None:
        """Do anything that needs no amount."""
        self.house.does(ESCROWS, kind(subject=subject, by=by))

    @rule(subject=SUBJECTS, kind=st.sampled_from(CLAIMS), amount=AMOUNTS, goods=st.integers(0, 2))
    def claims(self, subject: int, kind: Any, amount: int, goods: int) -> None:
        """Ask for a refund, or another one."""
        claim = {"goods_received": goods > 0, "goods_returned": goods > 1}
        self.house.does(ESCROWS, kind(subject=subject, amount=amount, **claim))

    @rule(subject=SUBJECTS, amount=AMOUNTS)
    def is_ruled(self, subject: int, amount: int) -> None:
        """Rule."""
        self.house.does(ESCROWS, RuleRefund(subject=subject, amount=amount))

    @rule(wait=st.sampled_from([terms.HOUR, terms.DAY, 3 * terms.DAY, 11 * terms.DAY]))
    def waits(self, wait: int) -> None:
        """Let time pass."""
        self.house.waits(wait)

    @rule()
    def crashes(self) -> None:
        """Lose the engine; the next one knows the same."""
        self.house.recovers()

    @invariant()
    def money_is_conserved(self) -> None:
        """Everything is somewhere, and the account of escrow holds what the escrows say."""
        house = self.house
        parties = sum(house.wallet(party) for party in (*BUYERS, *SELLERS))
        held, fees = house.own(AccountCode.ESCROW), house.own(AccountCode.FEES)
        assert parties + held + fees == len(BUYERS) * FUNDS
        records = house.engine.state.aggregates[ESCROWS.name].records
        assert int(records["held"].sum()) == held
        for record in records:
            parts = [int(record[name]) for name in ("held", "released", "refunded")]
            assert min(parts) >= 0
            paid = record["trade"] != Trade.WAIT_BUYER_PAY and sum(parts)
            assert paid in (0, int(record["amount"]))

    @invariant()
    def what_is_settled_stays(self) -> None:
        """Find that a finished or closed trade holds nothing, has no timer, and never changes again."""
        for record in self.house.engine.state.aggregates[ESCROWS.name].records:
            subject = int(record["id_low"])
            if record["trade"] in FINAL:
                assert (int(record["held"]), int(record["timer"])) == (0, 0)
                assert self.settled.setdefault(subject, record.tobytes()) == record.tobytes()
            else:
                assert subject not in self.settled


TestEscrows = Escrows.TestCase
TestEscrows.settings = settings(max_examples=10, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize("seed", range(2))
def test_long_walks(seed: int) -> None:
    """Hundreds of steps, six escrows at a time, mostly what the table has: every end is reached."""
    random, escrows = Random(seed), Escrows()
    escrows.begins()
    places = list(range(1, 7))
    for step in range(500):
        place, choice, amount = random.randrange(6), random.randrange(60), random.randint(0, 1_200)
        if places[place] in escrows.settled:
            places[place] = 100 + step
        subject = places[place]
        if random.random() < 0.02:
            escrows.crashes()
        elif random.random() < 0.1:
            escrows.moves(subject, random.choice(OTHERS), Role(random.randrange(3)))
        else:
            escrows.goes_on(subject, choice, amount, random.randrange(3))
        escrows.money_is_conserved()
        escrows.what_is_settled_stays()
    trades = escrows.house.engine.state.aggregates[ESCROWS.name].records["trade"]
    assert set(FINAL) <= set(trades.tolist())
    escrows.teardown()
