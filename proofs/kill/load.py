"""A load in a thread of its own: begun, watched for its first answer after a kill, and ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from formicary.base.errors import OperationalFault

__all__ = ["Load"]


class Load:
    """Calls ``send`` again and again; what it raises ends the load and is raised to whoever looks next.

    ``answers`` gets, for each request, when it was sent, for the last time, and when it was answered.
    """

    def __init__(self, send: Callable[[], None]) -> None:
        self.answers: list[tuple[float, float]] = []
        self._send = send
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="load")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def run_for(self, seconds: float) -> None:
        """Let the load go on."""
        time.sleep(seconds)
        self._raise_failure()

    def first_answer_after(self, moment: float, *, seconds_max: float) -> float:
        """Return the seconds from a moment to the first answer to a request that was sent after it."""
        while time.monotonic() < moment + seconds_max:
            self._raise_failure()
            # The answer to a request that went out before a kill says nothing about life after it.
            later = [answered for sent, answered in self.answers[-50:] if sent > moment]
            if later:
                return later[0] - moment
            time.sleep(0.002)
        message = f"no answer for {seconds_max} s"
        raise OperationalFault(message)

    def end(self) -> None:
        """End the load, if it was begun; the request under way is finished."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._send()
        except BaseException as failure:
            self._failure = failure
            raise
