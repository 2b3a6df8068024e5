"""The example product once more, by hand: what it should do, without the factory's help."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, NoReturn

from formicary.factory.engine.requests import derive_id
from formicary.factory.ledger import AccountFlags, TransferFlags
from tests.factory.engine import example_product as product
from tests.factory.ledger.oracle_rules import TOTALS, Record

__all__ = ["Escrow", "Refused", "Wish", "decide_command", "decide_timer", "refuse"]

_NOTHING: Final = dict.fromkeys(("user_data_128", "user_data_64", "user_data_32", "timestamp"), 0)


class Refused(Exception):
    """The product or the ledger said no."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def refuse(code: str) -> NoReturn:
    """Raise ``Refused``."""
    raise Refused(code)


class Escrow(NamedTuple):
    """What is known of one escrow; before it is opened it may have stars."""

    status: str = ""
    amount: int = 0
    buyer: int = 0
    seller: int = 0
    reminders: int = 0


class Wish(NamedTuple):
    """What a decision is to do."""

    events: tuple[tuple[str, dict[str, Any]], ...] = ()
    accounts: tuple[Record, ...] = ()
    payments: tuple[tuple[int, int, int], ...] = ()
    timers: tuple[tuple[str, int], ...] = ()
    answer: dict[str, int] = {}  # noqa: RUF012 - never changed
    escrow: Escrow | None = None

    def chain(self, command_id: int) -> list[Record]:
        """Return the payments as one linked chain of transfers."""
        chain: list[Record] = [
            {
                "id": derive_id(command_id, ordinal),
                "debit_account_id": debit,
                "credit_account_id": credit,
                "amount": amount,
                "pending_id": 0,
                "timeout": 0,
                "ledger": product.CURRENCY,
                "code": product.ESCROW_CODE,
                "flags": int(TransferFlags.LINKED),
                **_NOTHING,
            }
            for ordinal, (debit, credit, amount) in enumerate(self.payments)
        ]
        if chain:
            chain[-1]["flags"] = 0
        return chain


def decide_command(command: Any, escrow: Escrow | None, now: int) -> Wish:
    """Return what a command does, or raise ``Refused``."""
    known = escrow or Escrow()
    if isinstance(command, product.RateEscrow):
        if command.stars not in range(1, 6):
            refuse("too_many_stars")
        rated = ("escrow.EscrowRated", {"type": "EscrowRated", "stars": command.stars})
        return Wish(events=(rated,), answer={"stars": command.stars}, escrow=known)
    if isinstance(command, product.OpenEscrow):
        if known.status:
            refuse("escrow_exists")
        return _opening(command, now)
    if known.status != "open":
        refuse("escrow_not_open")
    return _release(command.subject, known)


def decide_timer(name: str, subject: int, escrow: Escrow | None, now: int) -> Wish:
    """Return what a timer does, or raise ``Refused``."""
    if escrow is None or escrow.status != "open":
        refuse("escrow_not_open")
    if name == "lapse":
        return Wish(
            events=(("escrow.EscrowLapsed", {"type": "EscrowLapsed"}),),
            payments=((subject, escrow.buyer, escrow.amount),),
            escrow=escrow._replace(status="lapsed"),
        )
    reminded = escrow._replace(reminders=escrow.reminders + 1)
    timers = (("remind", now + 10**9),) if reminded.reminders < product.REMINDERS_MAX else ()
    return Wish(
        events=(("escrow.EscrowReminded", {"type": "EscrowReminded"}),), timers=timers, escrow=reminded
    )


def _opening(command: product.OpenEscrow, now: int) -> Wish:
    account = {
        "id": command.subject,
        "ledger": product.CURRENCY,
        "code": product.ESCROW_CODE,
        "flags": int(AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS),
        "credit_limit": 0,
        **_NOTHING,
        **dict.fromkeys(TOTALS, 0),
    }
    sides = {"buyer": f"{command.buyer:032x}", "seller": f"{command.seller:032x}"}
    return Wish(
        events=(("escrow.EscrowOpened", {"type": "EscrowOpened", **sides, "amount": command.amount}),),
        accounts=(account,),
        payments=((command.buyer, command.subject, command.amount),),
        timers=(("remind", now + command.seconds * 10**9 // 2), ("lapse", now + command.seconds * 10**9)),
        answer={"due": now + command.seconds * 10**9},
        escrow=Escrow("open", command.amount, command.buyer, command.seller),
    )


def _release(subject: int, escrow: Escrow) -> Wish:
    fee = escrow.amount // 10
    return Wish(
        events=(("escrow.EscrowReleased", {"type": "EscrowReleased", "fee": fee}),),
        payments=((subject, escrow.seller, escrow.amount - fee), (subject, product.FEE_ACCOUNT, fee)),
        answer={"fee": fee},
        escrow=escrow._replace(status="released"),
    )
