"""A folder for the server's socket: short enough, and closed to strangers."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final

from formicary.factory.journal.errors import PostgresFailed
from formicary.factory.journal.server.cluster import PORT
from formicary.factory.journal.server.os_user import OsUser, give

__all__ = ["make_socket_folder"]

# A socket's address holds 108 bytes with its end on Linux, 104 elsewhere.
_ADDRESS_BYTES_MAX: Final = 103


def make_socket_folder(folder: Path, user: OsUser, *, shared: bool) -> Path:
    """Return the folder for the socket of the server that lives in ``folder``.

    It is ``socket`` in that folder; where its name would be too long for a socket, a folder among the
    temporary files whose name is computed from it, so that a restart finds it again.

    Parameters
    ----------
    folder
        The server's folder.
    user
        The server's user, who owns the socket.
    shared
        Whether users other than that one and root connect.

    Raises
    ------
    PostgresFailed
        The folder among the temporary files belongs to somebody else.
    """
    wanted = folder / "socket"
    if len(os.fsencode(wanted / f".s.PGSQL.{PORT}")) > _ADDRESS_BYTES_MAX:
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        wanted = Path(tempfile.gettempdir()) / f"formicary-{user.uid}-{name}"
    try:
        wanted.mkdir(mode=0o700)
    except FileExistsError:
        # Anyone may have put a link or a folder of that name among the temporary files.
        if wanted.is_symlink() or wanted.stat().st_uid not in (user.uid, os.geteuid()):
            message = f"the folder {wanted} for the server's socket belongs to somebody else"
            raise PostgresFailed(message) from None
    give(wanted, user, mode=0o755 if shared else 0o700)
    return wanted
