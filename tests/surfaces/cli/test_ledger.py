"""``formicary ledger`` on a ledger in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from formicary.base.ids import format_id
from formicary.factory.ledger import Transfer
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import NOON, MemoryProgram, Terminal

SECOND = 1_000_000_000
ONE, TWO = format_id(1), format_id(2)


@pytest.fixture
def funded(terminal: Terminal, program: MemoryProgram) -> Terminal:
    """Two accounts in pounds, one with a floor, and a transfer of 12.50 at noon."""
    assert terminal.run("ledger", "create-account", "--id", "1", "--ledger", "GBP") == ExitCode.DONE
    options = ("--flag", "debits_must_not_exceed_credits", "--credit-limit", "5", "--code", "2")
    assert terminal.run("ledger", "create-account", "--id", "2", "--ledger", "GBP", *options) == ExitCode.DONE
    program.clock.advance(SECOND)
    assert transfer(terminal, "--id", "7", "--from", "1", "--to", "2", "--amount", "12.50") == ExitCode.DONE
    return terminal


def transfer(terminal: Terminal, *options: str) -> int:
    """Make a transfer in pounds; return the exit code."""
    return terminal.run("ledger", "transfer", "--ledger", "GBP", *options)


def test_create_account_again_changes_nothing(funded: Terminal) -> None:
    """The same id and content again is done, not refused."""
    assert funded.run("ledger", "create-account", "--id", "1", "--ledger", "GBP") == ExitCode.DONE
    assert "exists" in funded.out


def test_create_account_makes_an_id(terminal: Terminal) -> None:
    """Without an id a new one is made and written."""
    document = terminal.json("ledger", "create-account", "--ledger", "JPY")
    assert document["status"] == "created"
    account = terminal.json("ledger", "account", document["id"])
    assert (account["ledger_name"], account["code"]) == ("JPY", 1)


def test_a_refused_account_has_its_status(funded: Terminal) -> None:
    """The ledger's own word says why, and the exit code that trying again does not help."""
    assert funded.run("ledger", "create-account", "--id", "1", "--ledger", "EUR") == ExitCode.REFUSED
    assert "exists_with_different_ledger" in funded.err
    assert funded.out == ""


def test_a_refused_transfer_has_its_status(funded: Terminal) -> None:
    """The credit limit counts: 12.50 and 5.00 may be spent, not a penny more."""
    assert transfer(funded, "--from", "2", "--to", "1", "--amount", "17.51") == ExitCode.REFUSED
    assert "exceeds_credits" in funded.err
    assert transfer(funded, "--from", "2", "--to", "1", "--amount", "17.50", "--json") == ExitCode.DONE
    assert '"created"' in funded.out


def test_hold_and_post(funded: Terminal) -> None:
    """A hold is made by a flag and posted by its id."""
    hold = (
        "--id",
        "8",
        "--from",
        "2",
        "--to",
        "1",
        "--amount",
        "3",
        "--flag",
        "pending",
        "--timeout-seconds",
        "60",
    )
    assert transfer(funded, *hold) == ExitCode.DONE
    post = ("--pending-id", "8", "--amount", "2", "--code", "1", "--flag", "post_pending_transfer")
    assert transfer(funded, *post) == ExitCode.DONE
    found = funded.json("ledger", "transfers", "2", "--newest", "--limit", "2")["transfers"]
    assert [(entry["amount"], entry["flags"]) for entry in found] == [
        (200, ["post_pending_transfer"]),
        (300, ["pending"]),
    ]
    assert (found[0]["pending_id"], found[1]["timeout_seconds"]) == (format_id(8), 60)


def test_an_unknown_flag_is_usage(terminal: Terminal) -> None:
    """The command line is wrong, not the request; the flags that exist are told."""
    assert transfer(terminal, "--flag", "urgent") == ExitCode.USAGE
    assert "post_pending_transfer" in terminal.err


