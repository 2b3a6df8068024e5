"""The tests that mutants have to survive: a fast part of the ledger's own, those that notice most first."""

from __future__ import annotations

import signal
from typing import Any, Final

import pytest

__all__ = ["FAILED", "PASSED", "SuiteBroken", "run_suite"]

PASSED: Final = 0
FAILED: Final = 1
_LEDGER: Final = "tests/factory/ledger"
_TESTS: Final = (
    "test_property.py::test_every_answer_and_row_is_the_oracle_s[1]",
    "test_statuses.py::test_each_status_is_reached",
    "test_two_phase.py",
    "test_chains.py",
    "test_closing.py",
    "test_imports.py",
    "test_balances.py",
    "test_idempotency.py",
    "test_state_hash.py",
    "test_fold.py::test_a_folded_journal_is_the_same_state[1-7-64]",
    "test_fold.py::test_every_word_of_every_kind_of_row_counts",
    "test_fold.py::test_every_field_of_an_account_counts",
    "test_fold.py::test_a_wrong_total_or_link_is_refused_at_its_row",
    "test_fold.py::test_a_row_that_refers_to_nothing_is_refused",
    "test_fold.py::test_an_account_that_is_there_twice_is_refused",
    "test_fold.py::test_rows_of_others_take_positions",
    "test_fold.py::test_a_folded_journal_refuses_stamps_of_the_past",
    "test_fold.py::test_a_restored_snapshot_is_the_same_state[2-0]",
    "test_statuses.py::test_precedence",
    "test_property.py::test_every_answer_and_row_is_the_oracle_s[2]",
    "test_property.py::test_every_answer_and_row_is_the_oracle_s[4]",
    "test_property.py::test_results_do_not_depend_on_where_requests_are_cut[0]",
    "test_property.py::test_state_does_not_depend_on_where_groups_are_cut[1]",
)
# Nothing is measured or remembered, and no example is searched for.
_OPTIONS: Final = ("-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider")
# The slowest of the tests takes a second and a half: a test that takes so long will not end.
_TEST_CPU_SECONDS_MAX: Final = 8


class SuiteBroken(RuntimeError):
    """The tests could not be run at all, which says nothing about a mutant."""


class _FirstFailure:
    """Remembers which test noticed, and ends the process with a test that does not end."""

    def __init__(self) -> None:
        self.name = ""

    def pytest_runtest_logstart(self) -> None:
        """Allow each test so much time of the processor, however busy it is."""
        signal.setitimer(signal.ITIMER_PROF, _TEST_CPU_SECONDS_MAX)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note the first report that is no success."""
        if report.failed and not self.name:
            self.name = report.nodeid.removeprefix(f"{_LEDGER}/")

    def pytest_collectreport(self, report: Any) -> None:
        """Note a module that could not even be imported."""
        if report.failed and not self.name:
            self.name = f"import of {report.nodeid.removeprefix(f'{_LEDGER}/')}"


def run_suite() -> tuple[int, str]:
    """Run the suite in this process; return PASSED or FAILED, and the test that failed."""
    noticed = _FirstFailure()
    code = pytest.main([*_OPTIONS, *(f"{_LEDGER}/{test}" for test in _TESTS)], plugins=[noticed])
    if code == pytest.ExitCode.OK:
        return PASSED, ""
    if code in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED) and noticed.name:
        return FAILED, noticed.name
    message = f"pytest ended with {code!r}"
    raise SuiteBroken(message)
