"""A server is live only if it really is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from formicary.factory.journal.server.postmaster import (
    PidFile,
    is_live,
    read_pid_file,
    remove_stale_locks,
)

LINES = ["{pid}", "/data", "1700000000", "5432", "/socket", "", "  123  456", "ready   "]


def note(folder: Path, pid: int | str, lines: int = 8) -> Path:
    """Write a server's note of itself."""
    path = folder / "postmaster.pid"
    path.write_text("\n".join(LINES[:lines]).format(pid=pid) + "\n")
    return path


def test_what_a_server_notes(tmp_path: Path) -> None:
    """Its number, its socket's folder, and whether it takes connections."""
    assert read_pid_file(tmp_path) is None
    note(tmp_path, 42)
    found = read_pid_file(tmp_path)
    assert found == PidFile(pid=42, socket_folder="/socket", status="ready")
    assert found.ready
    note(tmp_path, 42, lines=7)
    starting = read_pid_file(tmp_path)
    assert starting is not None
    assert not starting.ready


@pytest.mark.parametrize(("pid", "lines"), [("42", 4), ("x", 8)])
def test_a_note_in_the_making_is_none(tmp_path: Path, pid: str, lines: int) -> None:
    """It is read again a moment later."""
    note(tmp_path, pid, lines)
    assert read_pid_file(tmp_path) is None


def test_only_a_process_of_the_folder_is_live(tmp_path: Path) -> None:
    """A stranger that got a dead server's number is none."""
    command = [sys.executable, "-c", "print(flush=True); input()", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        # In the moment of its start a process has no command line.
        process.stdout.readline()
        assert is_live(process.pid, tmp_path)
        assert not is_live(process.pid, tmp_path.parent)
        process.communicate(b"\n")
        assert not is_live(process.pid, tmp_path)


def test_a_zombie_is_dead(tmp_path: Path) -> None:
    """It has a number but nobody behind it."""
    process = subprocess.Popen([sys.executable, "-c", "", tmp_path])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    os.kill(process.pid, 0)
    assert not is_live(process.pid, tmp_path)
    process.wait()


def test_without_proc_any_process_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the number is all there is to go by."""
    missing = tmp_path / "proc"
    assert is_live(os.getpid(), tmp_path, proc=missing)
    assert not is_live(2**22 + 1, tmp_path, proc=missing)

    def forbidden(pid: int, number: int) -> None:
        raise PermissionError(pid, number)

    monkeypatch.setattr(os, "kill", forbidden)
    assert is_live(1, tmp_path, proc=missing)


def test_locks_of_strangers_are_removed(tmp_path: Path) -> None:
    """Those of the dead are the server's own affair, those of the living are respected."""
    lock = tmp_path / ".s.PGSQL.5432.lock"
    lock.write_text(f"{os.getpid()}\n")
    file = note(tmp_path, os.getpid())
    remove_stale_locks(tmp_path, tmp_path)
    assert not lock.exists()
    assert not file.exists()
    remove_stale_locks(tmp_path, tmp_path)
    note(tmp_path, 2**22 + 1)
    lock.write_text("nonsense\n")
    with subprocess.Popen([sys.executable, "-c", "input()", tmp_path], stdin=subprocess.PIPE) as process:
        (tmp_path / ".s.PGSQL.1.lock").write_text(f"{process.pid}\n")
        remove_stale_locks(tmp_path, tmp_path)
        process.communicate(b"\n")
    assert len(list(tmp_path.iterdir())) == 3
