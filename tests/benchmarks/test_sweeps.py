"""The benchmark of sweeps, on few aggregates and without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import sweeps
from benchmarks._bench import Bench, BenchFailed
from benchmarks._meters import METERS, TurnMeters
from formicary.base.clock import SimulatedClock
from formicary.factory.engine.conformance import check_product
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.state import FactoryState
from tests.factory.engine.null_journal import NullJournal


@pytest.fixture
def works(tmp_path: Path) -> sweeps.Works:
    """Give works without a meter."""
    journal: Any = NullJournal()
    engine = Engine(journal, lambda: FactoryState(tmp_path, [METERS]), SimulatedClock(10**18))
    engine.recover()
    return sweeps.Works(engine, journal)


def test_its_product_keeps_the_contract() -> None:
    """What is measured is a product like any other."""
    assert check_product(METERS) == []


def test_it_measures_what_it_prints(works: sweeps.Works, tmp_path: Path) -> None:
    """Every part is swept, and the house is paid what the meters paid."""
    bench = Bench(tmp_path, transfers=0, seconds=0)
    sweeps.sweep(bench, works, 9_000, 8_500)
    meters = works.engine.state.aggregates["meters"].records
    assert len(meters) == 9_000
    assert (meters["paid"][:8_500] > 0).all()
    assert bench.figures["bill: bytes of events a record"] > 8
    figures = [figure for name, figure in bench.figures.items() if name.endswith("records/s")]
    assert len(figures) == 5
    assert min(figures) > 0


def test_it_does_not_print_what_went_wrong(works: sweeps.Works) -> None:
    """A refused command is no figure."""
    with pytest.raises(BenchFailed, match="sweep_out_of_range"):
        works.carry_out(iter([TurnMeters(subject=1, first=0, after=1)]))
