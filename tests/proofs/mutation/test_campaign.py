"""How mutants are tried: which tests run, and what counts as noticed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from formicary.base.errors import ProgrammingError
from proofs.mutation import campaign
from proofs.mutation.campaign import Campaign
from proofs.mutation.kernels import ROOT, plant, sources
from proofs.mutation.mutants import Mutant
from proofs.mutation.suite import Place, Suite, SuiteBroken, TracedTest

MUTANT = Mutant("_find", "find_held", range(10, 12), "before", "after", "")


def traced(name: str, cpu_seconds: float, *places: Place) -> TracedTest:
    """Return a test that executes places."""
    return TracedTest(name, cpu_seconds, frozenset(places))


def test_only_tests_that_execute_the_line_run_and_the_quickest_first() -> None:
    """A test that does not come past a change cannot notice it."""
    tests = [
        traced("slow", 2, ("_find", 11), ("_find", "find_held")),
        traced("elsewhere", 1, ("_find", 12), ("_find", "find_held")),
        traced("other module", 1, ("_index", 11)),
        traced("quick", 0, ("_find", 10), ("_find", "find_held")),
    ]
    ordered = Campaign(Suite([]), tests)
    assert [test.name for test in ordered.tests_of(MUTANT)] == ["quick", "slow"]
    folded = replace(MUTANT, lines=range(20, 21))
    assert [test.name for test in ordered.tests_of(folded)] == ["quick", "elsewhere", "slow"]
    assert len(ordered.tests_of(replace(MUTANT, function=""))) == len(tests)
    assert ordered.tests_of(replace(folded, function="nothing_calls_it")) == []


def test_what_noticed_others_in_a_function_runs_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neighbours are noticed by the same tests: a slow one is not kept until the end again and again."""
    monkeypatch.setattr(campaign, "plant", lambda _module, _source: None)
    tests = [traced("passes", 0, ("_find", 10)), traced("fails", 1, ("_find", 10))]
    ordered = Campaign(_Named([]), tests)
    assert [test.name for test in ordered.tests_of(MUTANT)] == ["passes", "fails"]
    assert [trial.noticed for trial in ordered.try_all([MUTANT], processes=1)] == ["fails"]
    assert [test.name for test in ordered.tests_of(MUTANT)] == ["fails", "passes"]


class _Named(Suite):
    """Tests that do what their name says."""

    def passes(self, name: str) -> bool:
        """Do it."""
        while name == "loops":
            pass
        if name == "raises":
            raise MemoryError
        return name != "fails"


def _tried(*names: str) -> list[tuple[bool, str]]:
    tests = [traced(name, number / 100, ("_find", 10)) for number, name in enumerate(names)]
    trials = Campaign(_Named([]), tests).try_all([MUTANT] * 3, processes=2)
    return [(trial.killed, trial.noticed) for trial in trials]


def test_the_first_failure_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant is killed by the first test that fails, and survives when none does."""
    monkeypatch.setattr(campaign, "plant", lambda _module, _source: None)
    assert _tried("passes", "fails", "loops") == [(True, "fails")] * 3
    assert _tried("passes", "passes too") == [(False, "2 tests")] * 3
    assert _tried() == [(False, "0 tests")] * 3


def test_a_test_that_does_not_end_notices_the_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop without an end is stopped by the processor time it takes."""
    monkeypatch.setattr(campaign, "plant", lambda _module, _source: None)
    monkeypatch.setattr(campaign, "_CPU_SECONDS_MORE", 0.1)
    assert _tried("loops") == [(True, "SIGPROF")] * 3


def test_a_module_that_cannot_be_imported_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program would start with it."""

    def overflow(_module: str, _source: str) -> None:
        raise OverflowError

    monkeypatch.setattr(campaign, "plant", overflow)
    assert _tried("passes") == [(True, "the import")] * 3


def test_a_suite_that_breaks_judges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error beside the tests says nothing about the mutant, and ends the campaign."""
    monkeypatch.setattr(campaign, "plant", lambda _module, _source: None)
    with pytest.raises(SuiteBroken, match="find_held"):
        _tried("raises")


def test_nothing_is_planted_in_compiled_kernels() -> None:
    """Compiled code would go on as it was, and every mutant survive."""
    with pytest.raises(ProgrammingError):
        plant("_find", sources()["_find"])


_PLANTING = """
from proofs.mutation.kernels import plant, sources
from formicary.factory.ledger import _fields, _find, _judge_plain, _layout, _sealed

def change(module, before, after):
    text = sources()[module]
    assert text.count(before) == 1, before
    plant(module, text.replace(before, after))

word, zero = _layout.WORD_MAX, _layout.WORD_ZERO
assert _judge_plain.is_max(word, word) and not _judge_plain.is_max(word, zero)
change("_fields", "high == WORD_MAX and low == WORD_MAX", "high == WORD_MAX or low == WORD_MAX")
assert _judge_plain.is_max(word, zero)
change("_layout", "CLOSING: Final = CLOSING_DEBIT | CLOSING_CREDIT", "CLOSING: Final = 5")
assert _judge_plain.CLOSING == 5
change("_sealed", "np.uint64(18), ", "")
assert len(_sealed._SHIFTS) == 4
change("_find", "OLDER: Final = 1", "OLDER: Final = 7")
assert _find.OLDER == 7 and _layout.TIMER_OF_OTHERS == 1
"""


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": f"{ROOT}/src:{ROOT}"}
    return subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
    )


def test_a_mistake_reaches_whoever_imported_it() -> None:
    """A function is changed in every module that calls it, a constant in every module that has it."""
    done = _run("-c", _PLANTING)
    assert (done.returncode, done.stderr) == (0, "")


def _command(tests: Path) -> subprocess.CompletedProcess[str]:
    return _run("-m", "proofs.mutation", "--module", "_fields", "--tests", str(tests))


def test_the_command_prints_the_score_and_what_survived(tmp_path: Path) -> None:
    """A test of one kernel kills the mutants of that one; the others survive, and the score is too low."""
    tests = tmp_path / "test_zero.py"
    tests.write_text(
        dedent(
            '''
            """Zero."""
            from formicary.factory.ledger._fields import is_zero
            from formicary.factory.ledger._layout import WORD_MAX, WORD_ZERO

            def test_zero():
                """Both words are zero."""
                assert is_zero(WORD_ZERO, WORD_ZERO)
                assert not is_zero(WORD_MAX, WORD_ZERO)
                assert not is_zero(WORD_ZERO, WORD_MAX)
            '''
        )
    )
    done = _command(tests)
    assert done.returncode == 1
    assert "12 mutants; 1 tests" in done.stdout
    assert "survived: _fields.py" in done.stdout
    assert "in is_zero" not in done.stdout
    assert "_fields                      3         9    25.0%" in done.stdout


def test_a_suite_that_fails_without_a_change_judges_nothing(tmp_path: Path) -> None:
    """Every mutant would seem to be noticed."""
    tests = tmp_path / "test_wrong.py"
    tests.write_text("def test_wrong():\n    assert False\n")
    done = _command(tests)
    assert done.returncode == 1
    assert "without any change" in done.stderr
    assert "survived" not in done.stdout
