"""Copies of the package in which mutants are tried, each with a worker of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Final, Self

from proofs.mutation.mutants import Mutant

__all__ = ["KERNELS", "ROOT", "BaselineFailed", "Sandbox", "Trial"]

ROOT: Final = Path(__file__).parents[2]
KERNELS: Final = Path("formicary") / "factory" / "ledger"


class BaselineFailed(RuntimeError):
    """The tests fail, or cannot run, without any change: no mutant can be judged."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a mutant."""

    mutant: Mutant
    killed: bool
    noticed: str
    """The test that failed first, or how the process ended."""
    seconds: float


class _Worker:
    """A process with its own copy of the package."""

    def __init__(self, folder: Path) -> None:
        self._package = folder / "src"
        shutil.copytree(ROOT / "src", self._package, ignore=shutil.ignore_patterns("__pycache__"))
        environment = os.environ | {
            "PYTHONPATH": f"{self._package}{os.pathsep}{ROOT}",
            "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
            "NUMBA_DISABLE_JIT": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "proofs.mutation.worker"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, module: str, source: str, *, keep_bytecode: bool = False) -> dict[str, Any]:
        """Try one module's source; return the worker's answer."""
        path = self._package / KERNELS / f"{module}.py"
        task = {"path": str(path), "source": source, "keep_bytecode": keep_bytecode}
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or "{}")
        if answer.get("outcome") not in {"killed", "survived"}:
            message = f"the tests could not run: {answer.get('noticed', 'the worker ended')}"
            raise BaselineFailed(message)
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


class Sandbox:
    """Some workers, which try mutants side by side."""

    def __init__(self, workers: int) -> None:
        self._stack = ExitStack()
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._count = workers

    def __enter__(self) -> Self:
        """Make the copies and start the workers."""
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="formicary-mutation-")))
        for number in range(self._count):
            worker = _Worker(folder / str(number))
            self._stack.callback(worker.close)
            self._idle.put(worker)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the workers and remove the copies."""
        self._stack.close()

    def check_baseline(self, module: str, source: str) -> float:
        """Run the suite without any change on every worker; return how many seconds it takes.

        Raises
        ------
        BaselineFailed
            It fails.
        """
        workers = [self._idle.get() for _ in range(self._count)]
        answers = [worker.run(module, source, keep_bytecode=True) for worker in workers]
        for worker in workers:
            self._idle.put(worker)
        failed = [answer["noticed"] for answer in answers if answer["outcome"] != "survived"]
        if failed:
            message = f"without any change: {failed[0]}"
            raise BaselineFailed(message)
        return float(min(answer["seconds"] for answer in answers))

    def try_all(self, mutants: Sequence[Mutant]) -> Iterator[Trial]:
        """Try every mutant; yield the trials in the order of the mutants."""
        with ThreadPoolExecutor(self._count) as pool:
            yield from pool.map(self._try, mutants)

    def _try(self, mutant: Mutant) -> Trial:
        worker = self._idle.get()
        try:
            answer = worker.run(mutant.module, mutant.source)
        finally:
            self._idle.put(worker)
        return Trial(mutant, answer["outcome"] == "killed", answer["noticed"], answer["seconds"])