def test_account(funded: Terminal) -> None:
    """One account with its totals, as a table and as a document."""
    assert funded.run("ledger", "account", "2") == ExitCode.DONE
    assert TWO in funded.out
    assert "12.50" in funded.out
    document = funded.json("ledger", "account", TWO)
    assert (document["credits_posted"], document["credit_limit"]) == (1_250, 500)
    assert document["flags"] == ["debits_must_not_exceed_credits"]


def test_accounts(funded: Terminal) -> None:
    """Accounts are listed in order of opening, or by ledger and code."""
    found = funded.json("ledger", "accounts")["accounts"]
    assert [account["id"] for account in found] == [ONE, TWO]
    found = funded.json("ledger", "accounts", "--ledger", "GBP", "--code", "2")["accounts"]
    assert [account["id"] for account in found] == [TWO]
    assert funded.json("ledger", "accounts", "--newest", "--limit", "1")["accounts"][0]["id"] == TWO
    assert funded.run("ledger", "accounts") == ExitCode.DONE
    assert ONE in funded.out


def test_transfers(funded: Terminal) -> None:
    """All transfers, or those of one account, within a time."""
    assert funded.run("ledger", "transfers") == ExitCode.DONE
    assert "12.50" in funded.out
    assert [entry["id"] for entry in funded.json("ledger", "transfers")["transfers"]] == [format_id(7)]
    assert len(funded.json("ledger", "transfers", "1", "--until", "2011-12-09T12:50:00Z")["transfers"]) == 0
    assert len(funded.json("ledger", "transfers", "--since", "2011-12-09T12:50:01Z")["transfers"]) == 1


def test_entries(funded: Terminal) -> None:
    """An account's totals after each entry."""
    assert funded.run("ledger", "entries", "2") == ExitCode.DONE
    assert "2011-12-09T12:50:01" in funded.out
    document = funded.json("ledger", "entries", "2")
    assert document["account_id"] == TWO
    assert [entry["credits_posted"] for entry in document["entries"]] == [1_250]


@pytest.mark.parametrize(
    ("as_of", "posted"), [("2011-12-09T12:50:00.5Z", 0), ("2011-12-09T12:50:02Z", 1_250)]
)
def test_balance_as_of(funded: Terminal, as_of: str, posted: int) -> None:
    """The totals as they were at any time since the account was opened."""
    document = funded.json("ledger", "balance", "2", "--as-of", as_of)
    assert (document["credits_posted"], document["ledger_name"]) == (posted, "GBP")


def test_balance_now(funded: Terminal) -> None:
    """Without a time the totals are those of now."""
    assert funded.json("ledger", "balance", "1")["as_of"] == "now"
    assert funded.run("ledger", "balance", "1") == ExitCode.DONE
    assert "12.50" in funded.out


def test_balance_before_opening(funded: Terminal) -> None:
    """An account has no balance before it was opened."""
    assert funded.run("ledger", "balance", "2", "--as-of", "2011-12-09") == ExitCode.REFUSED
    assert "account_not_found" in funded.err


@pytest.mark.parametrize("command", ["account", "entries", "balance", "transfers"])
def test_unknown_accounts_are_refused(terminal: Terminal, command: str) -> None:
    """Asking about an account that does not exist is no empty answer."""
    assert terminal.run("ledger", command, "99") == ExitCode.REFUSED
    assert "account_not_found" in terminal.err


def test_trial_balance(funded: Terminal) -> None:
    """Debits and credits of a ledger are equal."""
    [ledger] = funded.json("ledger", "trial-balance")["ledgers"]
    assert (ledger["debits_posted"], ledger["credits_posted"]) == (1_250, 1_250)
    assert (ledger["pending_difference"], ledger["posted_difference"]) == (0, 0)
    assert funded.run("ledger", "trial-balance") == ExitCode.DONE
    assert "GBP" in funded.out


