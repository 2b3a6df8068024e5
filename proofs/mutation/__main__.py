"""The command: try mutants of the ledger's kernels and print the score."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Final

from proofs.mutation.equivalents import LIST, without_equivalents
from proofs.mutation.mutants import Mutant, mutants_of
from proofs.mutation.sandbox import KERNELS, ROOT, Sandbox, Trial

SCORE_PERCENT_MIN: Final = 85
_WORKERS: Final = 2
_PROGRESS_EVERY: Final = 50


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if enough mutants were killed, else 1."""
    options = _parser().parse_args(arguments)
    sources = {path.stem: path.read_text() for path in sorted((ROOT / "src" / KERNELS).glob("_[a-z]*.py"))}
    made = [mutant for module, source in sources.items() for mutant in mutants_of(module, source)]
    mutants = without_equivalents(made, LIST.read_text())
    equivalent = len(made) - len(mutants)
    if options.module:
        mutants = [mutant for mutant in mutants if mutant.module in options.module]
    if options.sample and options.sample < len(mutants):
        chosen = set(Random(options.seed).sample(range(len(mutants)), options.sample))
        mutants = [mutant for number, mutant in enumerate(mutants) if number in chosen]
    with Sandbox(_WORKERS) as sandbox:
        module, source = next(iter(sources.items()))
        seconds = sandbox.check_baseline(module, source)
        print(
            f"{len(mutants)} mutants of {len(sources)} modules; the suite takes {seconds:.1f} s without any"
        )
        trials = _try_all(sandbox, mutants)
    return _report(trials, equivalent)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m proofs.mutation", description=__doc__)
    parser.add_argument(
        "--sample", type=int, metavar="N", help="try N mutants, chosen at random, instead of all"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which random sample (default 1)")
    parser.add_argument("--module", action="append", metavar="NAME", help="only of this module, as _apply")
    return parser


def _try_all(sandbox: Sandbox, mutants: Sequence[Mutant]) -> list[Trial]:
    trials: list[Trial] = []
    started = time.monotonic()
    for trial in sandbox.try_all(mutants):
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
    print(f"{equivalent} more are equivalent, listed with reasons; {SCORE_PERCENT_MIN}% must be killed")
    return 0 if score >= SCORE_PERCENT_MIN else 1


if __name__ == "__main__":
    raise SystemExit(main())
