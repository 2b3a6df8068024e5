"""The benchmark of pre-approval, on few parties and trees."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from benchmarks import preapproval
from formicary.factory.models.forest import Scorer
from formicary.products.lending.underwriting.capital import Book


def test_it_measures_what_it_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a table and as a document, with figures that can be true; own funds bind within the run."""
    monkeypatch.setattr(preapproval, "_TRAINING_ROWS", 2_000)
    monkeypatch.setattr(preapproval, "_ALONE", 40)
    arguments = [
        "bench",
        "--parties",
        "3000",
        "--trees",
        "5",
        "--repeats",
        "1",
        "--core-hour",
        "2",
        "--whole",
        "0",
    ]
    monkeypatch.setattr(sys, "argv", [*arguments, "--json"])
    preapproval.main()
    figures = json.loads(capsys.readouterr().out)
    assert figures["parties"] == 3_000
    assert figures["yuan_per_decision"] == pytest.approx(figures["cpu_seconds_per_decision"] / 1_800)
    assert 0.05 < figures["offers_share"] < 0.95
    assert 0.3 < figures["lent_share_of_wanted"] < 0.7
    assert figures["cut_or_refused_by_own_funds"] > 0
    assert figures["with_reasons"] >= 3_000 * (1 - figures["offers_share"])
    monkeypatch.setattr(sys, "argv", arguments)
    preapproval.main()
    assert "of MYbank's 3 a loan (press)" in capsys.readouterr().out


def test_a_party_that_differs_alone_stops_it() -> None:
    """Figures of a batch that decides otherwise are not printed."""
    forest, calibration = preapproval.learnt(2)
    scorer = Scorer(forest)
    base, _ = preapproval.made_up(20, 5)
    book = Book(own_funds=10**12, cash=10**12)
    decisions, _, _ = preapproval.preapprove(scorer, calibration, base, book)
    preapproval.compare(scorer, calibration, base, book, decisions)
    decisions["limit"][7] += 1
    with pytest.raises(preapproval.ResultsDiffer):
        preapproval.compare(scorer, calibration, base, book, decisions)
    assert np.isfinite(calibration.slope)
