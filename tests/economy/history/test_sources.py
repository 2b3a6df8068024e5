"""Files of every format become the same rows; a damaged one is a fault that names it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from formicary.base.currencies import currency
from formicary.economy.data_sets import DataSetUnusable
from formicary.economy.history.mapping import File
from formicary.economy.history.mapping_file import MappingMalformed
from formicary.economy.history.sources import ROW, ColumnMissing, Table
from formicary.factory.ledger.statements import Statement, StatementEntry, write_camt053
from tests.economy.history.kit import JANUARY, MAPPING, HistoryWorld, history, written

CAMT = """\
source: our_bank
currency: EUR
files:
  statement: {path: statement.xml, format: camt.053}
parties:
  us: {kind: merchant}
events:
  - kind: booking
    file: statement
    key: servicer_reference
    at: {column: booked_at}
    transfer:
      payer: {external: bank}
      payee: {party: us, value: us}
      amount: {column: amount, sign: reverse}
"""


def rows(path: Path, file: File, *columns: str) -> list[tuple[object, ...]]:
    """Return a file's rows."""
    return [row for batch in Table(path, file).batches(columns) for row in batch.rows()]


def test_csv(tmp_path: Path) -> None:
    """Everything is text, quotes and separators are the file's; a row's number does not count the header."""
    path = tmp_path / "a.csv"
    path.write_text('a;b\n1;"x;y"\n;"line\nbreak"\n')
    file = File(path="a.csv", format="csv", separator=";")
    assert rows(path, file, "b", "a", "b", ROW) == [(1, "x;y", "1"), (2, "line\nbreak", None)]
    with pytest.raises(ColumnMissing):
        rows(path, file, "c")


def test_parquet_is_read_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of rows go on from batch to batch."""
    monkeypatch.setattr("formicary.economy.history.sources.IMPORT_BATCH_ROWS", 10)
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": range(35)}).write_parquet(path, row_group_size=7)
    table = Table(path, File(path="a.parquet", format="parquet"))
    batches = list(table.batches(["a"]))
    assert len(batches) > 1
    assert pl.concat(batches).rows() == [(n + 1, n) for n in range(35)]


def test_a_statement_of_a_bank(tmp_path: Path) -> None:
    """What our own statements say comes back as bookings: credits in, debits out."""
    entries = [(2_500, 1), (-125, 2)]
    shown = Statement(
        account=7,
        currency=currency("EUR"),
        start=JANUARY,
        end=JANUARY + 5,
        opening=0,
        entries=tuple(
            StatementEntry(
                at=JANUARY + n, amount=amount, balance=0, transfer=n, reference=n, counterparty=9, code=1
            )
            for amount, n in entries
        ),
    )
    (tmp_path / "statement.xml").write_bytes(write_camt053(shown, message="m", created=JANUARY))
    world, found = HistoryWorld(tmp_path), history(tmp_path, CAMT)
    outcome = world.replay(written(tmp_path, CAMT), found)
    assert outcome.created == {0: 2}
    transfers = [row for _, _, row in world.rows()]
    assert [int(row["amount"]) for row in transfers] == [2_500, 125]
    assert transfers[0]["credit_account_id_low"] == transfers[1]["debit_account_id_low"]


@pytest.mark.parametrize(
    ("form", "content"),
    [
        *(
            (form, content)
            for form in ("csv", "parquet", "camt.053")
            for content in (None, b"", b"a\n\xff\n")
        ),
        ("parquet", b"PAR1\0\0\0\0PAR1"),
        ("camt.053", b"<!DOCTYPE a><a/>"),
    ],
)
def test_a_damaged_file(tmp_path: Path, form: str, content: bytes | None) -> None:
    """Whether it is missing, empty or something else: a fault that names it, before anything is done."""
    path = tmp_path / "a.file"
    if content is not None:
        path.write_bytes(content)
    file = File(path="a.file", format=form)  # type: ignore[arg-type]
    with pytest.raises(DataSetUnusable, match=r"a\.file cannot be read"):
        rows(path, file, *Table(path, file)._columns)


def test_a_file_that_breaks_off(tmp_path: Path) -> None:
    """Half a Parquet file, or a row of CSV with more fields than the header."""
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": range(10_000)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataSetUnusable, match=r"a\.parquet cannot be read"):
        Table(path, File(path="a.parquet", format="parquet"))
    (tmp_path / "a.csv").write_text("a,b\n1,2\n1,2,3\n")
    with pytest.raises(DataSetUnusable, match=r"a\.csv cannot be read"):
        rows(tmp_path / "a.csv", File(path="a.csv", format="csv"), "a")


def test_a_column_of_a_strange_type(tmp_path: Path) -> None:
    """A list can be no key; the mapping is told so, with its line."""
    pl.DataFrame(
        {"id": [[1, 2]], "at": ["x"], "buyer": "a", "seller": "b", "amount": 1, "fraud": 0}
    ).write_parquet(tmp_path / "sales.parquet")
    text = MAPPING.replace("path: sales.csv, format: csv", "path: sales.parquet, format: parquet")
    with pytest.raises(MappingMalformed, match=r"line 9, events\[0\]: a column holds what cannot be used"):
        history(tmp_path, text)
