"""The command: try mutants of the ledger's kernels and print the score."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import numba

from proofs.mutation.campaign import Campaign, Trial
from proofs.mutation.equivalents import LIST, without_equivalents
from proofs.mutation.kernels import sources
from proofs.mutation.mutants import Mutant, mutants_of
from proofs.mutation.suite import TESTS, Suite, SuiteBroken, with_suite

SCORE_PERCENT_MIN: Final = 85
_PROGRESS_EVERY: Final = 50


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if enough mutants were killed, else 1."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    config: Any = numba.config
    if not config.DISABLE_JIT:
        # Nothing is compiled, and kernels are plain functions from their import on.
        command = [
            sys.executable,
            "-m",
            "proofs.mutation",
            *(sys.argv[1:] if arguments is None else arguments),
        ]
        environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
        return subprocess.run(command, env=environment, check=False).returncode
    made = [mutant for module, source in sources().items() for mutant in mutants_of(module, source)]
    mutants = without_equivalents(made, LIST.read_text())
    equivalent = len(made) - len(mutants)
    if options.module:
        mutants = [mutant for mutant in mutants if mutant.module in options.module]
    if options.sample and options.sample < len(mutants):
        chosen = set(Random(options.seed).sample(range(len(mutants)), options.sample))
        mutants = [mutant for number, mutant in enumerate(mutants) if number in chosen]
    trials: list[Trial] = []
    with_suite(lambda suite: trials.extend(_try_all(suite, mutants, options.processes)), options.tests)
    order = {mutant: number for number, mutant in enumerate(mutants)}
    return _report(sorted(trials, key=lambda trial: order[trial.mutant]), equivalent)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m proofs.mutation", description=__doc__)
    parser.add_argument(
        "--sample", type=int, metavar="N", help="try N mutants, chosen at random, instead of all"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which random sample (default 1)")
    parser.add_argument("--module", action="append", metavar="NAME", help="only of this module, as _apply")
    parser.add_argument(
        "--tests", type=Path, default=TESTS, metavar="PATH", help="other tests than the ledger's"
    )
    processors = os.cpu_count() or 1
    parser.add_argument(
        "--processes", type=int, default=processors, metavar="N", help=f"at a time (default {processors})"
    )
    return parser


def _try_all(suite: Suite, mutants: Sequence[Mutant], processes: int) -> list[Trial]:
    started = time.monotonic()
    tests = suite.trace()
    print(f"{len(mutants)} mutants; {len(tests)} tests, traced in {time.monotonic() - started:.0f} s")
    campaign = Campaign(suite, tests)
    # Alone and in this order, too, the tests pass without any change.
    module, source = next(iter(sources().items()))
    unchanged = Mutant(module, "", range(0), "", "", source)
    trials = list[Trial]()
    for trial in campaign.try_all([unchanged, *mutants], processes=processes):
        if trial.mutant is unchanged:
            if trial.killed:
                message = f"without any change: {trial.noticed}"
                raise SuiteBroken(message)
            continue
        trials.append(trial)
        if len(trials) % _PROGRESS_EVERY == 0:
            survived = sum(not each.killed for each in trials)
            minutes = (time.monotonic() - started) / 60
            progress = f"{len(trials)} of {len(mutants)} tried in {minutes:.1f} min, {survived} survived"
            print(progress, file=sys.stderr, flush=True)
    return trials


def _report(trials: Sequence[Trial], equivalent: int) -> int:
    for trial in trials:
        if not trial.killed:
            print(f"survived: {trial.mutant}")
    tried = Counter(trial.mutant.module for trial in trials)
    killed = Counter(trial.mutant.module for trial in trials if trial.killed)
    print(f"{'module':<22}{'killed':>8}{'survived':>10}{'score':>9}")
    for module, count in [*sorted(tried.items()), ("all", tried.total())]:
        noticed = killed.total() if module == "all" else killed[module]
        print(f"{module:<22}{noticed:>8}{count - noticed:>10}{100 * noticed / count:>8.1f}%")
    score = 100 * killed.total() / max(tried.total(), 1)
    minutes = sum(trial.cpu_seconds for trial in trials) / 60
    print(f"{equivalent} more are equivalent, listed with reasons; {SCORE_PERCENT_MIN}% must be killed")
    print(f"the mutants took {minutes:.1f} min of processor time")
    return 0 if score >= SCORE_PERCENT_MIN else 1


if __name__ == "__main__":
    raise SystemExit(main())
