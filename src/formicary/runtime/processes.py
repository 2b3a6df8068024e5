"""``formicary up``: PostgreSQL, the engine and the follower, kept alive until told to end."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from formicary.factory.journal.supervisor import Supervisor
from formicary.runtime.children import Child, Children

__all__ = ["keep_alive"]

_LOG: Final = logging.getLogger(__name__)
_TEND_SECONDS: Final = 0.01
_STOP_SECONDS_MAX: Final = 10.0


def keep_alive(
    supervisor: Supervisor | None,
    children: list[Child],
    *,
    on_change: Callable[[dict[str, int]], None],
    pid_file: Path,
) -> None:
    """Keep a server and children running until ``SIGTERM`` or ``SIGINT``, then end the children.

    Parameters
    ----------
    supervisor
        Of the embedded server, started; None where the database is somebody else's to keep.
    children
        Forked here.
    on_change
        Called with the process numbers by name whenever one changes.
    pid_file
        Holds this process's number while it runs.
    """
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    group = Children(children)
    known: dict[str, int] = {}
    try:
        while not stopping:
            if supervisor is not None and supervisor.pid is None:
                _LOG.warning("PostgreSQL is down; starting it")
                supervisor.start()
            group.tend()
            pids = group.pids | ({"postgres": supervisor.pid or 0} if supervisor is not None else {})
            if pids != known:
                known = pids
                pid_file.write_text("".join(f"{name} {pid}\n" for name, pid in known.items()))
                on_change(known)
            time.sleep(_TEND_SECONDS)
    finally:
        group.stop(_STOP_SECONDS_MAX)
        pid_file.unlink(missing_ok=True)
        for number, handler in before.items():
            signal.signal(number, handler)
