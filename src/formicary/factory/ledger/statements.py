"""Statements of an account: what was booked in a period, as CSV and as ISO 20022 camt.053.001.08.

Pure functions over entries. Amounts are signed minor units, positive where the account is credited;
of an account that mirrors one elsewhere (``mirrored``) the signs are those of its keeper's statement. A hold
books nothing before it is posted.

The document is a ``BankToCustomerStatementV08`` with the elements that the standard requires and those
that an accountant looks for: opening and closing booked balances, the sums by side, and each entry with
the account servicer's reference (the transfer's id) and the end-to-end reference.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as ET

import numpy.typing as npt

from formicary.base.currencies import Currency
from formicary.base.errors import Refusal
from formicary.base.money import Money
from formicary.base.times import time_text
from formicary.factory.ledger.records import id_column
from formicary.factory.ledger.statuses import TransferFlags

__all__ = [
    "CAMT_053",
    "CSV_COLUMNS",
    "Statement",
    "StatementEntry",
    "UnprintableAmount",
    "hex_id",
    "statement",
    "write_camt053",
    "write_csv",
]

CAMT_053: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
CSV_COLUMNS: Final = (
    *("booked_at", "amount", "currency", "balance", "reference", "transfer", "counterparty", "code"),
)

# The standard's amounts have at most 18 digits.
_DIGITS_MAX: Final = 18
_NOT_BOOKED: Final = TransferFlags.PENDING | TransferFlags.VOID_PENDING_TRANSFER


class UnprintableAmount(Refusal):
    """An amount has more digits than a statement of the standard can show."""

    code = "unprintable_amount"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementEntry:
    """One booking: when (nanoseconds), how much, the balance after it, and the ids and code that name it."""

    at: int
    amount: int
    balance: int
    transfer: int
    reference: int
    counterparty: int
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What was booked on an account in ``[start, end]``, in nanoseconds; balances in minor units."""

    account: int
    currency: Currency
    start: int
    end: int
    opening: int
    entries: tuple[StatementEntry, ...]

    @property
    def closing(self) -> int:
        """The balance after the last entry."""
        return self.entries[-1].balance if self.entries else self.opening


def statement(
    account: int,
    transfers: npt.NDArray[Any],
    *,
    currency: Currency,
    start: int,
    end: int,
    opening: int = 0,
    mirrored: bool = False,
) -> Statement:
    """Return the statement of an account.

    Parameters
    ----------
    account
        Its id.
    transfers
        Its transfers (n,) of ``TRANSFER`` in order; those outside of ``[start, end]`` are left out.
    currency
        What its amounts are minor units of.
    start, end
        The period, in nanoseconds.
    opening
        The booked balance before ``start``, in minor units and with the sign of the entries.
    mirrored
        Show debits as positive: the account is what somebody else owes.
    """
    booked = transfers[(transfers["flags"] & int(_NOT_BOOKED)) == 0]
    booked = booked[(booked["timestamp"] >= start) & (booked["timestamp"] <= end)]
    entries: list[StatementEntry] = []
    balance = opening
    columns = [id_column(booked, name) for name in _IDS]
    numbers = [booked[name].tolist() for name in ("timestamp", "amount", "code")]
    for transfer, debit, credit, reference, at, size, code in zip(*columns, *numbers, strict=True):
        amount = size if (credit == account) != mirrored else -size
        balance += amount
        entries.append(
            StatementEntry(
                at=at,
                amount=amount,
                balance=balance,
                transfer=transfer,
                reference=reference,
                counterparty=debit if credit == account else credit,
                code=code,
            )
        )
    return Statement(
        account=account, currency=currency, start=start, end=end, opening=opening, entries=tuple(entries)
    )


_IDS: Final = ("id", "debit_account_id", "credit_account_id", "user_data_128")


def hex_id(value: int) -> str:
    """Return an id as 32 hexadecimal digits: what a statement shows unless told otherwise."""
    return f"{value:032x}"


# -- CSV -----------------------------------------------------------------------------------


