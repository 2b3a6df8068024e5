"""The engine's process: callers' frames in groups through the engine, commits beside deciding.

One thread polls, decides and answers; another appends. While a batch is being committed at most
one more is decided, and only if callers have already filled it; otherwise waiting for the
commit gathers a larger group.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from formicary.base.errors import FormicaryError, OperationalFault, Refusal
from formicary.base.limits import GROUP_ITEMS_MAX, GROUP_REQUESTS_MAX, QUEUE_REQUESTS_MAX
from formicary.factory.engine.committer import Committer
from formicary.factory.engine.connections import Connection, Connections
from formicary.factory.engine.core import Decided
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.frames import Frame, Operation, error_body, pack
from formicary.factory.engine.operations import encode_answer, parse_request, size_of
from formicary.factory.engine.requests import EngineBusy, EngineStopped, Request
from formicary.factory.journal.batch import Batch

__all__ = ["EngineServer"]

_IDLE_SECONDS: Final = 0.05
_SWITCH_SECONDS: Final = 0.0005


class _Waiting:
    __slots__ = ("connection", "frame", "items", "request")

    def __init__(self, connection: Connection, frame: Frame, request: Request) -> None:
        self.connection = connection
        self.frame = frame
        self.request = request
        self.items = size_of(request)


class EngineServer:
    """Serves an engine on a Unix socket.

    Parameters
    ----------
    engine
        Recovered by ``run``.
    path
        Of the socket.
    begin
        The journal's ``begin``: starts an append, whose end the commit thread waits for.
    """

    def __init__(self, engine: Engine, path: Path, begin: Callable[[Batch], Callable[[], None]]) -> None:
        self._engine = engine
        self._connections = Connections(path, self._on_frame)
        self._committer = Committer(begin)
        self._connections.watch(self._committer.wake_read)
        self._queue: deque[_Waiting] = deque()
        self._in_flight: tuple[Decided, list[_Waiting]] | None = None
        self._ahead: tuple[Decided, list[_Waiting]] | None = None
        self._stopping = False

    def stop(self) -> None:
        """Let ``run`` return after what it is doing."""
        self._stopping = True

    def run(self) -> None:
        """Serve until ``stop``.

        Raises
        ------
        Fenced
            Another engine took the journal over: this one must not go on.
        OperationalFault
            A commit failed. Unanswered callers were told that the outcome is unknown; recover first.
        """
        # Two threads take turns on the interpreter's lock: short turns, or a commit waits for a poll.
        before = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            while not self._stopping:
                self._step()
            # What was decided ahead is committed after it.
            while self._in_flight is not None:
                self._finish_commit(*self._in_flight)
        finally:
            sys.setswitchinterval(before)

    def close(self) -> None:
        """End the commit thread and close the socket."""
        self._committer.close()
        self._connections.close()

    # -- the loop --------------------------------------------------------------------------

    def _step(self) -> None:
        if self._in_flight is None:
            self._connections.poll(0 if self._queue else self._idle_seconds())
            self._start_next()
            return
        if self._ahead is None and self._is_group_full():
            self._ahead = self._decide()
        self._connections.poll(_IDLE_SECONDS)
        if self._committer.is_done:
            self._finish_commit(*self._in_flight)

    def _idle_seconds(self) -> float:
        due = self._engine.state.machine.due
        if due is None:
            return _IDLE_SECONDS
        return min(_IDLE_SECONDS, max(0.0, (due - self._engine.clock.now()) / 1e9))

    def _is_group_full(self) -> bool:
        return (
            len(self._queue) >= GROUP_REQUESTS_MAX
            or sum(waiting.items for waiting in self._queue) >= GROUP_ITEMS_MAX
        )

    def _start_next(self) -> None:
        timers = self._engine.run_timers()
        if timers is not None:
            self._start(timers, [])
        elif self._queue:
            self._start(*self._decide())

    def _decide(self) -> tuple[Decided, list[_Waiting]]:
        group: list[_Waiting] = []
        items = 0
        while self._queue and len(group) < GROUP_REQUESTS_MAX:
            if group and items + self._queue[0].items > GROUP_ITEMS_MAX:
                break
            items += self._queue[0].items
            group.append(self._queue.popleft())
        return self._engine.decide([waiting.request for waiting in group]), group

    def _start(self, decided: Decided, group: list[_Waiting]) -> None:
        if decided.batch is None:
            self._confirm(decided, group)
            self._answer(decided, group)
            return
        self._in_flight = decided, group
        self._committer.start(decided.batch)

    def _confirm(self, decided: Decided, group: list[_Waiting]) -> None:
        # Nothing is in flight now, so the journal may be asked from this thread.
        try:
            self._engine.commit(decided)
        except OperationalFault as fault:
            self._fail(fault, group)

    def _finish_commit(self, decided: Decided, group: list[_Waiting]) -> None:
        outcome = self._committer.finish()
        self._in_flight = None
        if outcome is not None:
            self._fail(outcome, group)
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0].batch is not None:
            # Its commit runs beside the answers.
            self._start(*ahead)
            ahead = None
        self._answer(decided, group)
        if ahead is not None:
            self._start(*ahead)

    # -- answers ---------------------------------------------------------------------------

    def _answer(self, decided: Decided, group: list[_Waiting]) -> None:
        for waiting, answer in zip(group, decided.answers, strict=True):
            self._send(waiting, answer)

    def _send(self, waiting: _Waiting, answer: Any) -> None:
        frame = waiting.frame
        if isinstance(answer, FormicaryError):
            reply = pack(Operation.ERROR, frame.correlation, error_body(answer))
        else:
            reply = pack(frame.operation, frame.correlation, encode_answer(answer))
        self._connections.send(waiting.connection, reply)

    def _fail(self, outcome: FormicaryError, group: list[_Waiting]) -> None:
        self._engine.stop()
        ahead = self._ahead[1] if self._ahead is not None else []
        self._ahead = None
        # What was decided ahead was never appended; still, only a new look tells what is so.
        for waiting in (*group, *ahead):
            payload = error_body(EngineStopped(), unknown=True)
            reply = pack(Operation.ERROR, waiting.frame.correlation, payload)
            self._connections.send(waiting.connection, reply)
        raise outcome

    def _on_frame(self, connection: Connection, frame: Frame) -> None:
        try:
            if len(self._queue) >= QUEUE_REQUESTS_MAX:
                raise EngineBusy
            request = parse_request(frame, self._engine)
        except (Refusal, OperationalFault) as error:
            reply = pack(Operation.ERROR, frame.correlation, error_body(error))
            self._connections.send(connection, reply)
            return
        self._queue.append(_Waiting(connection, frame, request))
