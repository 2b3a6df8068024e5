"""The commit thread: one append at a time, beside the thread that decides."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable

from formicary.base.errors import FormicaryError, ProgrammingError
from formicary.factory.journal.batch import Batch

__all__ = ["Committer"]


class Committer:
    """Appends in its own thread and wakes a selector when it is done.

    Parameters
    ----------
    begin
        Starts to append a batch; the function it returns finishes that, or raises.
    """

    def __init__(self, begin: Callable[[Batch], Callable[[], None]]) -> None:
        self._begin = begin
        self._begun: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[FormicaryError | None] = queue.SimpleQueue()
        self.wake_read, self._wake_write = os.pipe()
        self.busy = False
        self._thread = threading.Thread(target=self._run, name="commit", daemon=True)
        self._thread.start()

    def start(self, batch: Batch) -> None:
        """Begin to append; nothing may be in flight.

        The server is sent what it needs to begin before this returns: left to the commit thread, that
        would wait until the deciding thread lets go of the interpreter.
        """
        if self.busy:
            message = "at most one batch is in flight"
            raise ProgrammingError(message)
        self.busy = True
        try:
            finish = self._begin(batch)
        except FormicaryError as error:
            self._end(error)
        else:
            self._begun.put(finish)

    def finish(self) -> FormicaryError | None:
        """Return the outcome of the append in flight, waiting for it: None, or why it failed."""
        outcome = self._outcomes.get()
        os.read(self.wake_read, 1)
        self.busy = False
        return outcome

    @property
    def is_done(self) -> bool:
        """Whether ``finish`` would not wait."""
        return not self._outcomes.empty()

    def close(self) -> None:
        """End the thread; what is in flight is finished first."""
        self._begun.put(None)
        self._thread.join()
        os.close(self.wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        while (finish := self._begun.get()) is not None:
            outcome: FormicaryError | None = None
            try:
                finish()
            except FormicaryError as error:
                outcome = error
            self._end(outcome)

    def _end(self, outcome: FormicaryError | None) -> None:
        self._outcomes.put(outcome)
        os.write(self._wake_write, b"\0")
