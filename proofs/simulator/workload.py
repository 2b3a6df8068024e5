"""What callers do all day: a few accounts, small amounts, holds, chains, commands, reads."""

from __future__ import annotations

from typing import Final

from formicary.factory.ledger import (
    AMOUNT_MAX,
    Account,
    AccountFlags,
    Transfer,
    TransferFlags,
    account_array,
    transfer_array,
)
from proofs.simulator.dice import Dice, Fault
from proofs.simulator.operations import Operation, command_operation, ledger_operation, read_operation
from tests.factory.engine.example_product import (
    CURRENCY,
    FEE_ACCOUNT,
    OpenEscrow,
    RateEscrow,
    ReleaseEscrow,
)

__all__ = ["Workload"]

BANK: Final = 1
CUSTOMERS: Final = (3, 4, 5, 6)
_FLOOR: Final = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
_RESOLVES: Final = (TransferFlags.POST_PENDING_TRANSFER, TransferFlags.VOID_PENDING_TRANSFER)
_BALANCING: Final = (TransferFlags.BALANCING_DEBIT, TransferFlags.BALANCING_CREDIT)
# Enough of them at once fill the tables that are kept small here.
_HOLDS_MAX: Final = 8
_ESCROWS_MAX: Final = 4


class Workload:
    """Makes operations, one after the other, from dice."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._random = dice.random
        self._count = 0
        self._holds: list[Transfer] = []
        self._escrows: list[int] = []
        self._keys = 0
        self._last_key = ""

    def next(self) -> Operation:
        """Return the next operation."""
        self._count += 1
        if self._count == 1:
            return ledger_operation("open accounts", account_array(self._accounts()))
        if self._count == 2:  # noqa: PLR2004 - the second thing that anyone does
            return ledger_operation(
                "fund", transfer_array([self._transfer(BANK, one, 200) for one in CUSTOMERS])
            )
        kind = self._random.random()
        if kind < 0.12:  # noqa: PLR2004 - a share of all operations, as the next ones
            return read_operation("read", tuple(self._random.sample((BANK, *CUSTOMERS, 99), 3)))
        if kind < 0.45:  # noqa: PLR2004
            return self._command()
        if kind < 0.48:  # noqa: PLR2004
            return ledger_operation("open accounts again", account_array(self._accounts()[:3]))
        chain = [self._any_transfer() for _ in range(self._random.choice((1, 1, 2, 3)))]
        array = transfer_array(chain)
        if len(chain) > 1 and self._dice.chance(0.5):
            array["flags"][:-1] |= int(TransferFlags.LINKED)
        return ledger_operation("transfers", array)

    def _accounts(self) -> list[Account]:
        customers = [
            Account(
                id=one, ledger=CURRENCY, code=2, flags=_FLOOR, credit_limit=30 if one == CUSTOMERS[0] else 0
            )
            for one in CUSTOMERS
        ]
        return [Account(id=one, ledger=CURRENCY, code=1) for one in (BANK, FEE_ACCOUNT)] + customers

    # -- transfers -------------------------------------------------------------------------

    def _any_transfer(self) -> Transfer:
        kind = self._random.random()
        if self._holds and kind < 0.35:  # noqa: PLR2004 - a share of all transfers
            return self._resolution(self._random.choice(self._holds[-4:]))
        debit, credit = self._random.sample((BANK, *CUSTOMERS), 2)
        amount = self._random.choice((0, 1, 5, 20, 60, 150))
        if kind < 0.6 and len(self._holds) < _HOLDS_MAX:  # noqa: PLR2004
            timeout = self._random.choice((0, 1, 1, 2, 5))
            hold = self._transfer(debit, credit, amount, flags=TransferFlags.PENDING, timeout=timeout)
            self._holds.append(hold)
            return hold
        flags = self._random.choice(_BALANCING) if self._dice.chance(0.1) else TransferFlags.NONE
        return self._transfer(debit, credit, amount, flags=flags)

    def _transfer(
        self, debit: int, credit: int, amount: int, *, flags: int = 0, timeout: int = 0
    ) -> Transfer:
        return Transfer(
            id=self._random.getrandbits(128) | 1,
            debit_account_id=debit,
            credit_account_id=credit,
            amount=amount,
            flags=flags,
            timeout=timeout,
            ledger=CURRENCY,
            code=3,
        )

    def _resolution(self, hold: Transfer) -> Transfer:
        flags = self._random.choice(_RESOLVES)
        whole = AMOUNT_MAX if flags == TransferFlags.POST_PENDING_TRANSFER else 0
        amount = self._random.choice((whole, whole, hold.amount, hold.amount // 2))
        return Transfer(id=self._random.getrandbits(128) | 1, pending_id=hold.id, amount=amount, flags=flags)

    # -- commands --------------------------------------------------------------------------

    def _command(self) -> Operation:
        if self._last_key and self._dice.fault(Fault.KEY_REUSED):
            key = self._last_key
        else:
            self._keys += 1
            key = self._last_key = f"key-{self._keys}"
        kind = self._random.random()
        if len(self._escrows) < _ESCROWS_MAX and (not self._escrows or kind < 0.4):  # noqa: PLR2004
            return command_operation("open escrow", key, self._opening())
        subject = self._random.choice(self._escrows)
        if kind < 0.7:  # noqa: PLR2004
            return command_operation(
                "rate escrow", key, RateEscrow(subject=subject, stars=self._random.randint(0, 5))
            )
        return command_operation("release escrow", key, ReleaseEscrow(subject=subject))

    def _opening(self) -> OpenEscrow:
        subject = self._random.getrandbits(128) | 1
        if self._escrows and self._dice.chance(0.1):
            subject = self._random.choice(self._escrows)
        self._escrows.append(subject)
        buyer, seller = self._random.sample(CUSTOMERS, 2)
        amount, seconds = self._random.choice((0, 7, 30, 90)), self._random.choice((0, 1, 5, 60, 3_600))
        return OpenEscrow(subject=subject, buyer=buyer, seller=seller, amount=amount, seconds=seconds)
