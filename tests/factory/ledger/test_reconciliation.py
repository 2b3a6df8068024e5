"""Reconciliation explains every difference; files that cannot be read are refused whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.currencies import currency
from formicary.base.limits import BANK_FILE_BYTES_MAX
from formicary.factory.ledger import reconciliation
from formicary.factory.ledger.reconciliation import (
    DifferenceKind,
    Line,
    MalformedStatement,
    read_camt053,
    read_csv,
    reconcile,
)

GBP = currency("GBP")
REFERENCE = "0" * 31 + "7"
HEADER = "booked_at,amount,currency,reference\n"


def line(reference: int, amount: int, at: int = 0) -> Line:
    """Return a line."""
    return Line(at=at, amount=amount, reference=reference)


LINES = st.lists(st.builds(line, st.integers(1, 4), st.integers(-3, 3), st.integers(0, 5)), max_size=12)


def test_what_is_equal_meets() -> None:
    """In any order, also when a reference moves twice."""
    lines = [line(1, 5), line(2, -5), line(1, -5, at=9)]
    found = reconcile(lines, lines[::-1])
    assert found.reconciles
    assert (found.matched, found.file_sum, found.ledger_sum) == (3, -5, -5)


def test_each_difference_is_named() -> None:
    """Missing on either side, twice, and another amount."""
    file = [line(1, 5), line(2, 7), line(3, 1), line(3, 1)]
    ledger = [line(1, 5), line(2, 8), line(3, 1), line(4, -2)]
    found = reconcile(file, ledger)
    kinds = [(difference.kind, difference.amount) for difference in found.differences]
    assert kinds == [
        (DifferenceKind.OTHER_AMOUNT, -1),
        (DifferenceKind.NOT_IN_LEDGER, 1),
        (DifferenceKind.NOT_IN_FILE, 2),
    ]
    assert not found.reconciles


@given(LINES, LINES)
def test_the_differences_explain_the_sums(file: list[Line], ledger: list[Line]) -> None:
    """To the minor unit, and every line is either met or listed, once."""
    found = reconcile(file, ledger)
    assert found.file_sum - found.ledger_sum == sum(difference.amount for difference in found.differences)
    listed = [difference.file for difference in found.differences if difference.file]
    assert found.matched + len(listed) == len(file)
    listed = [difference.ledger for difference in found.differences if difference.ledger]
    assert found.matched + len(listed) == len(ledger)
    assert reconcile(file, file).reconciles


def test_a_csv_file() -> None:
    """Columns are found by name, whatever else is there."""
    text = f"note,reference,currency,amount,booked_at\nx,{REFERENCE},GBP,-1.25,2011-12-09\n"
    assert read_csv(text, GBP) == [line(7, -125, 1_323_388_800 * 10**9)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "needs the columns"),
        ("booked_at,amount\n", "needs the columns"),
        (HEADER + f"2011-12-09,1.00,EUR,{REFERENCE}\n", "line 2: its currency is 'EUR'"),
        (HEADER + f"2011-12-09,1.005,GBP,{REFERENCE}\n", "line 2"),
        (HEADER + f"2011-12-09,1e5,GBP,{REFERENCE}\n", "line 2"),
        (HEADER + f"today,1.00,GBP,{REFERENCE}\n", "line 2"),
        (HEADER + "2011-12-09,1.00,GBP,note\n", "line 2: its reference"),
        (HEADER + "2011-12-09,1.00,GBP\n", "line 2: its reference"),
        (HEADER + '2011-12-09,"1.00\n', "unexpected end of data"),
    ],
)
def test_a_csv_file_that_cannot_be_read(text: str, why: str) -> None:
    """The place is named, and nothing is used."""
    with pytest.raises(MalformedStatement, match=why):
        read_csv(text, GBP)


def entry(**changed: str) -> str:
    """Return an entry of a document."""
    parts = {
        "amount": '<Amt Ccy="GBP">1.25</Amt>',
        "side": "<CdtDbtInd>DBIT</CdtDbtInd>",
        "status": "<Sts>BOOK</Sts>",
        "date": "<BookgDt><Dt>2011-12-09</Dt></BookgDt>",
    } | changed
    details = f"<NtryDtls><TxDtls><Refs><EndToEndId>{REFERENCE}</EndToEndId></Refs></TxDtls></NtryDtls>"
    return f"<Ntry>{''.join(parts.values())}{details}</Ntry>"


def document(*entries: str, head: str = "") -> bytes:
    """Return a document of an older version of the standard."""
    space = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
    body = f"<BkToCstmrStmt><Stmt>{''.join(entries)}</Stmt></BkToCstmrStmt>"
    return f'{head}<Document xmlns="{space}">{body}</Document>'.encode()


def test_a_document_of_another_version() -> None:
    """Older versions are read as well; what is not booked yet is left out."""
    pending = entry(status="<Sts><Cd>PDNG</Cd></Sts>")
    assert read_camt053(document(entry(), pending), GBP) == [line(7, -125, 1_323_388_800 * 10**9)]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (b"", "no element found"),
        (b"<Document", "unclosed token"),
        (document(entry(amount="")), "entry 1: it has no amount or no side"),
        (document(entry(), entry(side="")), "entry 2: it has no amount or no side"),
        (document(entry(amount='<Amt Ccy="GBP"/>')), "entry 1"),
        (document(entry(amount="<Amt>1.00</Amt>")), "entry 1: its currency"),
        (document(entry(date="")), "entry 1"),
        (document(head='<!DOCTYPE x [<!ENTITY a "b">]>'), "document type"),
        (document().decode().encode("utf-16"), "document type"),
    ],
)
def test_a_document_that_cannot_be_read(broken: bytes, why: str) -> None:
    """The place is named; a document type, which could define entities without end, is refused unread."""
    with pytest.raises(MalformedStatement, match=why):
        read_camt053(broken, GBP)


def test_a_file_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before it is read."""
    assert len(document()) < BANK_FILE_BYTES_MAX
    monkeypatch.setattr(reconciliation, "BANK_FILE_BYTES_MAX", 10)
    with pytest.raises(MalformedStatement, match="more than 10 bytes"):
        read_csv(HEADER, GBP)
    with pytest.raises(MalformedStatement, match="more than 10 bytes"):
        read_camt053(document(), GBP)
