"""Child processes that are forked ready to run, and forked again when they die.

Importing and loading compiled kernels takes a second or two; a parent that has done it hands it
to every child for free, which is what brings an engine back within milliseconds of its death.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

__all__ = ["AskedToEnd", "Child", "Children"]

_LOG: Final = logging.getLogger(__name__)
_QUICK_DEATH_SECONDS: Final = 1.0
_QUICK_DEATHS_FORGIVEN: Final = 2
_PAUSE_SECONDS_MAX: Final = 0.5


@dataclass(slots=True)
class Child:
    """A process to keep alive.

    ``main`` runs in the child; it should return when it gets ``SIGTERM``.
    """

    name: str
    main: Callable[[], None]
    pid: int = 0
    forked_at: float = 0.0
    quick_deaths: int = 0
    not_before: float = 0.0
    deaths: list[int] = field(default_factory=list)


class AskedToEnd:
    """In a child: becomes true on ``SIGTERM``, and calls ``then``."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.asked = False
        self.then = then
        signal.signal(signal.SIGTERM, self._ask)
        # A terminal's interrupt reaches the whole group; the parent passes it on in order.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _ask(self, *_: object) -> None:
        self.asked = True
        self.then()


class Children:
    """Forks children, reaps them, forks them again. The parent must have no threads."""

    def __init__(self, children: list[Child]) -> None:
        self._children = children

    @property
    def pids(self) -> dict[str, int]:
        """The process numbers by name; 0 for one that is down."""
        return {child.name: child.pid for child in self._children}

    def tend(self) -> list[str]:
        """Reap what died and fork what is missing; return the names of those forked."""
        for child in self._children:
            if child.pid:
                self._reap(child)
        forked = []
        for child in self._children:
            if not child.pid and time.monotonic() >= child.not_before:
                self._fork(child)
                forked.append(child.name)
        return forked

    def stop(self, seconds_max: float) -> None:
        """End every child: ask, wait, and force what does not go."""
        deadline = time.monotonic() + seconds_max
        for child in self._children:
            if child.pid:
                os.kill(child.pid, signal.SIGTERM)
        for child in self._children:
            while child.pid and time.monotonic() < deadline:
                self._reap(child)
                time.sleep(0.005)
            if child.pid:
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)
                child.pid = 0

    def _reap(self, child: Child) -> None:
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if not pid:
            return
        code = os.waitstatus_to_exitcode(status)
        _LOG.warning("%s, process %d, ended with %d", child.name, pid, code)
        child.pid = 0
        child.deaths.append(code)
        # One that keeps dying at once gets ever longer pauses; a single death gets none.
        quick = time.monotonic() - child.forked_at < _QUICK_DEATH_SECONDS
        child.quick_deaths = child.quick_deaths + 1 if quick else 0
        pause = (
            min(_PAUSE_SECONDS_MAX, 0.01 * 2**child.quick_deaths)
            if child.quick_deaths > _QUICK_DEATHS_FORGIVEN
            else 0.0
        )
        child.not_before = time.monotonic() + pause

    def _fork(self, child: Child) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            child.pid, child.forked_at = pid, time.monotonic()
            return
        code = 1
        try:
            child.main()
            code = 0
        finally:
            if code:
                traceback.print_exc()
            # Not sys.exit: the parent's clean-up is not the child's.
            logging.shutdown()
            os._exit(code)
