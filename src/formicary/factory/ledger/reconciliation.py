"""Reconciliation: a file that somebody else wrote, against the entries of the account that mirrors it.

Lines meet by their reference and their amount; whatever is left over is listed with its side. The list
explains the difference of the two sums to the minor unit: nothing is forgiven, and nothing is guessed.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn
from xml.etree import ElementTree as ET

from formicary.base.currencies import Currency
from formicary.base.errors import Refusal
from formicary.base.limits import BANK_FILE_BYTES_MAX
from formicary.base.money import MalformedAmount, Money, TooManyDecimals
from formicary.base.times import MalformedTime, parse_time
from formicary.factory.ledger.statements import Statement

__all__ = [
    "CAMT_COLUMNS",
    "Difference",
    "DifferenceKind",
    "Line",
    "MalformedStatement",
    "Reconciliation",
    "camt053_rows",
    "lines_of",
    "read_camt053",
    "read_csv",
    "reconcile",
]

_REFERENCE: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_COLUMNS: Final = ("booked_at", "amount", "currency", "reference")
CAMT_COLUMNS: Final = ("entry", *_COLUMNS, "servicer_reference", "account")
"""What is read of each entry of a camt.053 document; an absent text is empty."""


class MalformedStatement(Refusal):
    """A bank's file is no statement of a form that is known; nothing of it was used."""

    code = "malformed_statement"


class DifferenceKind(StrEnum):
    """What is wrong with a line."""

    NOT_IN_LEDGER = "in the file, not in the ledger"
    NOT_IN_FILE = "in the ledger, not in the file"
    OTHER_AMOUNT = "another amount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One movement: when (nanoseconds), minor units, positive where money came in, and what it is of."""

    at: int
    amount: int
    reference: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is wrong: the line of the file and that of the ledger, None where there is none."""

    kind: DifferenceKind
    file: Line | None
    ledger: Line | None

    @property
    def amount(self) -> int:
        """By how much the file is above the ledger, in minor units."""
        return _sum(filter(None, (self.file,))) - _sum(filter(None, (self.ledger,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What became of a file: lines that met, and what is different; sums in minor units."""

    matched: int
    file_sum: int
    ledger_sum: int
    differences: tuple[Difference, ...]

    @property
    def reconciles(self) -> bool:
        """Whether nothing is different."""
        return not self.differences


def reconcile(file: Sequence[Line], ledger: Sequence[Line]) -> Reconciliation:
    """Compare the lines of a file (n,) with those of a ledger (m,)."""
    differences: list[Difference] = []
    matched = 0
    in_file, in_ledger = _by_reference(file), _by_reference(ledger)
    for reference in sorted({*in_file, *in_ledger}):
        ours, theirs = in_ledger[reference], in_file[reference]
        met = _take_equal(theirs, ours)
        matched += met
        differences += _left_over(theirs, ours)
    return Reconciliation(
        matched=matched, file_sum=_sum(file), ledger_sum=_sum(ledger), differences=tuple(differences)
    )


def _by_reference(lines: Iterable[Line]) -> defaultdict[int, list[Line]]:
    found: defaultdict[int, list[Line]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: line.at):
        found[line.reference].append(line)
    return found


def _take_equal(theirs: list[Line], ours: list[Line]) -> int:
    """Take lines of equal amounts off both lists; return how many pairs there were."""
    by_amount: defaultdict[int, list[Line]] = defaultdict(list)
    for line in ours:
        by_amount[line.amount].append(line)
    left = []
    for line in theirs:
        if by_amount[line.amount]:
            by_amount[line.amount].pop(0)
        else:
            left.append(line)
    met = len(theirs) - len(left)
    theirs[:] = left
    ours[:] = sorted((line for lines in by_amount.values() for line in lines), key=lambda line: line.at)
    return met


def _left_over(theirs: list[Line], ours: list[Line]) -> Iterator[Difference]:
    both = min(len(theirs), len(ours))
    for file, ledger in zip(theirs[:both], ours[:both], strict=True):
        yield Difference(kind=DifferenceKind.OTHER_AMOUNT, file=file, ledger=ledger)
    for line in theirs[both:]:
        yield Difference(kind=DifferenceKind.NOT_IN_LEDGER, file=line, ledger=None)
    for line in ours[both:]:
        yield Difference(kind=DifferenceKind.NOT_IN_FILE, file=None, ledger=line)


def _sum(lines: Iterable[Line]) -> int:
    return sum(line.amount for line in lines)


