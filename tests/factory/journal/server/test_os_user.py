"""Who the server runs as, and what that user can reach."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from formicary.factory.journal.errors import PostgresFailed
from formicary.factory.journal.server import os_user
from formicary.factory.journal.server.os_user import OsUser, can_reach, current_user, give, server_user

ROOT = OsUser(name="root", uid=0, gid=0)


def entry(name: str, uid: int) -> pwd.struct_passwd:
    """Return a line of the password file."""
    return pwd.struct_passwd((name, "x", uid, uid, "", "/", "/bin/sh"))


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Give the users of a machine, to be changed; we are root on it."""
    known = {"root": 0, "postgres": 26, "nobody": 65_534}
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", lambda name: entry(name, known[name]))
    by_number = {uid: name for name, uid in known.items()}
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: entry(by_number[uid], uid))
    return known


def test_an_ordinary_user_runs_the_server(users: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is not root needs no other user."""
    monkeypatch.setattr(os, "geteuid", lambda: users["nobody"])
    found = server_user(Path("/nonexistent"))
    assert found == current_user() == OsUser(name="nobody", uid=65_534, gid=65_534)
    assert found.process_options == {}


def test_root_hands_over(users: dict[str, int]) -> None:
    """The fitting user is taken, else the next; the process gets none of root's groups."""
    found = server_user(Path("/nonexistent"))
    assert found.name == "postgres"
    assert found.process_options == {"user": 26, "group": 26, "extra_groups": []}
    del users["postgres"]
    assert server_user(Path("/nonexistent")).name == "nobody"
    del users["nobody"]
    with pytest.raises(PostgresFailed, match="none of the users postgres, nobody exists"):
        server_user(Path("/nonexistent"))


@pytest.mark.usefixtures("users")
def test_the_owner_of_the_data_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one user wrote, another could not read; what root owns was never a server's."""
    status = tmp_path.stat()
    for owner, expected in ((65_534, "nobody"), (0, "postgres")):
        found = os.stat_result((*status[:4], owner, *status[5:]))
        with monkeypatch.context() as patch:
            patch.setattr(Path, "stat", lambda *_, found=found, **__: found)
            assert server_user(tmp_path).name == expected


@pytest.mark.usefixtures("users")
def test_a_nameless_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL would refuse with fewer words."""
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    with pytest.raises(PostgresFailed, match="user id 54321 has no name"):
        current_user()


@pytest.mark.parametrize(
    ("mode", "reachable"),
    [(0o700, (True, False, False)), (0o070, (False, True, False)), (0o001, (False, False, True))],
)
def test_every_folder_above_counts(tmp_path: Path, mode: int, reachable: tuple[bool, bool, bool]) -> None:
    """By its owner's, its group's, or everybody's right to enter."""
    folder = tmp_path / "folder"
    folder.mkdir()
    status = folder.stat()
    users = (
        OsUser(name="owner", uid=status.st_uid or 1, gid=1),
        OsUser(name="member", uid=54_321, gid=status.st_gid),
        OsUser(name="stranger", uid=54_321, gid=54_321),
    )
    if not status.st_uid:
        os.chown(folder, 1, status.st_gid)
    folder.chmod(mode)
    try:
        assert tuple(os_user._may_enter(folder.stat(), user) for user in users) == reachable
        assert can_reach(folder / "file", ROOT)
    finally:
        folder.chmod(0o700)


def test_giving_sets_owner_and_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To ourselves there is nothing to give."""
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "chown", lambda _, uid, gid: given.append((uid, gid)))
    give(tmp_path, OsUser(name="me", uid=os.geteuid(), gid=1), mode=0o711)
    assert given == []
    give(tmp_path, OsUser(name="other", uid=54_321, gid=5), mode=0o710)
    assert given == [(54_321, 5)]
    assert tmp_path.stat().st_mode & 0o777 == 0o710
