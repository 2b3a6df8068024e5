"""Making a data folder, and the three files that say who may come in and how the server runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from formicary.factory.journal.access import Role
from formicary.factory.journal.errors import PostgresFailed
from formicary.factory.journal.server.binaries import Binaries
from formicary.factory.journal.server.os_user import OsUser, current_user, give

__all__ = [
    "PORT",
    "SETTINGS",
    "SUPERUSER",
    "clean_environment",
    "data_version",
    "initialize",
    "write_configuration",
]

SUPERUSER: Final = "postgres"
PORT: Final = 5432
"""Only part of the socket's name: the server listens on no network."""

SETTINGS: Final = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "100",
    "shared_buffers": "256MB",
    # A crash is recovered from at most this much log: 1.5 s measured, against 16 s with 8 GB.
    "max_wal_size": "512MB",
    "min_wal_size": "256MB",
    # After a crash one call for the whole file system, instead of one for each of a thousand files.
    "recovery_init_sync_method": "syncfs",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Compiling a plan takes longer than any of our statements runs.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_min_messages": "warning",
    # With a small log checkpoints follow each other by design; it is no news.
    "log_checkpoints": "off",
    "checkpoint_warning": "0",
}
"""The server's settings unless others are given."""

_INITDB_SECONDS_MAX: Final = 120
_PEER_MAP: Final = "formicary"


def data_version(data_folder: Path) -> int | None:
    """Return the major version that made the data folder; None when there is none yet."""
    path = data_folder / "PG_VERSION"
    return int(path.read_text()) if path.exists() else None


def initialize(binaries: Binaries, data_folder: Path, user: OsUser) -> None:
    """Make the data folder, all or nothing: with checksums, UTF-8, the C locale and no way in but peer.

    Raises
    ------
    PostgresFailed
        ``initdb`` failed; its words are the message.
    """
    partial = data_folder.with_name(f"{data_folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    give(partial, user, mode=0o700)
    command = (
        *(
            str(binaries.folder / "initdb"),
            "--pgdata",
            str(partial),
            "--username",
            SUPERUSER,
            "--no-instructions",
        ),
        *(
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--data-checksums",
            "--auth-local",
            "peer",
            "--auth-host",
            "reject",
        ),
    )
    done = subprocess.run(  # noqa: S603 - our own arguments, without a shell.
        command,
        cwd="/",
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=_INITDB_SECONDS_MAX,
        **user.process_options,
    )
    if done.returncode:
        message = f"initdb failed: {done.stderr.strip() or done.stdout.strip()}"
        raise PostgresFailed(message)
    partial.rename(data_folder)


def write_configuration(
    data_folder: Path,
    *,
    user: OsUser,
    socket_folder: Path,
    settings: Mapping[str, str],
    os_users: Iterable[str],
) -> bool:
    """Write the server's files; return whether one of them changed.

    Everyone enters through the socket, and the operating system says who it is. The server's user, ourselves
    and ``os_users`` may be any of the journal's roles; only the first two may be the superuser.
    """
    trusted = dict.fromkeys((user.name, current_user().name))
    lines = [f"{_PEER_MAP} {_quoted(name)} {SUPERUSER}" for name in trusted]
    lines += [
        f"{_PEER_MAP} {_quoted(name)} {role}"
        for name in dict.fromkeys((*trusted, *os_users))
        for role in Role
    ]
    everything = {
        **SETTINGS,
        **settings,
        "unix_socket_directories": str(socket_folder),
        # The folder keeps others out; where several users share the server, peer authentication does.
        "unix_socket_permissions": "0777" if tuple(os_users) else "0700",
    }
    files = {
        "pg_hba.conf": f"local all all peer map={_PEER_MAP}\n",
        "pg_ident.conf": "\n".join(lines) + "\n",
        "postgresql.conf": "".join(f"{name} = {_literal(value)}\n" for name, value in everything.items()),
    }
    changed = [_write(data_folder / name, text, user) for name, text in files.items()]
    return any(changed)


# The C library hands large pieces of memory back to the system at once. The server takes and drops some
# for every block that it packs for a reader: keeping them saves an eighth of its work.
_MEMORY_KEPT_BYTES: Final = str(64 << 20)


def clean_environment() -> dict[str, str]:
    """Return our environment without what would change how PostgreSQL's programs behave."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    memory = {
        f"MALLOC_{name}_THRESHOLD_": kept.get(f"MALLOC_{name}_THRESHOLD_", _MEMORY_KEPT_BYTES)
        for name in ("MMAP", "TRIM")
    }
    return {**kept, **memory, "LC_ALL": "C"}


def _write(path: Path, text: str, user: OsUser) -> bool:
    if path.exists() and path.read_text() == text:
        return False
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text)
    give(partial, user, mode=0o600)
    partial.replace(path)
    return True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
