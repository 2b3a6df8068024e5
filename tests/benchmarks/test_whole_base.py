"""The whole path of a nightly run, on few parties and a journal in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import _whole_base
from benchmarks._bench import BenchFailed
from benchmarks._whole_base import House, measured
from formicary.base.clock import SimulatedClock
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.state import FactoryState
from formicary.products.lending.nightly import preapproval_run
from formicary.products.lending.servicing.terms import DAY
from formicary.runtime.products import PRODUCTS
from tests.factory.engine.null_journal import NullJournal


def house(folder: Path, parties: int) -> House:
    """Return a house with a base of parties."""
    clock = SimulatedClock(20_000 * DAY)
    engine = Engine(NullJournal(), lambda: FactoryState(folder, PRODUCTS), clock)
    engine.recover()
    return House(engine, clock, parties)


def test_it_measures_a_run_over_a_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly all have an offer; one in thirteen sells nothing lately. The second night renews them."""
    monkeypatch.setattr(preapproval_run, "PREAPPROVE_PARTIES_MAX", 40)
    figures = measured(house(tmp_path, 120))
    assert (figures["whole_parties"], figures["whole_parts"]) == (120, 4)
    assert 100 <= figures["whole_offers"] <= 111
    assert figures.pop("whole_loans") == 0
    assert all(value > 0 for value in figures.values())


def test_some_of_them_owe_loans(tmp_path: Path) -> None:
    """Of thirty in a hundred each has a loan, and every third of those another one."""
    some = house(tmp_path, 100)
    some.borrowers = 30
    figures = measured(some)
    assert figures["whole_loans"] == 30 + 10
    assert 80 <= figures["whole_offers"] <= 93


def test_a_base_without_offers_measures_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of a run that offers nothing are not printed."""
    monkeypatch.setattr(_whole_base, "_SALES", 1)
    with pytest.raises(BenchFailed, match="0 offers were made"):
        measured(house(tmp_path, 20))
