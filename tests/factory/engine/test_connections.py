"""Connections of the engine's socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from formicary.factory.engine import connections as module
from formicary.factory.engine.connections import Connection, Connections
from formicary.factory.engine.frames import Frame, Operation, pack, unpack_all

FRAME = pack(Operation.STATUS, 1, b"")


class House:
    """A listening socket and what arrived."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.arrived: list[tuple[Connection, Frame]] = []
        self.connections = Connections(
            path, lambda connection, frame: self.arrived.append((connection, frame))
        )
        self.callers: list[socket.socket] = []

    def call(self) -> socket.socket:
        """Connect."""
        caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        caller.settimeout(10)
        caller.connect(str(self.path))
        self.callers.append(caller)
        self.connections.poll(1)
        return caller

    def known(self) -> tuple[socket.socket, Connection]:
        """Connect and send a frame: return both ends."""
        caller = self.call()
        caller.sendall(FRAME)
        self.connections.poll(1)
        return caller, self.arrived[-1][0]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Yield a house and close it."""
    (tmp_path / "s").write_text("a stale socket of an engine that died")
    made = House(tmp_path / "s")
    yield made
    for caller in made.callers:
        caller.close()
    made.connections.close()
    assert not (tmp_path / "s").exists()


def test_frames_arrive_and_answers_go_out(house: House) -> None:
    """What is sent arrives, and the answer reaches its caller; only the owner may connect."""
    caller, connection = house.known()
    assert house.arrived[0][1].operation == Operation.STATUS
    house.connections.send(connection, FRAME)
    assert next(unpack_all(bytearray(caller.recv(1_000)))).correlation == 1
    assert house.path.stat().st_mode & 0o777 == 0o600


def test_a_watched_descriptor_ends_a_wait(house: House) -> None:
    """A byte in a watched pipe returns from poll at once; reading it is the owner's."""
    left, right = socket.socketpair()
    with left, right:
        house.connections.watch(left.fileno())
        right.send(b"x")
        house.connections.poll(60)
        assert left.recv(1) == b"x"


def test_a_slow_reader_gets_everything_in_the_end(house: House) -> None:
    """More than the socket holds waits in the outbox, and goes out as the caller reads."""
    caller, connection = house.known()
    large = pack(Operation.STATUS, 1, bytes(1 << 20))
    for _ in range(3):
        house.connections.send(connection, large)
    assert connection.outbox
    received = 0
    while received < 3 * len(large):
        received += len(caller.recv(1 << 20))
        house.connections.poll(0)
    assert received == 3 * len(large)
    house.connections.poll(0)
    assert not connection.outbox


def test_a_caller_that_never_reads_is_dropped(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outbox has a limit; past it the connection closes, and later answers to it go nowhere."""
    monkeypatch.setattr(module, "_OUTBOX_BYTES_MAX", 1 << 20)
    _, connection = house.known()
    for _ in range(4):
        house.connections.send(connection, pack(Operation.STATUS, 1, bytes(1 << 20)))
    assert connection.closed
    house.connections.send(connection, FRAME)
    house.connections.drop(connection)


def test_no_frame_closes_the_connection(house: House) -> None:
    """Bytes of another protocol are answered by closing."""
    caller = house.call()
    caller.sendall(b"GET / HTTP/1.1\r\nHost: somewhere\r\n\r\n")
    house.connections.poll(1)
    assert caller.recv(1) == b""


def test_a_caller_that_leaves_is_forgotten(house: House) -> None:
    """A closed peer is dropped, when it is read from or when it is written to."""
    caller, connection = house.known()
    caller.close()
    house.connections.poll(1)
    assert connection.closed
    caller, connection = house.known()
    caller.close()
    house.connections.send(connection, FRAME)
    assert connection.closed


def test_a_caller_that_leaves_with_answers_waiting_is_forgotten(house: House) -> None:
    """The rest of an outbox has nowhere to go when the peer is gone."""
    caller, connection = house.known()
    house.connections.send(connection, pack(Operation.STATUS, 1, bytes(1 << 20)))
    assert connection.outbox
    caller.close()
    house.connections.poll(1)
    assert connection.closed


def test_more_callers_than_allowed_are_turned_away(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the limit a connection is closed at once; a place that becomes free is given again."""
    monkeypatch.setattr(module, "CONNECTIONS_MAX", 1)
    first = house.call()
    second = house.call()
    assert second.recv(1) == b""
    first.close()
    house.connections.poll(1)
    _, connection = house.known()
    assert not connection.closed


def test_a_reset_counts_as_leaving(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receive that fails drops the connection; one that would block does nothing."""
    _, connection = house.known()

    class Failing:
        """A socket whose calls fail as told."""

        def __init__(self, real: socket.socket, error: OSError) -> None:
            self._real, self._error = real, error

        def __getattr__(self, name: str) -> object:
            return getattr(self._real, name)

        def recv(self, _size: int) -> bytes:
            """Fail."""
            raise self._error

        def send(self, _data: bytes) -> int:
            """Fail."""
            raise self._error

    real = connection.socket
    monkeypatch.setattr(connection, "socket", Failing(real, BlockingIOError()))
    house.connections._read(connection)
    connection.outbox += b"x"
    house.connections._flush(connection)
    connection.outbox.clear()
    house.connections.send(connection, FRAME)
    assert connection.outbox == FRAME
    closed = [connection.closed]
    monkeypatch.setattr(connection, "socket", Failing(real, ConnectionResetError()))
    house.connections._read(connection)
    closed.append(connection.closed)
    assert closed == [False, True]
    house.connections._read(connection)
