"""The simulator finds nothing in the engine as it is."""

from __future__ import annotations

from proofs.simulator.campaign import run_seeds
from proofs.simulator.dice import Fault

SEEDS = 250


def test_every_guarantee_holds_in_hundreds_of_histories() -> None:
    """Whatever fails, nothing acknowledged is lost or doubled, and all is as the model says."""
    report = run_seeds(range(SEEDS))
    assert [(one.seed, one.failure) for one in report.failures] == []
    assert report.seeds == SEEDS
    # A fault that never happens proves nothing.
    assert min(report.faults[fault] for fault in Fault) > 0


def test_a_seed_is_lived_through_again() -> None:
    """The same seed gives the same steps, the same faults and the same end, with its whole trace."""
    first, again = (run_seeds(range(6), planted="missing_floor_check", failures_max=6) for _ in range(2))
    assert first == again
    assert first.failures
    assert all(failed.trace for failed in first.failures)
