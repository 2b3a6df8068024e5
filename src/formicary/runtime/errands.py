"""Work that is done in a process of its own, so that what it loads is given back when it is over."""

from __future__ import annotations

import logging
import os
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from formicary.base.errors import OperationalFault

__all__ = ["Errand"]

_LOG: Final = logging.getLogger(__name__)


class Errand:
    """One piece of work at a time. The process that sends it out must have no threads.

    Parameters
    ----------
    later
        Errors after which it may well be done later: it ends with a code, and says so.
    """

    def __init__(self, *, later: tuple[type[Exception], ...] = (OperationalFault,)) -> None:
        self._later = later
        self.pid = 0
        """Of the process that is under way; 0 for none."""

    def begin(self, work: Callable[[], None], *, name: str) -> None:
        """Do work, whose name is for the log, in a process forked from this one; none is under way."""
        pid = os.fork()
        if pid:
            self.pid = pid
            return
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            work()
            code = 0
        except self._later as fault:
            code = 2
            _LOG.warning("%s is done later: %s", name, fault)
        finally:
            if code == 1:
                traceback.print_exc()
            # Not sys.exit: the parent's clean-up is not the child's.
            logging.shutdown()
            os._exit(code)

    def outcome(self) -> int | None:
        """Return the exit code of work that is over, and forget it; None while it is under way."""
        return self._reap(os.WNOHANG)

    def stop(self) -> None:
        """End what is under way, if anything is."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._reap(0)

    def _reap(self, options: int) -> int | None:
        pid, status = os.waitpid(self.pid, options)
        if not pid:
            return None
        self.pid = 0
        return os.waitstatus_to_exitcode(status)