def write_csv(shown: Statement, *, id_text: Callable[[int], str] = hex_id) -> str:
    """Return a statement as CSV (RFC 4180) with a header; ``id_text`` writes account and transfer ids."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    for entry in shown.entries:
        writer.writerow(
            (
                time_text(entry.at),
                _decimal(entry.amount, shown.currency),
                shown.currency.code,
                _decimal(entry.balance, shown.currency),
                hex_id(entry.reference),
                id_text(entry.transfer),
                id_text(entry.counterparty),
                entry.code,
            )
        )
    return text.getvalue()


def _decimal(amount: int, currency: Currency) -> str:
    return Money(amount, currency).format()


# -- camt.053 ------------------------------------------------------------------------------


def write_camt053(
    shown: Statement, *, message: str, created: int, id_text: Callable[[int], str] = hex_id
) -> bytes:
    """Return a statement as a camt.053.001.08 document, in UTF-8.

    Parameters
    ----------
    shown
        The statement.
    message
        What names this document, at most 35 characters.
    created
        When it is made, in nanoseconds.
    id_text
        Writes account and transfer ids, in at most 35 characters.

    Raises
    ------
    UnprintableAmount
        An amount has more than 18 digits.
    """
    document = ET.Element("Document", xmlns=CAMT_053)
    root = ET.SubElement(document, "BkToCstmrStmt")
    _add(root, "GrpHdr/MsgId", message)
    _add(root[0], "CreDtTm", time_text(created))
    body = ET.SubElement(root, "Stmt")
    _add(body, "Id", message)
    _add(body, "CreDtTm", time_text(created))
    _add(body, "FrToDt/FrDtTm", time_text(shown.start))
    _add(body[-1], "ToDtTm", time_text(shown.end))
    _add(body, "Acct/Id/Othr/Id", id_text(shown.account))
    _add(body[-1], "Ccy", shown.currency.code)
    for kind, balance, at in (("OPBD", shown.opening, shown.start), ("CLBD", shown.closing, shown.end)):
        _add_balance(body, kind, balance, at, shown.currency)
    _add_summary(body, shown)
    for entry in shown.entries:
        _add_entry(body, entry, shown.currency, id_text)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(document, encoding="unicode").encode()


def _add(parent: ET.Element, path: str, text: str) -> ET.Element:
    """Add an element under new parents, and its text."""
    for name in path.split("/"):
        parent = ET.SubElement(parent, name)
    parent.text = text
    return parent


def _add_amount(parent: ET.Element, amount: int, currency: Currency) -> None:
    _add(parent, "Amt", _plain(amount, currency)).set("Ccy", currency.code)
    _add(parent, "CdtDbtInd", "DBIT" if amount < 0 else "CRDT")


def _plain(amount: int, currency: Currency) -> str:
    if abs(amount) >= 10**_DIGITS_MAX:
        raise UnprintableAmount
    return _decimal(abs(amount), currency)


def _add_balance(parent: ET.Element, kind: str, balance: int, at: int, currency: Currency) -> None:
    element = ET.SubElement(parent, "Bal")
    _add(element, "Tp/CdOrPrtry/Cd", kind)
    _add_amount(element, balance, currency)
    _add(element, "Dt/DtTm", time_text(at))


def _add_summary(parent: ET.Element, shown: Statement) -> None:
    sides: tuple[tuple[str, Sequence[StatementEntry]], ...] = (
        ("TtlCdtNtries", [entry for entry in shown.entries if entry.amount >= 0]),
        ("TtlDbtNtries", [entry for entry in shown.entries if entry.amount < 0]),
    )
    summary = ET.SubElement(parent, "TxsSummry")
    _add(summary, "TtlNtries/NbOfNtries", str(len(shown.entries)))
    for name, entries in sides:
        _add(summary, f"{name}/NbOfNtries", str(len(entries)))
        _add(summary[-1], "Sum", _plain(_sum(entries), shown.currency))


def _sum(entries: Iterable[StatementEntry]) -> int:
    return sum(entry.amount for entry in entries)


def _add_entry(
    parent: ET.Element, entry: StatementEntry, currency: Currency, id_text: Callable[[int], str]
) -> None:
    element = ET.SubElement(parent, "Ntry")
    _add_amount(element, entry.amount, currency)
    _add(element, "Sts/Cd", "BOOK")
    _add(element, "BookgDt/DtTm", time_text(entry.at))
    _add(element, "AcctSvcrRef", id_text(entry.transfer))
    _add(element, "BkTxCd/Prtry/Cd", str(entry.code))
    _add(element, "NtryDtls/TxDtls/Refs/EndToEndId", hex_id(entry.reference))
