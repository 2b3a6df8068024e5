"""``python -m proofs.simulator``."""

from __future__ import annotations

import json

import pytest

from proofs.simulator.__main__ import main


def test_a_clean_run_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Seeds, steps, faults by kind and the rate, as one JSON document; the status is 0."""
    assert main(["--seeds", "2", "--start", "7", "--jobs", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["seeds"], figures["failures"]) == (2, 0)
    assert figures["seeds_per_minute"] > 0
    assert sum(figures["faults"].values()) > 0


def test_a_table_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Without ``--json`` the same figures come as a table."""
    assert main(["--seed", "3", "--jobs", "1", "--trace"]) == 0
    printed = capsys.readouterr()
    assert "seeds per minute" in printed.out
    assert "commit of 1 to 1" in printed.err


def test_a_caught_bug_prints_how_to_see_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    """A failure prints its trace, its seed and the command that repeats it; catching a plant is success."""
    assert main(["--seeds", "9", "--jobs", "1", "--planted", "answer_before_commit", "--trace"]) == 0
    errors = capsys.readouterr().err
    assert "no answer before its commit" in errors
    assert "caller sends: open accounts" in errors
    assert "--seed 0 --planted answer_before_commit --trace" in errors
    assert "answer_before_commit: caught" in errors


def test_a_missed_bug_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """A planted bug that no seed finds ends with status 1."""
    assert main(["--seed", "0", "--jobs", "1", "--planted", "sealed_ids_lost"]) == 1
    assert "NOT caught" in capsys.readouterr().err
