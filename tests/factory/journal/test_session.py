"""A connection that never waits past its deadline and is never used after an error."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalUnavailable
from formicary.factory.journal.session import Session, int8


@pytest.fixture
def session(access: Access) -> Iterator[Session]:
    """Give a session of the reader with a short deadline."""
    session = Session(access.conninfo_for(Role.READER), purpose="test", deadline_seconds=0.3)
    yield session
    session.close()


def test_values_come_back(session: Session) -> None:
    """Results are binary; NULL is empty, and zero."""
    assert session.value("SELECT 'abc'::text") == b"abc"
    assert session.number("SELECT -5::bigint") == -5
    assert session.number("SELECT $1::bigint + 1", [int8(2**62)]) == 2**62 + 1
    assert session.value("SELECT NULL::text") == b""
    assert session.number("SELECT NULL::bigint") == 0


def test_an_error_names_its_state_and_closes(session: Session) -> None:
    """After any error the session is closed for good."""
    with pytest.raises(JournalUnavailable, match="division by zero") as error:
        session.query("SELECT 1 / 0")
    assert error.value.sqlstate == "22012"
    assert session.closed
    with pytest.raises(JournalUnavailable):
        session.query("SELECT 1")


def test_nobody_there_is_unavailable() -> None:
    """A server that is not there is no other error."""
    with pytest.raises(JournalUnavailable, match="connection"):
        Session("host=/nonexistent dbname=x", purpose="test")


def test_the_server_ends_a_slow_statement(session: Session) -> None:
    """The server's own limit answers with a reason, or ours does a moment later."""
    started = time.monotonic()
    with pytest.raises(JournalUnavailable, match=r"timeout|no answer"):
        session.query("SELECT pg_sleep(10)")
    assert time.monotonic() - started < 2


def test_a_stopped_server_is_given_up(session: Session) -> None:
    """A process that stands still cannot answer that it is late."""
    backend = session.number("SELECT pg_backend_pid()::bigint")
    os.kill(backend, signal.SIGSTOP)
    try:
        with pytest.raises(JournalUnavailable, match=r"no answer within 0\.3 s"):
            session.query("SELECT 1")
    finally:
        os.kill(backend, signal.SIGCONT)
    assert session.closed


def test_a_server_that_stops_reading_is_given_up(access: Access) -> None:
    """Rows that it does not take do not wait for ever in our memory."""
    session = Session(access.conninfo_for(Role.OWNER), purpose="test", deadline_seconds=0.3)
    session.query("CREATE TEMPORARY TABLE taken (line text)")
    session.query("COPY taken FROM STDIN")
    pid = int(session._connection.info.backend_pid)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(JournalUnavailable, match="no answer"):
            session.send_rows([b"x" * 999 + b"\n" for _ in range(4_000)])
    finally:
        os.kill(pid, signal.SIGCONT)


def test_what_the_server_says_while_it_is_sent_to_is_read(access: Access) -> None:
    """A server that complains before it has read everything does not deadlock with us."""
    session = Session(access.conninfo_for(Role.OWNER), purpose="test")
    session.query(
        "CREATE TEMPORARY TABLE taken (line text);"
        "CREATE FUNCTION pg_temp.chatter() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE NOTICE '%', repeat('x', 1000); RETURN NEW; END $$;"
        "CREATE TRIGGER chatter BEFORE INSERT ON taken FOR EACH ROW EXECUTE FUNCTION pg_temp.chatter()"
    )
    session.query("COPY taken FROM STDIN")
    results = session.send_rows([b"y" * 999 + b"\n" for _ in range(4_000)])
    assert results[-1].command_tuples == 4_000
    session.close()


def test_statements_do_not_pile_up(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past a number of them all are prepared anew."""
    monkeypatch.setattr("formicary.factory.journal.session._STATEMENTS_MAX", 2)
    for number in (1, 2, 3, 1, 2, 3):
        assert session.number(f"SELECT {number}::bigint") == number
    assert session.number("SELECT count(*) FROM pg_prepared_statements") <= 2
