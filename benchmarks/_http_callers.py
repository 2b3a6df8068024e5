"""Many callers over HTTP in one process: each waits for its answer before it sends the next request."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from typing import Final

import numpy as np

from formicary.base.errors import OperationalFault

__all__ = ["call", "post", "run_callers", "run_paced"]

_READ_BYTES: Final = 1 << 20
_END_OF_HEAD: Final = b"\r\n\r\n"


def post(path: str, body: bytes, *, bearer: str, key: str) -> bytes:
    """Return a request as bytes."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: formicary\r\nAuthorization: Bearer {bearer}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Caller:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """Return the body of an answer that is whole; None while it is not."""
        data = self.socket.recv(_READ_BYTES)
        if not data:
            message = "the API closed a connection"
            raise OperationalFault(message)
        self.buffer += data
        end = self.buffer.find(_END_OF_HEAD)
        if end < 0:
            return None
        head = bytes(self.buffer[:end])
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
        if len(self.buffer) < end + len(_END_OF_HEAD) + length:
            return None
        body = bytes(self.buffer[end + len(_END_OF_HEAD) :])
        if not head.startswith((b"HTTP/1.1 201", b"HTTP/1.1 200")):
            message = f"a caller got {head.decode()} {body.decode()}"
            raise OperationalFault(message)
        self.buffer.clear()
        return body


def call(port: int, request: bytes) -> bytes:
    """Send one request and return the body of its answer."""
    caller = _Caller(port)
    caller.send(request)
    while (body := caller.receive()) is None:
        pass
    caller.socket.close()
    return body


def run_callers(
    port: int, requests: Iterator[bytes], *, callers: int, seconds: float, expected: bytes
) -> dict[str, float]:
    """Return answers a second and latencies, in milliseconds; each answer holds ``expected``."""
    selector = selectors.DefaultSelector()
    opened = [_Caller(port) for _ in range(callers)]
    latencies: list[float] = []
    began = time.perf_counter()
    for caller in opened:
        selector.register(caller.socket, selectors.EVENT_READ, caller)
        caller.send(next(requests))
    while time.perf_counter() - began < seconds:
        for key, _ in selector.select(1.0):
            caller = key.data
            body = caller.receive()
            if body is None:
                continue
            if expected not in body:
                message = f"a caller got {body[:500].decode()}"
                raise OperationalFault(message)
            latencies.append(time.perf_counter() - caller.sent_at)
            caller.send(next(requests))
    elapsed = time.perf_counter() - began
    for caller in opened:
        caller.socket.close()
    return _figures(latencies, elapsed)


def run_paced(
    port: int, requests: Iterator[bytes], *, rate: float, callers: int, seconds: float, expected: bytes
) -> dict[str, float]:
    """Return latencies, in milliseconds, of requests that come at a rate whatever the answers do.

    A request is late where no caller is free at its time; its latency counts from that time on.
    """
    selector = selectors.DefaultSelector()
    free = [_Caller(port) for _ in range(callers)]
    for caller in free:
        selector.register(caller.socket, selectors.EVENT_READ, caller)
    opened = list(free)
    latencies: list[float] = []
    due = time.perf_counter()
    end = due + seconds
    while due < end or len(free) < len(opened):
        now = time.perf_counter()
        while due <= now and due < end and free:
            caller = free.pop()
            caller.send(next(requests))
            caller.sent_at = due
            due += 1 / rate
        wait = max(due - time.perf_counter(), 0.0) if due < end and free else 1.0
        for key, _ in selector.select(wait):
            answered: _Caller = key.data
            body = answered.receive()
            if body is None:
                continue
            if expected not in body:
                message = f"a caller got {body[:500].decode()}"
                raise OperationalFault(message)
            latencies.append(time.perf_counter() - answered.sent_at)
            free.append(answered)
    for caller in opened:
        caller.socket.close()
    return _figures(latencies, seconds)


def _figures(latencies: list[float], seconds: float) -> dict[str, float]:
    milliseconds = np.array(latencies) * 1e3
    return {
        "per_second": len(latencies) / seconds,
        "p50_ms": float(np.quantile(milliseconds, 0.5)),
        "p99_ms": float(np.quantile(milliseconds, 0.99)),
    }
