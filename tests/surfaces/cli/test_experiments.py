"""``formicary experiments``: defined, started, met, looked at, stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from formicary.base.times import time_text
from formicary.factory.experiments.assignment import NOWHERE, arms_of
from formicary.factory.experiments.definitions import read_definition
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.factory.experiments.kit import DAY_NS, document_of, ids
from tests.surfaces.cli.kit import MemoryProgram, Terminal

REASON = ("--reason", "All is [there].")
METRICS = (
    "{name: spend, kind: mean, column: spent, covariate: before, good: up}, "
    "{name: orders, kind: proportion, column: ordered, good: up}, "
    "{name: returns, kind: mean, column: returned, good: down, tolerated_harm: 0.1}"
)
PARTIES = ids(2_000, seed=3)
IDS = [f"{high:016x}{low:016x}" for high, low in PARTIES.tolist()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write a document."""
    path = tmp_path / "short_form.yaml"
    path.write_text(document_of(metrics=METRICS))
    return path


@pytest.fixture
def run(terminal: Terminal, program: MemoryProgram, file: Path, tmp_path: Path) -> Callable[..., str]:
    """Return what runs an experiment for ten days and writes its outcomes, whose file it returns."""

    def running(*, spent: float = 0.0, returned: float = 0.0, kept: float = 1.0) -> str:
        assert terminal.run("experiments", "define", str(file)) == ExitCode.DONE
        assert terminal.run("experiments", "start", "short_form", *REASON) == ExitCode.DONE
        began = program.clock.now()
        arms = arms_of(PARTIES, read_definition(file.read_text()).slice)
        chance = np.random.default_rng(6)
        at = began + np.sort(chance.integers(0, 10 * DAY_NS, len(PARTIES)))
        program.clock.advance(10 * DAY_NS)
        rows = chance.random(len(PARTIES)) < np.where(arms == 1, kept, 1.0)
        pl.DataFrame({"party": IDS, "at": at}).filter(rows).write_parquet(tmp_path / "met.parquet")
        told = terminal.json("experiments", "expose", "short_form", str(tmp_path / "met.parquet"))
        assert told["told"] == ((arms != NOWHERE) & rows).sum()
        outcomes(arms, spent, returned).write_csv(tmp_path / "outcomes.csv")
        return str(tmp_path / "outcomes.csv")

    return running


def outcomes(arms: npt.NDArray[np.int64], spent: float, returned: float) -> pl.DataFrame:
    """Return what parties did, where the second arm did more."""
    chance = np.random.default_rng(7)
    before = chance.gamma(2, 2, len(arms))
    return pl.DataFrame(
        {
            "party": IDS,
            "spent": before + chance.normal(0, 1, len(arms)) + spent * (arms == 1),
            "before": before,
            "ordered": chance.integers(0, 2, len(arms)),
            "returned": chance.poisson(1, len(arms)) + returned * (arms == 1),
        }
    )


def test_an_experiment_is_defined_started_and_stopped(terminal: Terminal, file: Path) -> None:
    """What is there is shown, with its document."""
    defined = terminal.json("experiments", "define", str(file), "--key", "one")
    assert (defined["status"], defined["started"], defined["document"]) == ("defined", None, file.read_text())
    started = terminal.json("experiments", "start", "short_form", *REASON)
    assert (started["status"], started["reason"]) == ("running", "All is [there].")
    assert terminal.json("experiments", "list") == {"experiments": [started]}
    assert terminal.json("experiments", "show", "short_form") == started | {"exposures": 0}
    for arguments in (("list",), ("show", "short_form")):
        assert terminal.run("experiments", *arguments) == ExitCode.DONE
        assert "checkout" in terminal.out
    assert terminal.run("experiments", "define", str(file)) == ExitCode.REFUSED
    assert "experiment_running" in terminal.err
    stopped = terminal.json("experiments", "stop", "short_form", "--reason", "Enough.")
    assert (stopped["status"], stopped["cause"], stopped["reason"]) == ("stopped", "decided", "Enough.")
    assert terminal.run("experiments", "show", "none") == ExitCode.REFUSED
    assert "experiment_not_found" in terminal.err


def test_what_is_wrong_with_a_document_is_said(
    terminal: Terminal, program: MemoryProgram, file: Path
) -> None:
    """Before anything is sent; a file that cannot be read is a wrong command line."""
    file.write_text(document_of(arms="{control: 1}"))
    assert terminal.run("experiments", "define", str(file)) == ExitCode.REFUSED
    assert "2 to 8 arms" in terminal.err
    assert program.tried_out.commands == 0
    assert terminal.run("experiments", "define", str(file.with_name("none"))) == ExitCode.USAGE


