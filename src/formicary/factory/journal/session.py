"""One connection to PostgreSQL, driven directly, that never waits past a deadline.

The driver's ordinary cursors cost more than a small append does in the database, and wait as long as a
stopped server lets them. A session sends bytes, polls the socket (without the GIL), and gives up at its
deadline. After any error it is closed and stays closed: what the server still does on a connection in an
unknown state
is anybody's guess.
"""

from __future__ import annotations

import functools
import select
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import pq

from formicary.base.limits import DEADLINE_SECONDS
from formicary.factory.journal.errors import JournalUnavailable

if TYPE_CHECKING:
    from psycopg.abc import Buffer
    from psycopg.pq.abc import PGresult

__all__ = ["Session", "int8", "number_in"]

_BINARY: Final = pq.Format.BINARY
# Bytes handed to the driver at once: it copies them, and the socket takes far fewer at a time.
_COPY_CHUNK_BYTES: Final = 1 << 18
# A statement names a segment, and segments pass; past so many they are all prepared anew.
_STATEMENTS_MAX: Final = 256
# libpq takes less than two seconds as two.
_CONNECT_SECONDS_MIN: Final = 2

# The server's own limits come a little before ours, so that it answers with a reason where it can. No
# plan but by index, and a walk's next entry one look-up after the other: nobody analyzes a segment while
# it is written, and a block is a small part of one.
_SETTINGS: Final = """
    SET statement_timeout = {milliseconds};
    SET lock_timeout = {milliseconds};
    SET idle_in_transaction_session_timeout = {milliseconds};
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
    SET jit = off;
    SET max_parallel_workers_per_gather = 0;
    SET plan_cache_mode = force_generic_plan;
"""


def int8(value: int) -> bytes:
    """Return the binary form of a ``bigint`` parameter."""
    return struct.pack(">q", value)


def number_in(result: PGresult) -> int:
    """Return the one integer of a binary result; NULL is zero."""
    return int.from_bytes(result.get_value(0, 0) or b"", signed=True)


class Session:
    """A connection for one thread at a time. Every method raises ``JournalUnavailable``.

    Parameters
    ----------
    conninfo
        A libpq connection string.
    purpose
        Shown in ``pg_stat_activity``.
    deadline_seconds
        How long one call may wait for the server.
    """

    def __init__(self, conninfo: str, *, purpose: str, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._deadline_seconds = deadline_seconds
        self._statements: dict[str, bytes] = {}
        try:
            self._connection = psycopg.connect(
                conninfo,
                autocommit=True,
                connect_timeout=max(_CONNECT_SECONDS_MIN, int(deadline_seconds)),
                application_name=f"formicary {purpose}",
            )
        except psycopg.Error as error:
            raise JournalUnavailable(str(error).strip()) from error
        # The driver has made it non-blocking: a blocking flush would hold the GIL until the server reads.
        self._server = self._connection.pgconn
        self._poll = select.poll()
        self._poll.register(self._server.socket, select.POLLIN)
        self.query(_SETTINGS.format(milliseconds=int(deadline_seconds * 900)))

    @property
    def closed(self) -> bool:
        """Whether it was closed, by the caller or by an error."""
        return self._connection.closed

    def close(self) -> None:
        """Close the connection; a transaction in flight is rolled back unless the server has committed it."""
        self._connection.close()

    def query(self, sql: str) -> list[PGresult]:
        """Run statements in one round trip; return their results, up to a COPY that waits for rows."""
        return self.begin_query(sql)()

    def begin_query(self, sql: str) -> Callable[[], list[PGresult]]:
        """Send what ``query`` runs; the function returned waits for the results, before anything else."""
        return self._begin(lambda: self._server.send_query(sql.encode()))

    def execute(self, sql: str, parameters: Sequence[Buffer | None] = ()) -> PGresult:
        """Run one statement with binary parameters and a binary result; its first run prepares it."""
        return self.begin(sql, parameters)()[-1]

    def begin(self, sql: str, parameters: Sequence[Buffer | None] = ()) -> Callable[[], list[PGresult]]:
        """Send what ``execute`` runs; the function returned waits for its result, before anything else."""
        name = self._statements.get(sql)
        if name is None:
            if len(self._statements) >= _STATEMENTS_MAX:
                self.query("DEALLOCATE ALL")
                self._statements.clear()
            name = b"statement %d" % len(self._statements)
            self._prepare(name, sql)
            self._statements[sql] = name
        formats = [_BINARY] * len(parameters)
        return self._begin(lambda: self._server.send_query_prepared(name, parameters, formats, _BINARY))

    def value(self, sql: str, parameters: Sequence[Buffer | None] = ()) -> bytes:
        """Return the one value of ``execute``; NULL is empty."""
        return self.execute(sql, parameters).get_value(0, 0) or b""

    def number(self, sql: str, parameters: Sequence[Buffer | None] = ()) -> int:
        """Return the one integer of ``execute``; NULL is zero."""
        return number_in(self.execute(sql, parameters))

    def send_rows(self, parts: Iterable[Buffer]) -> list[PGresult]:
        """Send the rows that a COPY waits for; return the results up to the next COPY or the end."""

        def send() -> None:
            for part in parts:
                view = memoryview(part)
                for start in range(0, len(view), _COPY_CHUNK_BYTES):
                    self._server.put_copy_data(view[start : start + _COPY_CHUNK_BYTES])
                    # Starts the server on what is there; a full socket does not make this wait.
                    self._server.flush()
            self._server.put_copy_end()

        return self._begin(send)()

    def _prepare(self, name: bytes, sql: str) -> None:
        self._begin(lambda: self._server.send_prepare(name, sql.encode()))()

    def _begin(self, send: Callable[[], None]) -> Callable[[], list[PGresult]]:
        deadline = time.monotonic() + self._deadline_seconds
        with self._closed_by_errors():
            send()
            self._flush(deadline)
        return functools.partial(self._finish, deadline)

    def _finish(self, deadline: float) -> list[PGresult]:
        with self._closed_by_errors():
            results = self._results(deadline)
        for result in results:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                self.close()
                raise _refusal(result)
        return results

    @contextmanager
    def _closed_by_errors(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.Error, JournalUnavailable) as error:
            self.close()
            message = f"the connection failed: {str(error).strip()}"
            raise JournalUnavailable(message) from error

    def _results(self, deadline: float) -> list[PGresult]:
        results: list[PGresult] = []
        while True:
            while self._server.is_busy():
                self._wait(select.POLLIN, deadline)
                self._server.consume_input()
            result = self._server.get_result()
            if result is None:
                return results
            results.append(result)
            if result.status == pq.ExecStatus.COPY_IN:
                return results

    def _flush(self, deadline: float) -> None:
        while self._server.flush():
            # The server may have to be read before it reads on.
            if self._wait(select.POLLIN | select.POLLOUT, deadline) & select.POLLIN:
                self._server.consume_input()

    def _wait(self, events: int, deadline: float) -> int:
        self._poll.modify(self._server.socket, events)
        ready = self._poll.poll(max(0, (deadline - time.monotonic()) * 1_000))
        if not ready:
            message = f"no answer within {self._deadline_seconds} s"
            raise JournalUnavailable(message)
        return ready[0][1]


def _refusal(result: PGresult) -> JournalUnavailable:
    sqlstate = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    return JournalUnavailable(result.error_message.decode(errors="replace").strip(), sqlstate=sqlstate)
