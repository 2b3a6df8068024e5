"""Connections of the engine's socket: bytes in, frames out, never a wait."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from formicary.base.limits import CONNECTIONS_MAX, FRAME_BYTES_MAX
from formicary.factory.engine.frames import Frame, MalformedFrame, unpack_all

__all__ = ["Connection", "Connections"]

_READ_BYTES: Final = 1 << 18
_OUTBOX_BYTES_MAX: Final = 8 * FRAME_BYTES_MAX


class Connection:
    """One caller."""

    def __init__(self, peer: socket.socket) -> None:
        self.socket = peer
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.closed = False


class Connections:
    """Every caller, and the socket they come in by.

    Parameters
    ----------
    path
        Of the Unix socket; a stale one is replaced. Only this user may connect.
    on_frame
        Called with each frame that arrives.
    """

    def __init__(self, path: Path, on_frame: Callable[[Connection, Frame], None]) -> None:
        self._path = path
        self._on_frame = on_frame
        self._selector = selectors.DefaultSelector()
        self._count = 0
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(CONNECTIONS_MAX)
        self._listener.settimeout(0)
        self._selector.register(self._listener, selectors.EVENT_READ, None)

    def watch(self, descriptor: int) -> None:
        """Let ``poll`` return when a descriptor can be read; reading it is the caller's."""
        self._selector.register(descriptor, selectors.EVENT_READ, descriptor)

    def poll(self, timeout_seconds: float) -> None:
        """Wait for bytes or a watched descriptor, at most so long, and handle what came."""
        for key, events in self._selector.select(timeout_seconds):
            if key.data is None:
                self._accept()
            elif isinstance(key.data, Connection):
                if events & selectors.EVENT_WRITE:
                    self._flush(key.data)
                if events & selectors.EVENT_READ:
                    self._read(key.data)

    def send(self, connection: Connection, frame: bytes) -> None:
        """Send a frame, now or as soon as the caller takes it; a caller that never does is dropped."""
        if connection.closed:
            return
        if not connection.outbox:
            try:
                sent = connection.socket.send(frame)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.drop(connection)
                return
            if sent == len(frame):
                return
            frame = frame[sent:]
            self._selector.modify(connection.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, connection)
        connection.outbox += frame
        if len(connection.outbox) > _OUTBOX_BYTES_MAX:
            self.drop(connection)

    def drop(self, connection: Connection) -> None:
        """Close a connection."""
        if not connection.closed:
            connection.closed = True
            self._selector.unregister(connection.socket)
            connection.socket.close()
            self._count -= 1

    def close(self) -> None:
        """Close everything and remove the socket."""
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, Connection):
                self.drop(key.data)
        self._selector.close()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        peer, _ = self._listener.accept()
        if self._count >= CONNECTIONS_MAX:
            peer.close()
            return
        peer.settimeout(0)
        self._count += 1
        self._selector.register(peer, selectors.EVENT_READ, Connection(peer))

    def _read(self, connection: Connection) -> None:
        if connection.closed:
            return
        try:
            data = connection.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop(connection)
            return
        connection.inbox += data
        try:
            for frame in unpack_all(connection.inbox):
                self._on_frame(connection, frame)
        except MalformedFrame:
            self.drop(connection)

    def _flush(self, connection: Connection) -> None:
        try:
            sent = connection.socket.send(connection.outbox)
        except BlockingIOError:
            return
        except OSError:
            self.drop(connection)
            return
        del connection.outbox[:sent]
        if not connection.outbox:
            self._selector.modify(connection.socket, selectors.EVENT_READ, connection)
