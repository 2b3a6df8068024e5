"""Many callers of the engine's socket, each with one transfer at a time, in one process."""

from __future__ import annotations

import selectors
import socket
import time
from pathlib import Path

import numpy as np

from benchmarks._loads import Load
from formicary.base.errors import OperationalFault
from formicary.factory.engine.frames import Frame, Operation, pack, unpack_all
from formicary.factory.ledger import TRANSFER_RESULT

__all__ = ["single_callers"]


def _require_created(frame: Frame) -> None:
    answered = frame.operation == Operation.CREATE_TRANSFERS
    if not answered or np.frombuffer(frame.payload, TRANSFER_RESULT)[0]["status"]:
        message = f"a caller got {frame!r}"
        raise OperationalFault(message)


def single_callers(path: Path, *, callers: int, seconds: float, seed: int) -> dict[str, float]:
    """Return the rate and the latencies, in milliseconds, of callers that wait for each answer."""
    load = Load("uniform", seed)
    selector = selectors.DefaultSelector()
    sent_at: dict[int, float] = {}
    buffers: dict[int, bytearray] = {}
    latencies: list[float] = []
    sockets = []
    for _ in range(callers):
        caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        caller.connect(str(path))
        selector.register(caller, selectors.EVENT_READ, caller)
        buffers[caller.fileno()] = bytearray()
        sockets.append(caller)
    pending = iter(load.request(1 << 19))

    def send(caller: socket.socket) -> None:
        item = next(pending, None)
        if item is None:
            raise StopIteration
        sent_at[caller.fileno()] = time.perf_counter()
        caller.sendall(pack(Operation.CREATE_TRANSFERS, 1, item.tobytes()))

    began = time.perf_counter()
    for caller in sockets:
        send(caller)
    while time.perf_counter() - began < seconds:
        for key, _ in selector.select(1.0):
            answered: socket.socket = key.data
            buffer = buffers[key.fd]
            buffer += answered.recv(65_536)
            for frame in unpack_all(buffer):
                _require_created(frame)
                latencies.append(time.perf_counter() - sent_at[key.fd])
                send(answered)
    elapsed = time.perf_counter() - began
    for caller in sockets:
        caller.close()
    milliseconds = np.array(latencies) * 1e3
    return {
        "per_second": len(latencies) / elapsed,
        "p50_ms": float(np.quantile(milliseconds, 0.5)),
        "p99_ms": float(np.quantile(milliseconds, 0.99)),
    }
