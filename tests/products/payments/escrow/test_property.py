"""Random escrows with random crashes: money is conserved, and nothing is ever held for nobody."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from formicary.products.payments import terms
from formicary.products.payments.escrow import OpenEscrow, RefundClaim, Role, RuleRefund, Trade
from formicary.products.payments.escrow.schemas import COMMANDS
from formicary.products.payments.postings import AccountCode
from formicary.products.payments.product import ESCROWS
from tests.products.payments.house import GBP, House

BUYERS, SELLERS, FUNDS = (11, 12), (21, 22), 3_000
SUBJECTS = st.integers(1, 3)
AMOUNTS = st.integers(0, 1_200)
OTHERS: tuple[Any, ...] = tuple(
    kind for kind in COMMANDS[1:] if not issubclass(kind, RefundClaim) and kind is not RuleRefund
)
CLAIMS: tuple[Any, ...] = tuple(kind for kind in COMMANDS if issubclass(kind, RefundClaim))
ROLES = st.sampled_from([Role.HOUSE, Role.HOUSE, Role.HOUSE, Role.BUYER, Role.SELLER])
FINAL = (Trade.TRADE_FINISHED, Trade.TRADE_CLOSED)


class Escrows(RuleBasedStateMachine):
    """Three escrows of two buyers and two sellers; any command at any time, crashes in between."""

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
TestEscrows.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
