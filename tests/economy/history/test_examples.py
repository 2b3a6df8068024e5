"""The mappings in ``examples/imports`` bring the real data sets in full."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.economy.history.mapping_file import MappingFile
from formicary.economy.history.reading import History, read_history
from formicary.economy.invoices import documents
from formicary.economy.merchant_book import merchant_book
from formicary.economy.online_retail import read_online_retail
from formicary.economy.reconciliation import reconcile, total_row
from tests.economy.history.kit import NOW, HistoryWorld, rejected
from tests.economy.kit import ROOT, real_data

EXAMPLES = sorted((ROOT / "examples" / "imports").glob("*.yaml"))


def read(name: str, data_set: str) -> tuple[MappingFile, History]:
    """Read an example where its data set is there."""
    folder = real_data(Path(data_set)).parents[1]
    written = MappingFile(ROOT / "examples" / "imports" / f"{name}.yaml")
    return written, read_history(written, data_sets=folder, now=NOW)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_makes_sense(path: Path) -> None:
    """Also where the data sets are not there; the file is named as its source."""
    assert MappingFile(path).mapping.source == path.stem


def test_online_retail() -> None:
    """The sum of all invoices is, to the penny, what the demo's book moves."""
    _, found = read("online_retail", "online_retail/online_retail.parquet")
    sums = [
        int((rows.frame["amount"] * (1 - 2 * (rows.frame["payee_kind"] != 2).cast(int))).sum())
        for rows in found.events
    ]
    lines = read_online_retail(real_data(Path("online_retail/online_retail.parquet")))
    book = merchant_book("online_retail", documents(lines))
    assert sum(sums) == total_row(reconcile(book.documents)).pence
    assert [rows.read for rows in found.events] == [532_618, 9_288, 3]
    assert len(found.rejected) == 0


def test_fraud_handbook() -> None:
    """Every payment, and a label for every fraud and for nothing else."""
    _, found = read("fraud_handbook", "fraud_handbook/transactions_2018-04-01_2018-08-14.parquet")
    assert [len(rows.frame) for rows in found.events] == [1_303_778, 10_659]
    assert len(found.rejected) == 0


def test_berka(tmp_path: Path) -> None:
    """Each of the transactions is of exactly one kind; all are imported, and again none is."""
    written, found = read("berka", "berka/trans_partial.parquet")
    transactions = [rows for rows in found.events if rows.event.transfer is not None]
    assert sum(len(rows.frame) for rows in transactions) == 79_302
    world = HistoryWorld(tmp_path)
    first = world.replay(written, found)
    assert sum(first.created.values()) == 2 * 79_302 + 4_500 + 682 + 76
    again = world.replay(written, found)
    assert (again.created, again.parties) == ({}, 0)


def test_amlsim() -> None:
    """Transfers to oneself are no transfers here; they are told."""
    _, found = read("amlsim", "amlsim/20K_fanin200_transactions.parquet")
    assert [len(rows.frame) for rows in found.events] == [118_236, 476]
    assert {(event, reason) for event, _, _, reason in rejected(found.rejected)} == {
        ("transfer", "payer_is_payee")
    }
