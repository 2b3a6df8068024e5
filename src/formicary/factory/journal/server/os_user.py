"""The operating system's user that the server runs as, and what that user can reach."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from formicary.factory.journal.errors import PostgresFailed

__all__ = ["OsUser", "can_reach", "current_user", "give", "server_user"]

_ROOT: Final = 0
# Existing users that own nothing of value to a server gone wrong, the more fitting first.
_UNPRIVILEGED: Final = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class OsUser:
    """A user of the operating system."""

    name: str
    uid: int
    gid: int

    @property
    def process_options(self) -> dict[str, Any]:
        """What ``subprocess`` needs to start a process as this user; nothing when we are it."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def current_user() -> OsUser:
    """Return the user this process runs as.

    Raises
    ------
    PostgresFailed
        It has no name; PostgreSQL refuses to run for a nameless user and cannot authenticate one.
    """
    uid = os.geteuid()
    try:
        return _named(pwd.getpwuid(uid))
    except KeyError as error:
        message = f"the user id {uid} has no name on this machine; PostgreSQL needs one"
        raise PostgresFailed(message) from error


def server_user(data_folder: Path) -> OsUser:
    """Return who the server runs as: ourselves, or for root the owner of the data, else an unprivileged user.

    Raises
    ------
    PostgresFailed
        We are root and there is no unprivileged user, or we are nameless.
    """
    current = current_user()
    if current.uid != _ROOT:
        return current
    if data_folder.exists() and (owner := data_folder.stat().st_uid) != _ROOT:
        return _named(pwd.getpwuid(owner))
    for name in _UNPRIVILEGED:
        try:
            return _named(pwd.getpwnam(name))
        except KeyError:
            continue
    message = f"PostgreSQL does not run as root, and none of the users {', '.join(_UNPRIVILEGED)} exists"
    raise PostgresFailed(message)


def can_reach(path: Path, user: OsUser) -> bool:
    """Return whether ``user`` may enter every folder above ``path``, by their modes."""
    return user.uid == _ROOT or all(_may_enter(folder.stat(), user) for folder in path.resolve().parents)


def give(path: Path, user: OsUser, *, mode: int) -> None:
    """Make ``path`` belong to ``user`` with ``mode``."""
    path.chmod(mode)
    if os.geteuid() != user.uid:
        os.chown(path, user.uid, user.gid)


def _may_enter(folder: os.stat_result, user: OsUser) -> bool:
    if folder.st_uid == user.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == user.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def _named(entry: pwd.struct_passwd) -> OsUser:
    return OsUser(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
