"""``formicary lending funds``: own funds, borrowed money and cash to lend from."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from formicary.client.lending_funds import LendingFundsTold
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
    funds.command("pay-in")(pay_in)
    funds.command("take-out")(take_out)
    funds.command("borrow")(borrow)
    funds.command("pay-back")(pay_back)
    funds.command("pay-cost")(pay_cost)
    funds.command("pay-sellers")(pay_sellers)
    funds.command("partner-pay-in")(partner_pay_in)
    funds.command("pay-partner")(pay_partner)
    lending.add_typer(funds, name="funds")


def show(context: typer.Context, currency: CurrencyArgument, *, as_json: AsJson = False) -> None:
    """Show own funds, what is borrowed, what is payable, and cash."""
    with program_of(context).client() as client:
        _write(client.funds.show(currency), as_json=as_json)


def pay_in(
    context: typer.Context,
    currency: CurrencyArgument,
    amount: AmountArgument,
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Pay own funds in: what the house lends is a multiple of them at most."""
    with program_of(context).client() as client:
        _write(client.funds.pay_in(currency, amount, key=key), as_json=as_json)


def take_out(
    context: typer.Context,
    currency: CurrencyArgument,
    amount: AmountArgument,
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Take own funds out, paid in or earned, as far as there is cash."""
    with program_of(context).client() as client:
        _write(client.funds.take_out(currency, amount, key=key), as_json=as_json)


def borrow(
    context: typer.Context,
    currency: CurrencyArgument,
    amount: AmountArgument,
    *,
    rate: RateOption,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Borrow money at a rate; what it costs is booked with each close."""
    with program_of(context).client() as client:
        _write(client.funds.borrow(currency, amount, rate, key=key), as_json=as_json)


def pay_back(
    context: typer.Context,
    currency: CurrencyArgument,
    amount: AmountArgument,
    *,
    rate: RateOption,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Pay back what is borrowed at a rate."""
    with program_of(context).client() as client:
        _write(client.funds.pay_back(currency, amount, rate, key=key), as_json=as_json)


def pay_cost(
    context: typer.Context,
    currency: CurrencyArgument,
    amount: AmountArgument,
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Pay interest that borrowed money has cost so far."""
    with program_of(context).client() as client:
        _write(client.funds.pay_cost(currency, amount, key=key), as_json=as_json)


def pay_sellers(
    context: typer.Context,
    currency: CurrencyArgument,
    amount: AmountArgument,
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Pay for loans that were taken over from other books."""
    with program_of(context).client() as client:
        _write(client.funds.pay_sellers(currency, amount, key=key), as_json=as_json)


def partner_pay_in(
    context: typer.Context,
    currency: CurrencyArgument,
    amount: AmountArgument,
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Let a partner pay in, out of which its share of joint loans is lent."""
    with program_of(context).client() as client:
        _write(client.funds.partner_pay_in(currency, amount, key=key), as_json=as_json)


def pay_partner(
    context: typer.Context,
    currency: CurrencyArgument,
    amount: AmountArgument,
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Pay a partner of its money: not lent yet, paid back, or earned."""
    with program_of(context).client() as client:
        _write(client.funds.pay_partner(currency, amount, key=key), as_json=as_json)


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
