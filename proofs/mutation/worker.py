"""A process that tries mutants: it imports what is slow to import once, then forks for each of them.

It is told one mutant a line on standard input, as JSON, and answers with one line each.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

import numba
import pytest

from proofs.mutation.suite import FAILED, PASSED, SuiteBroken, run_suite

_MEMORY_BYTES_MAX: Final = 8 << 30
_SECONDS_MAX: Final = 600
_BROKEN: Final = 3
_OUTCOMES: Final = {PASSED: "survived", FAILED: "killed", _BROKEN: "broken"}


def main() -> None:
    """Answer until standard input ends."""
    config: Any = numba.config
    if not config.DISABLE_JIT:
        message = "mutants are tried as plain Python: set NUMBA_DISABLE_JIT=1"
        raise SystemExit(message)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_try(**json.loads(line))) + "\n")
        sys.stdout.flush()


def _try(path: str, source: str, *, keep_bytecode: bool) -> dict[str, Any]:
    """Run the suite with ``source`` in the place of a file of the copy; tell how that went."""
    started = time.monotonic()
    reading, writing = os.pipe()
    with _replaced(Path(path), source):
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _run_and_exit(writing, keep_bytecode=keep_bytecode)
        os.close(writing)
        status = _wait(pid)
    with os.fdopen(reading) as pipe:
        noticed = pipe.read()
    if os.WIFSIGNALED(status):
        outcome, noticed = "killed", f"{signal.Signals(os.WTERMSIG(status)).name}: does not end, or crashes"
    else:
        outcome = _OUTCOMES[os.WEXITSTATUS(status)]
    return {"outcome": outcome, "noticed": noticed, "seconds": time.monotonic() - started}


@contextmanager
def _replaced(path: Path, source: str) -> Iterator[None]:
    # With its old times a file's compiled form is valid again afterwards.
    original, times = path.read_text(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    if source != original:
        path.write_text(source)
    try:
        yield
    finally:
        path.write_text(original)
        os.utime(path, ns=times)


def _run_and_exit(writing: int, *, keep_bytecode: bool) -> NoReturn:
    sys.dont_write_bytecode = not keep_bytecode
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    code, noticed = _BROKEN, ""
    try:
        code, noticed = run_suite()
    except (SuiteBroken, pytest.UsageError) as broken:
        noticed = str(broken)
    finally:
        os.write(writing, noticed.encode())
        os._exit(code)


def _wait(pid: int) -> int:
    deadline = time.monotonic() + _SECONDS_MAX
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


if __name__ == "__main__":
    main()
