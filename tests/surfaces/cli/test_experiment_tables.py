"""Tables of parties: ids and times in each form, and what is none."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from formicary.base.ids import format_id
from formicary.base.public_ids import Prefix, encode
from formicary.factory.experiments.errors import OutcomesUnusable
from formicary.surfaces.cli import experiment_tables
from formicary.surfaces.cli.experiment_tables import PartyTable

ID = 2**127 + 5


def table(folder: Path, **columns: object) -> PartyTable:
    """Return a table of Parquet with these columns."""
    pl.DataFrame(columns).write_parquet(folder / "table.parquet")
    return PartyTable(folder / "table.parquet", "party")


def test_ids_in_each_form(tmp_path: Path) -> None:
    """All of them are one party."""
    texts = [f"{ID:032x}", format_id(ID), encode(Prefix.PARTY, ID)]
    assert table(tmp_path, party=texts).parties.tolist() == [[2**63, 5]] * 3
    assert table(tmp_path, party=[ID.to_bytes(16)]).parties.tolist() == [[2**63, 5]]
    (tmp_path / "table.csv").write_text(f"party,a\n{'1' * 32},2\n")
    rows = PartyTable(tmp_path / "table.csv", "party")
    assert rows.parties[0].tolist() == [0x1111111111111111] * 2
    assert rows.reals(["a", "b"])["a"].tolist() == [2]


def test_numbers(tmp_path: Path) -> None:
    """Truth values are 0 and 1, what is missing is NaN, and what is not there is left out."""
    rows = table(tmp_path, party=[f"{ID:032x}"] * 2, a=[True, None], b=[1, 2], c=["x", "y"])
    found = rows.reals(["a", "b", "d"])
    assert found["a"][0] == 1
    assert np.isnan(found["a"][1])
    assert found["b"].tolist() == [1, 2]
    assert [*found] == ["a", "b"]
    with pytest.raises(OutcomesUnusable, match="no numbers in the column c"):
        rows.reals(["c"])


def test_times(tmp_path: Path) -> None:
    """As numbers, as times, as texts."""
    moment = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
    nanoseconds = int(moment.timestamp()) * 10**9
    rows = table(
        tmp_path, party=[f"{ID:032x}"], a=[nanoseconds], b=[moment], c=["2024-01-02"], d=["soon"], e=[None]
    )
    for name in ("a", "b", "c"):
        assert rows.times(name).tolist() == [nanoseconds]
    for name, said in (("d", "no times"), ("e", "without a time"), ("f", "no column f")):
        with pytest.raises(OutcomesUnusable, match=said):
            rows.times(name)


@pytest.mark.parametrize("wrong", ["7", "pty_x", "F" * 32, None, b"\1"])
def test_what_is_no_id(tmp_path: Path, wrong: object) -> None:
    """The row is named."""
    with pytest.raises(OutcomesUnusable, match="no id of a party in row 1"):
        table(tmp_path, party=[wrong])


def test_what_is_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, another format, no column, too many rows."""
    for name in ("none.parquet", "none.csv"):
        with pytest.raises(OutcomesUnusable, match="cannot be read"):
            PartyTable(tmp_path / name, "party")
    (tmp_path / "text.parquet").write_text("text")
    with pytest.raises(OutcomesUnusable, match="cannot be read"):
        PartyTable(tmp_path / "text.parquet", "party")
    with pytest.raises(OutcomesUnusable, match="no column party"):
        table(tmp_path, other=["a"])
    monkeypatch.setattr(experiment_tables, "EXPERIMENT_ROWS_MAX", 1)
    with pytest.raises(OutcomesUnusable, match="more than 1 rows"):
        table(tmp_path, party=[f"{ID:032x}"] * 2)
