"""The socket's folder: short, ours, and closed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from formicary.factory.journal.errors import PostgresFailed
from formicary.factory.journal.server.os_user import OsUser
from formicary.factory.journal.server.socket_folder import make_socket_folder

ME = OsUser(name="me", uid=os.geteuid(), gid=os.getegid())


def test_it_lies_in_the_servers_folder() -> None:
    """Closed to strangers unless other users share the server."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        assert make_socket_folder(folder, ME, shared=False) == folder / "socket"
        assert (folder / "socket").stat().st_mode & 0o777 == 0o700
        make_socket_folder(folder, ME, shared=True)
        assert (folder / "socket").stat().st_mode & 0o777 == 0o755


def test_a_long_name_is_replaced_by_a_short_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same folder gets the same short name again."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    long = tmp_path / ("x" * 100)
    found = make_socket_folder(long, ME, shared=False)
    assert found.parent == tmp_path
    assert make_socket_folder(long, ME, shared=False) == found
    assert make_socket_folder(long / "other", ME, shared=False) != found


def test_a_strangers_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anyone can make a folder, or a link, among the temporary files."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    long = tmp_path / ("x" * 100)
    found = make_socket_folder(long, ME, shared=False)
    found.rmdir()
    found.symlink_to(tmp_path)
    with pytest.raises(PostgresFailed, match="belongs to somebody else"):
        make_socket_folder(long, ME, shared=False)
    found.unlink()
    found.with_name(found.name.replace(f"-{ME.uid}-", "-54321-")).mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    with pytest.raises(PostgresFailed, match="belongs to somebody else"):
        make_socket_folder(long, OsUser(name="me", uid=54_321, gid=1), shared=False)