def test_unbalanced_books_are_a_finding(funded: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger whose sums differ is told by the exit code, pending and posted apart."""
    sums: dict[int, Any] = {826: (5, 1_250, 0, 1_255)}
    monkeypatch.setattr(type(funded.program.book), "trial_balance", lambda _: sums)
    assert funded.run("ledger", "trial-balance") == ExitCode.FINDINGS
    assert "0.05" in funded.out
    assert "-0.05" in funded.out


def test_times_are_the_ledgers(funded: Terminal) -> None:
    """Documents carry the stamp itself beside its text."""
    document = funded.json("ledger", "account", "1")
    assert (document["timestamp"], document["at"]) == (NOON, "2011-12-09T12:50:00.000000000Z")


REFERENCE = format_id(9)
PERIOD = ("--since", "2011-12-09T00:00:00Z", "--until", "2011-12-09T23:59:59Z")
BOOKED = "booked_at,amount,currency,reference\n2011-12-09T12:50:00Z,{},GBP,00000000000000000000000000000009\n"


def book_reference_9(terminal: Terminal, number: int, *, debit: int, credit: int) -> None:
    """Move a pound under the reference 9."""
    ids = {"id": number, "debit_account_id": debit, "credit_account_id": credit, "user_data_128": 9}
    made = Transfer(**ids, amount=100, ledger=826, code=1)
    assert terminal.program.book.create_transfers([made])["status"].tolist() == [0]


@pytest.fixture
def booked(funded: Terminal) -> Terminal:
    """Debit account 1 with a pound of reference 9: as a mirror it says that money came in at the bank."""
    book_reference_9(funded, 90, debit=1, credit=2)
    return funded


def test_a_file_that_agrees(booked: Terminal, tmp_path: Path) -> None:
    """Lines of the period meet by reference and amount; others are not of this period."""
    file = tmp_path / "bank.csv"
    file.write_text(BOOKED.format("1.00") + "2011-12-10,9.00,GBP,00000000000000000000000000000009\n")
    document = booked.json("ledger", "reconcile", "1", str(file), *PERIOD)
    assert document["matched"] == 1
    assert [one["kind"] for one in document["differences"]] == ["in the ledger, not in the file"]
    assert document["differences"][0]["ledger"]["amount"] == 1250


def test_a_file_that_differs(booked: Terminal, tmp_path: Path) -> None:
    """Each difference is a line of the table, and the command ends with a finding."""
    file = tmp_path / "bank.csv"
    file.write_text(BOOKED.format("1.01"))
    assert booked.run("ledger", "reconcile", "1", str(file), *PERIOD) == ExitCode.FINDINGS
    assert "another amount" in booked.out
    assert REFERENCE in booked.out
    assert "13.50" in booked.out


def test_a_file_as_a_statement(booked: Terminal, tmp_path: Path) -> None:
    """A camt.053 document is known by itself; what cannot be read is refused."""
    file = tmp_path / "bank.xml"
    file.write_text("<Document><BkToCstmrStmt/></Document>")
    document = booked.json("ledger", "reconcile", "1", str(file), *PERIOD)
    assert (document["matched"], document["file_sum"], document["ledger_sum"]) == (0, 0, 1350)
    file.write_bytes(b"\xff")
    assert booked.run("ledger", "reconcile", "1", str(file), *PERIOD) == ExitCode.REFUSED
    assert booked.run("ledger", "reconcile", "1", str(tmp_path), *PERIOD) == ExitCode.REFUSED
    assert "cannot be read" in booked.err


def test_what_is_open(booked: Terminal) -> None:
    """By age and reference; what sums to zero is closed."""
    book_reference_9(booked, 91, debit=2, credit=1)
    document = booked.json("ledger", "ageing", "1", "--as-of", "2011-12-14T00:00:00Z")
    of_five_days = document["buckets"][2]
    assert (of_five_days["days_above"], of_five_days["days_up_to"], of_five_days["booked"]) == (3, 7, -1250)
    assert [item["reference"] for item in of_five_days["items"]] == [format_id(0)]
    assert booked.run("ledger", "ageing", "1") == ExitCode.DONE
    assert "above 30 days" in booked.out
    assert booked.run("ledger", "ageing", "5") == ExitCode.REFUSED
