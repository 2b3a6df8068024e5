"""``formicary features quality``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import Terminal

ROWS = 1_000


def table(seed: int, *, factor: float = 1.0) -> pa.Table:
    """Return rows as a training set has them."""
    chance = np.random.default_rng(seed)
    agreed = chance.random(ROWS) < 0.9
    amounts = np.round(chance.lognormal(6, 1, ROWS)) * factor
    return pa.table(
        {
            "position": np.arange(ROWS),
            "at": np.arange(ROWS),
            "asking_amount": np.arange(ROWS),
            "asking_payer": pa.array([b"0" * 16] * ROWS, pa.binary(16)),
            "sum": pa.array(amounts, pa.float64(), mask=~agreed),
            "count": chance.poisson(3, ROWS),
            "withheld": [[] if one else ["payer"] for one in agreed],
        }
    )


def training_set(folder: Path, whole: pa.Table, *, meaning: str = "a" * 16) -> Path:
    """Write a training set of two files with its manifest; a third file is none of its parts."""
    folder.mkdir()
    names = ["part-1.parquet", "part-2.parquet"]
    for name, first in zip(names, (0, 400), strict=True):
        pq.write_table(whole.slice(first, 400 if not first else None), folder / name)
    pq.write_table(whole, folder / "other.parquet")
    features = {name: {"version": 1, "fingerprint": meaning} for name in ("sum", "count")}
    manifest = {
        "request": {"set": "asked", "features": features},
        "parts": [{"name": name} for name in names],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_training_set_is_profiled(terminal: Terminal, tmp_path: Path) -> None:
    """Its features alone, over all of its parts, with what consent withheld."""
    folder = training_set(tmp_path / "set", table(1))
    assert terminal.run("features", "quality", str(folder)) == ExitCode.DONE
    assert "asked, 1,000 rows" in terminal.out
    assert "Nothing is wrong." in terminal.err
    found = terminal.json("features", "quality", str(folder))
    assert (found["set"], found["rows"]) == ("asked", ROWS)
    assert [one["name"] for one in found["features"]] == ["sum", "count"]
    missing = table(1).column("sum").null_count / ROWS
    assert found["features"][0]["null_ratio"] == found["features"][0]["withheld_ratio"] == missing
    assert found["features"][1]["null_ratio"] == 0


def test_a_window_is_compared_with_what_was_learnt_from(terminal: Terminal, tmp_path: Path) -> None:
    """By its folder, or by the report that was kept of it; what shifted is a finding."""
    learnt, kept = training_set(tmp_path / "learnt", table(1)), tmp_path / "learnt.json"
    same = training_set(tmp_path / "same", table(2))
    shifted = training_set(tmp_path / "shifted", table(3, factor=10.0))
    assert terminal.run("features", "quality", str(learnt), "--output", str(kept)) == ExitCode.DONE
    for reference in (learnt, kept):
        asked = ("features", "quality", str(same), "--reference", str(reference))
        assert terminal.run(*asked) == ExitCode.DONE
        asked = ("features", "quality", str(shifted), "--reference", str(reference))
        assert terminal.run(*asked) == ExitCode.FINDINGS
        assert "shifted" in terminal.out
        assert "1 feature(s)" in terminal.err
        found = terminal.json(*asked)["features"]
        assert [one["verdicts"] for one in found] == [["shifted"], []]


def test_another_meaning_is_a_finding(terminal: Terminal, tmp_path: Path) -> None:
    """What the manifest says of the definitions is compared before any value."""
    learnt = training_set(tmp_path / "learnt", table(1))
    window = training_set(tmp_path / "window", table(2), meaning="b" * 16)
    found = terminal.json("features", "quality", str(window), "--reference", str(learnt))
    assert [one["verdicts"] for one in found["features"]] == [["redefined"]] * 2


def test_any_parquet_file_is_a_table(terminal: Terminal, tmp_path: Path) -> None:
    """Columns of numbers are features; withheld may be a flag, or not be there."""
    file = tmp_path / "table.parquet"
    columns = {"a": [1.0, None, 3.0], "b": [1, 2, None], "name": ["x", "y", "z"]}
    pq.write_table(pa.table({**columns, "withheld": [False, True, None]}), file)
    found = terminal.json("features", "quality", str(file))
    assert [one["name"] for one in found["features"]] == ["a", "b"]
    assert [one["withheld_ratio"] for one in found["features"]] == [1 / 3, 0]
    pq.write_table(pa.table(columns), file)
    found = terminal.json("features", "quality", str(tmp_path))
    assert [one["withheld_ratio"] for one in found["features"]] == [0, 0]


@pytest.mark.parametrize("content", [b"", b"PAR1 and nothing else", b"{}"])
def test_another_file_is_refused(terminal: Terminal, tmp_path: Path, content: bytes) -> None:
    """What is neither a table nor a report."""
    file = tmp_path / "file"
    file.write_bytes(content)
    assert terminal.run("features", "quality", str(file)) == ExitCode.REFUSED
    assert terminal.run("features", "quality", str(tmp_path / "nowhere")) == ExitCode.REFUSED
    assert "features_unreadable" in terminal.err


def test_a_folder_without_a_table_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    """No file, no column of numbers, other columns, a part without a feature, another manifest."""
    assert terminal.run("features", "quality", str(tmp_path)) == ExitCode.REFUSED
    pq.write_table(pa.table({"name": ["x"]}), tmp_path / "a.parquet")
    assert terminal.run("features", "quality", str(tmp_path)) == ExitCode.REFUSED
    pq.write_table(pa.table({"a": [1.0]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"b": [1.0]}), tmp_path / "b.parquet")
    assert terminal.run("features", "quality", str(tmp_path)) == ExitCode.REFUSED
    folder = training_set(tmp_path / "set", table(1).drop_columns(["count"]))
    assert terminal.run("features", "quality", str(folder)) == ExitCode.REFUSED
    (folder / "manifest.json").write_text("{}")
    assert terminal.run("features", "quality", str(folder)) == ExitCode.REFUSED


def test_a_report_that_cannot_be_kept_is_a_fault(terminal: Terminal, tmp_path: Path) -> None:
    """The folder is not there: nothing is told as if it had been written."""
    folder = training_set(tmp_path / "set", table(1))
    output = str(tmp_path / "nowhere" / "report.json")
    assert terminal.run("features", "quality", str(folder), "--output", output) == ExitCode.FAULT
    assert "QualityReportNotWritten" in terminal.err
