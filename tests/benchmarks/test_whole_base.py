"""The whole path of a nightly run, on few parties and a durable journal."""

from __future__ import annotations

import pytest

from benchmarks import _whole_base
from benchmarks._bench import BenchFailed
from formicary.products.lending.nightly import preapproval_run


def test_it_measures_a_run_over_a_base(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly all have an offer; one in thirteen sells nothing lately, and the second night renews what is there."""
    monkeypatch.setattr(preapproval_run, "PREAPPROVE_PARTIES_MAX", 40)
    figures = _whole_base.measure_whole(120)
    assert (figures["whole_parties"], figures["whole_parts"]) == (120, 4)
    assert 100 <= figures["whole_offers"] <= 111
    assert all(value > 0 for value in figures.values())
    monkeypatch.setattr(_whole_base, "_SALES", 1)
    with pytest.raises(BenchFailed, match="0 offers were made"):
        _whole_base.measure_whole(20)
