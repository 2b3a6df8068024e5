"""The simulator finds what is wrong: a checker that never failed proves nothing."""

from __future__ import annotations

import pytest

from proofs.simulator.campaign import run_seeds
from proofs.simulator.planted import PLANTED
from tests.proofs.simulator.test_seeds import SEEDS

# Within so many of the seeds that the unharmed engine passes.
FOUND_WITHIN = 200
assert FOUND_WITHIN < SEEDS

BY_INVARIANT = {
    "answer_before_commit": "no answer before its commit",
    "missing_floor_check": "no account below its floor",
    "epoch_read_without_lock": "positions have no gap",
    "id_checked_outside_step": "one effect per id",
    "timer_fired_twice": "a timer fires once",
    "receipt_lost": "one effect per key",
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_bug_is_caught(planted: str) -> None:
    """Each bug is seen within a few seeds."""
    assert run_seeds(range(FOUND_WITHIN), planted=planted).failures


@pytest.mark.parametrize("planted", BY_INVARIANT)
def test_a_planted_bug_breaks_an_invariant(planted: str) -> None:
    """Also without the model to compare with, by the guarantee that the bug is about."""
    report = run_seeds(range(FOUND_WITHIN), planted=planted, has_model=False, failures_max=5)
    assert any(BY_INVARIANT[planted] in failed.failure for failed in report.failures)