# -- where lines come from -----------------------------------------------------------------


def lines_of(shown: Statement) -> list[Line]:
    """Return the entries of a statement as lines."""
    return [Line(at=entry.at, amount=entry.amount, reference=entry.reference) for entry in shown.entries]


def read_csv(text: str, currency: Currency) -> list[Line]:
    """Read a CSV file with a header that has ``booked_at``, ``amount``, ``currency`` and ``reference``.

    Raises
    ------
    MalformedStatement
        It has other columns or another currency, a line cannot be read, or it is too large.
    """
    _check_size(len(text))
    rows = csv.DictReader(io.StringIO(text), strict=True)
    try:
        if not set(_COLUMNS) <= set(rows.fieldnames or ()):
            _refuse(f"it needs the columns {', '.join(_COLUMNS)}")
        return [_line(row, currency, f"line {rows.line_num}") for row in rows]
    except csv.Error as error:
        _refuse(f"line {rows.line_num}: {error}")


def read_camt053(document: bytes, currency: Currency) -> list[Line]:
    """Read the booked entries of a camt.053 document of any version.

    Raises
    ------
    MalformedStatement
        It is no such document, an entry cannot be read, or it is too large.
    """
    return [_line(row, currency, f"entry {row['entry']}") for row in camt053_rows(document)]


def camt053_rows(document: bytes) -> list[dict[str, str]]:
    """Return the booked entries of a camt.053 document of any version as texts, (n) of ``CAMT_COLUMNS``.

    Raises
    ------
    MalformedStatement
        It is no such document, an entry has no amount or no side, or it is too large.
    """
    _check_size(len(document))
    if b"<!DOCTYPE" in document or b"\0" in document:
        # A document type could define entities without end; in an encoding of two bytes it would hide.
        _refuse("it declares a document type, or is not in UTF-8")
    try:
        root = ET.fromstring(document)  # noqa: S314, as above
    except ET.ParseError as error:
        _refuse(str(error))
    entries: list[tuple[str, ET.Element]] = [
        (
            statement.findtext(
                "{*}Acct/{*}Id/{*}IBAN", statement.findtext("{*}Acct/{*}Id/{*}Othr/{*}Id", "")
            ),
            entry,
        )
        for statement in root.iterfind("{*}BkToCstmrStmt/{*}Stmt")
        for entry in statement.iterfind("{*}Ntry")
    ]
    return [
        _row(entry, account, number)
        for number, (account, entry) in enumerate(entries, start=1)
        if entry.findtext("{*}Sts/{*}Cd", entry.findtext("{*}Sts", "")) == "BOOK"
    ]


def _row(entry: ET.Element, account: str, number: int) -> dict[str, str]:
    amount = entry.find("{*}Amt")
    sign = {"CRDT": "", "DBIT": "-"}.get(entry.findtext("{*}CdtDbtInd", ""))
    if amount is None or sign is None:
        _refuse(f"entry {number}: it has no amount or no side")
    return {
        "entry": str(number),
        "booked_at": entry.findtext("{*}BookgDt/{*}DtTm", entry.findtext("{*}BookgDt/{*}Dt", "")),
        "amount": f"{sign}{amount.text or ''}",
        "currency": amount.get("Ccy", ""),
        "reference": entry.findtext("{*}NtryDtls/{*}TxDtls/{*}Refs/{*}EndToEndId", ""),
        "servicer_reference": entry.findtext("{*}AcctSvcrRef", ""),
        "account": account,
    }


def _line(row: Mapping[str, str | None], currency: Currency, place: str) -> Line:
    at, amount, code, reference = (row.get(name) or "" for name in _COLUMNS)
    if code != currency.code:
        _refuse(f"{place}: its currency is {code[:3]!r}")
    if not _REFERENCE.fullmatch(reference):
        _refuse(f"{place}: its reference is not 32 hexadecimal digits")
    try:
        return Line(
            at=parse_time(at), amount=Money.parse(amount, currency).amount, reference=int(reference, 16)
        )
    except (MalformedAmount, MalformedTime, TooManyDecimals) as refusal:
        _refuse(f"{place}: {refusal}")


def _check_size(size: int) -> None:
    if size > BANK_FILE_BYTES_MAX:
        _refuse(f"it has more than {BANK_FILE_BYTES_MAX:,} bytes")


def _refuse(why: str) -> NoReturn:
    message = f"the file cannot be read: {why}"
    raise MalformedStatement(message)
