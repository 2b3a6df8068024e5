"""``formicary lending funds``: own funds, borrowed money and cash to lend from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
import typer

from formicary.client.lending_funds import LendingFunds, LendingFundsTold
from formicary.surfaces.cli.api_output import new_group
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, program_of
from formicary.surfaces.cli.output import write_json, write_table

__all__ = ["register"]

CurrencyArgument = Annotated[str, typer.Argument(help="ISO 4217 code.")]
AmountArgument = Annotated[int, typer.Argument(min=1, help="Minor units.")]
RateOption = Annotated[int, typer.Option("--rate", min=0, help="Billionths a year of 365 days.")]


def register(lending: typer.Typer) -> None:
    """Add the commands to the group."""
    funds = new_group("What there is to lend from, with a key of the house: show it, pay in, borrow.")
    funds.command("show")(show)
    for name, (command, words) in _MOVES.items():
        funds.command(name, help=words)(command)
    lending.add_typer(funds, name="funds")


def show(context: typer.Context, currency: CurrencyArgument, *, as_json: AsJson = False) -> None:
    """Show own funds, what is borrowed, what is payable, and cash."""
    with program_of(context).client() as client:
        _write(client.funds.show(currency), as_json=as_json)


def _moving(ask: Callable[..., LendingFundsTold]) -> Callable[..., None]:
    """Return a command that moves an amount."""

    def move(
        context: typer.Context,
        currency: CurrencyArgument,
        amount: AmountArgument,
        *,
        key: IdempotencyKey = None,
        as_json: AsJson = False,
    ) -> None:
        with program_of(context).client() as client:
            _write(ask(client.funds, currency, amount, key=key), as_json=as_json)

    return move


def _borrowing(ask: Callable[..., LendingFundsTold]) -> Callable[..., None]:
    """Return a command that moves an amount at a rate."""

    def move(
        context: typer.Context,
        currency: CurrencyArgument,
        amount: AmountArgument,
        *,
        rate: RateOption,
        key: IdempotencyKey = None,
        as_json: AsJson = False,
    ) -> None:
        with program_of(context).client() as client:
            _write(ask(client.funds, currency, amount, rate, key=key), as_json=as_json)

    return move


def _write(told: LendingFundsTold, *, as_json: bool) -> None:
    if as_json:
        write_json(msgspec.to_builtins(told))
        return
    sums = [
        (name.replace("_", " "), f"{value:,}")
        for name, value in msgspec.to_builtins(told).items()
        if isinstance(value, int)
    ]
    title = f"{told.currency}, accounted until {told.accounted_until}"
    write_table(("funds", ">minor units"), sums, title=title)
    borrowed = [(f"{one.rate:,}", f"{one.amount:,}") for one in told.borrowings]
    write_table((">borrowed at, billionths a year", ">minor units"), borrowed)


_MOVES: Final = {
    "pay-in": (
        _moving(LendingFunds.pay_in),
        "Pay own funds in: what the house lends is a multiple of them at most.",
    ),
    "take-out": (
        _moving(LendingFunds.take_out),
        "Take own funds out, paid in or earned, as far as there is cash.",
    ),
    "borrow": (
        _borrowing(LendingFunds.borrow),
        "Borrow money at a rate; what it costs is booked with each close.",
    ),
    "pay-back": (_borrowing(LendingFunds.pay_back), "Pay back what is borrowed at a rate."),
    "pay-cost": (_moving(LendingFunds.pay_cost), "Pay interest that borrowed money has cost so far."),
    "pay-sellers": (
        _moving(LendingFunds.pay_sellers),
        "Pay for loans that were taken over from other books.",
    ),
    "partner-pay-in": (
        _moving(LendingFunds.partner_pay_in),
        "Let a partner pay in, out of which its share of joint loans is lent.",
    ),
    "pay-partner": (
        _moving(LendingFunds.pay_partner),
        "Pay a partner of its money: not lent yet, paid back, or earned.",
    ),
}
"""Commands that move money, by name, with what they say they do."""