def test_exposures_are_told_once(terminal: Terminal, run: Callable[..., str], tmp_path: Path) -> None:
    """Telling the same table again does nothing twice."""
    run()
    met = str(tmp_path / "met.parquet")
    before = terminal.json("experiments", "show", "short_form")["exposures"]
    assert terminal.run("experiments", "expose", "short_form", met) == ExitCode.DONE
    assert f"{before:,}" in terminal.out
    assert terminal.json("experiments", "show", "short_form")["exposures"] == before > 900


def test_results_of_nothing(terminal: Terminal, run: Callable[..., str]) -> None:
    """Tables, a document and days."""
    table = run()
    assert terminal.run("experiments", "results", "short_form", "--table", table) == ExitCode.DONE
    assert "undecided" in terminal.out
    found = terminal.json("experiments", "results", "short_form", "--table", table)
    assert found["status"] == "running"
    assert not found["mismatch"]
    assert [(one["metric"], one["verdict"]) for one in found["comparisons"]] == [
        ("spend", "undecided"),
        ("orders", "undecided"),
        ("returns", "undecided"),
    ]
    spend, _, returns = found["comparisons"]
    assert len(spend["sequence"]["low"]) == len(found["days"])
    assert spend["sequence"]["low"][-1] < 0 < spend["sequence"]["high"][-1]
    assert spend["variance_reduction"] > 0.8
    assert {*returns["sequence"]["high"]} == {None}
    assert sum(one["analysed"] for one in found["arms"]) > 900
    early = terminal.json("experiments", "results", "short_form", "--table", table, "--until", time_text(0))
    assert (early["days"], early["comparisons"]) == ([], [])
    assert (
        terminal.run("experiments", "results", "short_form", "--table", table, "--until", "0")
        == ExitCode.DONE
    )


def test_outcomes_are_facts_or_a_table(terminal: Terminal, run: Callable[..., str]) -> None:
    """One of the two; facts that there are not are refused."""
    table, results = run(), ("experiments", "results", "short_form")
    for arguments in ((), ("--table", table, "--facts", "order")):
        assert terminal.run(*results, *arguments) == ExitCode.USAGE
        assert "one of the two" in terminal.err
    assert terminal.run(*results, "--facts", "order") == ExitCode.REFUSED
    assert "outcome_days is 1 at least" in " ".join(terminal.err.split())


def test_a_document_says_which_facts_outcomes_are(terminal: Terminal, file: Path) -> None:
    """Then nobody else has to, and a table may still stand in their place."""
    file.write_text(document_of(metrics=METRICS, outcome_days=1, outcomes="{facts: order}"))
    terminal.json("experiments", "define", str(file))
    assert terminal.run("experiments", "results", "short_form") == ExitCode.REFUSED
    assert "no fact has a field spent" in " ".join(terminal.err.split())
    table = file.with_suffix(".csv")
    outcomes(arms_of(PARTIES, read_definition(file.read_text()).slice), 0, 0).write_csv(table)
    assert terminal.json("experiments", "results", "short_form", "--table", str(table))["comparisons"] == []


def test_results_of_something(terminal: Terminal, run: Callable[..., str], tmp_path: Path) -> None:
    """With a page of them."""
    page = tmp_path / "short_form.html"
    arguments = ("--table", run(spent=0.8), "--page", str(page))
    found = terminal.json("experiments", "results", "short_form", *arguments)
    assert found["comparisons"][0]["verdict"] == "better"
    assert found["comparisons"][0]["sequence"]["decided"] < len(found["days"])
    assert "spend, short: better" in page.read_text()
    nowhere = ("--table", arguments[1], "--page", str(tmp_path / "none" / "page.html"))
    assert terminal.run("experiments", "results", "short_form", *nowhere) == ExitCode.USAGE


def test_harm_stops_it(terminal: Terminal, run: Callable[..., str]) -> None:
    """Where that was asked for; once it is stopped it is looked at as before."""
    arguments = ("experiments", "results", "short_form", "--table", run(returned=1.0))
    assert terminal.run(*arguments) == ExitCode.FINDINGS
    assert terminal.json("experiments", "show", "short_form")["status"] == "running"
    for _ in range(2):
        found: dict[str, Any] = terminal.json(*arguments, "--stop-on-harm")
        assert (found["status"], found["cause"]) == ("stopped", "harm")
        assert found["reason"] == "More harm than is tolerated: returns of short."


def test_uneven_arms_are_told(terminal: Terminal, run: Callable[..., str]) -> None:
    """Nothing of it may be believed."""
    arguments = ("experiments", "results", "short_form", "--table", run(spent=1.0, kept=0.7))
    assert terminal.run(*arguments) == ExitCode.FINDINGS
    assert "nothing of it may be believed" in terminal.err
    found = terminal.json(*arguments)
    assert found["mismatch"]
    assert {one["verdict"] for one in found["comparisons"]} == {"void"}
