"""``formicary bench``."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.surfaces.cli import bench
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import Terminal

SCRIPT = """
import sys
with open("arguments", "a") as file:
    print(sys.argv[1:], file=file)
sys.exit("--fail" in sys.argv)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a checkout with one benchmark, which notes its arguments."""
    monkeypatch.setattr(bench, "_CHECKOUT", tmp_path)
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "ledger.py").write_text(SCRIPT)
    (folder / "_shared.py").write_text("")
    (folder / "learning.py").write_text(SCRIPT)
    (tmp_path / "examples" / "streams").mkdir(parents=True)
    (tmp_path / "examples" / "streams" / "cards.py").write_text("")
    return tmp_path


def test_a_benchmark_gets_its_arguments(terminal: Terminal, checkout: Path) -> None:
    """What follows the name is the benchmark's; it runs in a process of its own."""
    assert terminal.run("bench") == ExitCode.DONE
    assert terminal.run("bench", "ledger", "--json", "--", "--batch", "100") == ExitCode.DONE
    assert terminal.run("bench", "ledger", "--", "--fail") == ExitCode.FINDINGS
    lines = (checkout / "arguments").read_text().splitlines()
    assert lines == ["[]", "['--json', '--batch', '100']", "['--fail']"]


def test_a_stream_is_replayed_by_a_benchmark(terminal: Terminal, checkout: Path) -> None:
    """The one of learning; streams that do not exist are usage."""
    assert terminal.run("learn", "replay", "cards", "--threads", "2", "--json") == ExitCode.DONE
    assert terminal.run("learn", "replay", "ledger") == ExitCode.USAGE
    assert "cards" in terminal.err
    assert (checkout / "arguments").read_text() == "['--json', 'cards', '--threads', '2']\n"


@pytest.mark.usefixtures("checkout")
def test_an_unknown_benchmark_is_usage(terminal: Terminal) -> None:
    """The benchmarks that exist are told; private modules are none."""
    assert terminal.run("bench", "nothing") == ExitCode.USAGE
    assert "ledger" in terminal.err
    assert "_shared" not in terminal.err


def test_an_installed_package_has_none(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of a checkout the command says where benchmarks are."""
    monkeypatch.setattr(bench, "_CHECKOUT", tmp_path)
    assert terminal.run("bench") == ExitCode.FAULT
    assert "BenchmarksMissing" in terminal.err
