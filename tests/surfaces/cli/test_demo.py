"""``formicary demo`` on a ledger in memory; ``tests/runtime`` has it on a real journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from formicary.economy import fraud_handbook, online_retail
from formicary.economy.reconciliation import ReconciliationRow
from formicary.factory.follower import Finding
from formicary.surfaces.cli import demo_lending, demo_sources
from formicary.surfaces.cli.demo_merchant import RULES
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import SOUND, MemoryProgram, Terminal


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_sources, "_INVENTED_INVOICES", 30)
    monkeypatch.setattr(demo_sources, "_INVENTED_PAYMENTS", 200)
    monkeypatch.setattr(demo_sources, "_INVENTED_DAYS", 20)
    monkeypatch.setattr(demo_lending, "_NIGHTS", 9)
    monkeypatch.setattr(demo_lending, "_PEOPLE", 2)
    monkeypatch.setattr(demo_sources, "_INVENTED_CUSTOMERS", 10)


def test_everything_balances(terminal: Terminal, program: MemoryProgram) -> None:
    """Rules, results and proof are told; what was invented is said so."""
    assert terminal.run("demo") == ExitCode.DONE
    assert all(rule in terminal.out for rule in RULES)
    assert "trial balance, GBP" in terminal.out
    assert "a small merchant is invented" in terminal.err
    assert "Everything balances to the penny." in terminal.err
    [(fresh, _)] = program.demos
    assert fresh


def test_as_a_document(terminal: Terminal, program: MemoryProgram) -> None:
    """The document reconciles by itself: the file's sum is what moved and what was left over."""
    document = terminal.json("demo", "--keep")
    merchant, cards = document["merchant"], document["cards"]
    assert merchant["sum_mills"] == 10 * merchant["merchant_balance"] + merchant["rounding_mills"]
    assert sum(row["mills"] for row in merchant["reconciliation"]) == merchant["sum_mills"]
    assert merchant["left_in_escrow"] == 0
    trades = merchant["escrow"]["trades"]
    assert (
        trades["WAIT_BUYER_PAY"] == trades["TRADE_FINISHED"] + trades["TRADE_CLOSED"] == merchant["payments"]
    )
    assert merchant["escrow"]["timers"]["auto_confirm"]["fired"] > 0
    assert cards["received"] == cards["paid"] > 0
    assert document["proof"]["trial_balance"] == {"GBP": 0, "CHF": 0, "EUR": 0}
    assert document["balances"] is True
    assert program.demos[0][0] is False


def test_without_cards(terminal: Terminal) -> None:
    """The card payments can be left out, and those that are checked."""
    assert terminal.json("demo", "--no-cards")["cards"] is None
    assert terminal.run("demo", "--no-cards", "--no-checked") == ExitCode.DONE
    assert "terminals" not in terminal.out
    assert "checked payments" not in terminal.out


def test_real_data_are_read(terminal: Terminal, program: MemoryProgram, tmp_path: Path) -> None:
    """Where the data sets are, they are replayed."""
    program.data_sets = tmp_path
    retail, cards = (tmp_path / module.DATA_SET for module in (online_retail, fraud_handbook))
    for path in (retail, cards):
        path.parent.mkdir()
    at = pl.datetime(2011, 1, 1)
    pl.select(
        InvoiceNo=pl.lit("1"), InvoiceDate=at, CustomerID=7.0, Quantity=2, UnitPrice=0.125
    ).write_parquet(retail)
    pl.select(TRANSACTION_ID=0, TX_DATETIME=at, CUSTOMER_ID=1, TERMINAL_ID=2, TX_AMOUNT=1.5).write_parquet(
        cards
    )
    document = terminal.json("demo")
    assert (document["merchant"]["gross"], document["cards"]["paid"]) == (25, 150)
    assert document["sources"][0].startswith("1 real invoice lines")


@pytest.mark.parametrize(
    "verification",
    [
        replace(SOUND, state_hash=1),
        replace(SOUND, findings=(Finding(what="journal", position=1, message="gap"),)),
    ],
)
def test_another_hash_or_a_finding_is_no_balance(
    terminal: Terminal, program: MemoryProgram, verification: object
) -> None:
    """A demo that does not hold says so and ends with a finding."""
    program.demo_verification = verification  # type: ignore[assignment]
    assert terminal.run("demo", "--no-cards") == ExitCode.FINDINGS
    assert "THIS DOES NOT BALANCE." in terminal.err


def test_a_penny_is_missed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reconciliation that is a penny off is a finding."""
    # Whatever the rows leave over, this is something else.
    monkeypatch.setattr(ReconciliationRow, "left_over_mills", 1_000_000)
    assert terminal.run("demo", "--no-cards") == ExitCode.FINDINGS
