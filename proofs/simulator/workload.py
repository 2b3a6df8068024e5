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
    STARS_MAX,
    OpenEscrow,
    RateEscrow,
    ReleaseEscrow,
)

__all__ = ["Workload"]

BANK: Final = 1
CUSTOMERS: Final = (3, 4, 5, 6)
NOBODY: Final = 99
_FLOOR: Final = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
_RESOLVES: Final = (TransferFlags.POST_PENDING_TRANSFER, TransferFlags.VOID_PENDING_TRANSFER)
_BALANCING: Final = (TransferFlags.BALANCING_DEBIT, TransferFlags.BALANCING_CREDIT)
# Enough of them at once fill the tables that are kept small here.
_HOLDS_MAX: Final = 8
_ESCROWS_MAX: Final = 4
_OPERATION_WEIGHTS: Final = (50, 35, 12, 3)
_TRANSFER_WEIGHTS: Final = (4, 3, 3)
_COMMAND_WEIGHTS: Final = (4, 3, 3)


class Workload:
    """Makes operations, one after the other, from dice."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._random = dice.random
        self._count = 0
        self._holds: list[Transfer] = []
        self._escrows: list[int] = []
        self._keys = 0

    def next(self) -> Operation:
        """Return the next operation; the first two make everyone else's possible, if they come in time."""
        self._count += 1
        match self._count:
            case 1:
                return ledger_operation("open accounts", account_array(self._accounts()))
            case 2:
                funding = [self._transfer((BANK, one), 200) for one in CUSTOMERS]
                return ledger_operation("fund", transfer_array(funding))
        (make,) = self._random.choices(
            (self._transfers, self._command, self._read, self._accounts_again), _OPERATION_WEIGHTS
        )
        return make()

    def _read(self) -> Operation:
        return read_operation("read", tuple(self._random.sample((BANK, *CUSTOMERS, NOBODY), 3)))

    def _accounts_again(self) -> Operation:
        return ledger_operation("open accounts again", account_array(self._accounts()[:3]))

    def _accounts(self) -> list[Account]:
        customers = [
            Account(
                id=one, ledger=CURRENCY, code=2, flags=_FLOOR, credit_limit=30 if one == CUSTOMERS[0] else 0
            )
            for one in CUSTOMERS
        ]
        return [Account(id=one, ledger=CURRENCY, code=1) for one in (BANK, FEE_ACCOUNT)] + customers

    # -- transfers -------------------------------------------------------------------------

    def _transfers(self) -> Operation:
        chain = [self._any_transfer() for _ in range(self._random.choice((1, 1, 2, 3)))]
        array = transfer_array(chain)
        if len(chain) > 1 and self._dice.chance(0.5):
            array["flags"][:-1] |= int(TransferFlags.LINKED)
        return ledger_operation("transfers", array)

    def _any_transfer(self) -> Transfer:
        (make,) = self._random.choices((self._plain, self._hold, self._resolution), _TRANSFER_WEIGHTS)
        return make()

    def _plain(self) -> Transfer:
        flags = self._random.choice(_BALANCING) if self._dice.chance(0.1) else TransferFlags.NONE
        return self._transfer(self._sides(), self._amount(), flags=flags)

    def _hold(self) -> Transfer:
        if len(self._holds) == _HOLDS_MAX:
            return self._plain()
        timeout = self._random.choice((0, 1, 1, 2, 5))
        hold = self._transfer(self._sides(), self._amount(), flags=TransferFlags.PENDING, timeout=timeout)
        self._holds.append(hold)
        return hold

    def _resolution(self) -> Transfer:
        if not self._holds:
            return self._hold()
        hold = self._random.choice(self._holds[-4:])
        flags = self._random.choice(_RESOLVES)
        whole = AMOUNT_MAX if flags == TransferFlags.POST_PENDING_TRANSFER else 0
        amount = self._random.choice((whole, whole, hold.amount, hold.amount // 2))
        return Transfer(id=self._new_id(), pending_id=hold.id, amount=amount, flags=flags)

    def _sides(self) -> tuple[int, int]:
        debit, credit = self._random.sample((BANK, *CUSTOMERS), 2)
        return debit, credit

    def _amount(self) -> int:
        return self._random.choice((0, 1, 5, 20, 60, 150))

    def _new_id(self) -> int:
        return self._random.getrandbits(128) | 1

    def _transfer(self, sides: tuple[int, int], amount: int, *, flags: int = 0, timeout: int = 0) -> Transfer:
        return Transfer(
            id=self._new_id(),
            debit_account_id=sides[0],
            credit_account_id=sides[1],
            amount=amount,
            flags=flags,
            timeout=timeout,
            ledger=CURRENCY,
            code=3,
        )

    # -- commands --------------------------------------------------------------------------

    def _command(self) -> Operation:
        if not (self._keys and self._dice.fault(Fault.KEY_REUSED)):
            self._keys += 1
        if not self._escrows:
            return self._open_escrow()
        (make,) = self._random.choices((self._open_escrow, self._rate, self._release), _COMMAND_WEIGHTS)
        return make()

    def _open_escrow(self) -> Operation:
        if len(self._escrows) == _ESCROWS_MAX:
            return self._rate()
        again = self._escrows and self._dice.chance(0.1)
        subject = self._random.choice(self._escrows) if again else self._new_id()
        self._escrows.append(subject)
        buyer, seller = self._random.sample(CUSTOMERS, 2)
        amount, seconds = self._random.choice((0, 7, 30, 90)), self._random.choice((0, 1, 5, 60, 3_600))
        command = OpenEscrow(subject=subject, buyer=buyer, seller=seller, amount=amount, seconds=seconds)
        return command_operation("open escrow", self._key(), command)

    def _rate(self) -> Operation:
        command = RateEscrow(
            subject=self._random.choice(self._escrows), stars=self._random.randint(0, STARS_MAX)
        )
        return command_operation("rate escrow", self._key(), command)

    def _release(self) -> Operation:
        command = ReleaseEscrow(subject=self._random.choice(self._escrows))
        return command_operation("release escrow", self._key(), command)

    def _key(self) -> str:
        return f"key-{self._keys}"
