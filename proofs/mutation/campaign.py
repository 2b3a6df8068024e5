"""Trying mutants: a forked process for each, with the tests that execute its line, likely ones first."""

from __future__ import annotations

import gc
import os
import resource
import signal
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from select import select
from typing import Final, NoReturn

from proofs.mutation.kernels import plant
from proofs.mutation.mutants import Mutant
from proofs.mutation.suite import Place, Suite, SuiteBroken, TracedTest

__all__ = ["Campaign", "Trial"]

_MEMORY_BYTES_MAX: Final = 8 << 30
# A test that takes so much longer than it did under the trace will not end.
_CPU_SECONDS_MORE: Final = 1.0
_CPU_TIMES_MAX: Final = 2
_SURVIVED, _KILLED, _BROKEN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a mutant."""

    mutant: Mutant
    killed: bool
    noticed: str
    """The test that failed, or how the process ended."""
    cpu_seconds: float


class Campaign:
    """A suite of tests that know what they execute."""

    def __init__(self, suite: Suite, tests: Iterable[TracedTest]) -> None:
        self._suite = suite
        self._tests = sorted(tests, key=lambda test: test.cpu_seconds)
        self._kills = defaultdict[Place, Counter[str]](Counter)
        self._executed: frozenset[Place] = frozenset().union(*(test.places for test in self._tests))

    def tests_of(self, mutant: Mutant) -> list[TracedTest]:
        """Return the tests that can notice a mutant.

        First come those that noticed most others in the same function, then the quickest.
        """
        lines: set[Place] = {(mutant.module, line) for line in mutant.lines}
        # No line of its own has what the compiler folds into another one.
        wanted = lines & self._executed or {(mutant.module, mutant.function)}
        kills = self._kills[mutant.module, mutant.function]
        able = [test for test in self._tests if wanted & test.places or not mutant.function]
        return sorted(able, key=lambda test: -kills[test.name])

    def try_all(self, mutants: Iterable[Mutant], *, processes: int) -> Iterator[Trial]:
        """Try every mutant; yield the trials as they end.

        Raises
        ------
        SuiteBroken
            A process ended in a way that says nothing about its mutant.
        """
        waiting = iter(mutants)
        running: dict[int, tuple[Mutant, int]] = {}
        # What is there already is not looked through again, so that the processes share its memory.
        gc.freeze()
        try:
            while True:
                for mutant in islice(waiting, processes - len(running)):
                    pipe, pid = self._start(mutant)
                    running[pipe] = mutant, pid
                if not running:
                    return
                # A pipe can be read when its process has something to tell, or ended.
                for pipe in select(list(running), [], [])[0]:
                    trial = _trial(*running.pop(pipe), pipe)
                    self._kills[trial.mutant.module, trial.mutant.function][trial.noticed] += trial.killed
                    yield trial
        finally:
            gc.unfreeze()

    def _start(self, mutant: Mutant) -> tuple[int, int]:
        tests = self.tests_of(mutant)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._try_and_exit(mutant, tests, writing)
        os.close(writing)
        return reading, pid

    def _try_and_exit(self, mutant: Mutant, tests: Sequence[TracedTest], writing: int) -> NoReturn:
        code, noticed = _BROKEN, ""
        try:
            _isolate()
            code, noticed = _KILLED, "the import"
            plant(mutant.module, mutant.source)
            code, noticed = _BROKEN, ""
            failed = self._first_failure(tests)
            code, noticed = (_KILLED, failed) if failed else (_SURVIVED, f"{len(tests)} tests")
        finally:
            # Whatever was raised must not go on in a copy of the command.
            os.write(writing, noticed.encode())
            os._exit(code)

    def _first_failure(self, tests: Sequence[TracedTest]) -> str:
        for test in tests:
            seconds = _CPU_SECONDS_MORE + _CPU_TIMES_MAX * test.cpu_seconds
            signal.setitimer(signal.ITIMER_PROF, seconds)
            if not self._suite.passes(test.name):
                return test.name
        return ""


def _isolate() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)


def _trial(mutant: Mutant, pid: int, pipe: int) -> Trial:
    with os.fdopen(pipe) as told:
        noticed = told.read()
    _, status, usage = os.wait4(pid, 0)
    code = _KILLED
    if os.WIFSIGNALED(status):
        noticed = signal.Signals(os.WTERMSIG(status)).name
    else:
        code = os.WEXITSTATUS(status)
    if code == _BROKEN:
        message = f"the tests could not run with {mutant}"
        raise SuiteBroken(message)
    return Trial(mutant, code == _KILLED, noticed, usage.ru_utime + usage.ru_stime)
