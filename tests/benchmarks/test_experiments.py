"""The benchmark of experiments, on few and short ones."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks import experiments


def test_it_measures_what_it_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a table and as a document, with figures that can be true."""
    monkeypatch.setattr(experiments, "_CUPED_EXPERIMENTS", 20)
    arguments = ["bench", "--experiments", "30", "--days", "5", "--per-day", "400"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--json"])
    experiments.main()
    figures = json.loads(capsys.readouterr().out)
    nothing, effect = figures["a_a"], figures["a_b"]
    assert nothing["sequence"] <= nothing["peeking"]
    assert nothing["sequence_normal"] < 0.05 < nothing["peeking_normal"]
    assert effect["shown"] > 0.5
    assert effect["double_effect_day_median"] <= effect["day_median"] <= 5
    assert figures["uneven"]["found"] <= 1
    for one in figures["cuped"]:
        assert one["reported"] == pytest.approx(one["theory"], abs=0.05)
    monkeypatch.setattr(sys, "argv", arguments)
    experiments.main()
    assert "A/A, t-test looked at daily" in capsys.readouterr().out
