"""Transfers of many callers in one frame: whoever comes while others are being decided shares the next.

A request is a small batch. The engine's work for a frame is many times that for a transfer, and results do
not depend on where a group is cut: so transfers wait, no longer than the frames before them, and go together.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import numpy.typing as npt

from formicary.base.errors import OperationalFault, Refusal
from formicary.base.limits import QUEUE_REQUESTS_MAX, REQUEST_ITEMS_MAX
from formicary.factory.engine.requests import EngineBusy
from formicary.factory.ledger import Transfer, transfer_array

__all__ = ["Gatherer"]

Records = npt.NDArray[Any]

# One being committed and one being decided: more only makes frames smaller.
_FRAMES_MAX: Final = 2


class _Waiting:
    __slots__ = ("answer", "transfers")

    def __init__(self, transfers: Sequence[Transfer], answer: asyncio.Future[Records]) -> None:
        self.transfers = transfers
        self.answer = answer


class Gatherer:
    """Sends transfers of one event loop's callers together.

    Parameters
    ----------
    send
        Makes transfers, (n,) of ``TRANSFER``; returns one result each.
    """

    def __init__(self, send: Callable[[Records], Awaitable[Records]]) -> None:
        self._send = send
        self._queue: deque[_Waiting] = deque()
        self._frames = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_called = False

    async def create(self, transfers: Sequence[Transfer]) -> Records:
        """Make a chain of transfers; return one result each, (n,) of ``TRANSFER_RESULT``.

        Raises
        ------
        EngineBusy
            Too many wait already; nothing was done.
        Refusal, OperationalFault
            What ``send`` raises.
        """
        if len(self._queue) >= QUEUE_REQUESTS_MAX:
            raise EngineBusy
        loop = asyncio.get_running_loop()
        waiting = _Waiting(transfers, loop.create_future())
        self._queue.append(waiting)
        if not self._is_called and self._frames < _FRAMES_MAX:
            # After what else this turn of the loop brings.
            self._is_called = True
            loop.call_soon(self._start)
        return await waiting.answer

    def _start(self) -> None:
        self._is_called = False
        while self._queue and self._frames < _FRAMES_MAX:
            group = self._next_group()
            self._frames += 1
            task = asyncio.get_running_loop().create_task(self._carry(group))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _next_group(self) -> list[_Waiting]:
        group, items = [], 0
        while self._queue and items + len(self._queue[0].transfers) <= REQUEST_ITEMS_MAX:
            waiting = self._queue.popleft()
            items += len(waiting.transfers)
            group.append(waiting)
        return group

    async def _carry(self, group: list[_Waiting]) -> None:
        try:
            transfers = [transfer for waiting in group for transfer in waiting.transfers]
            results = await self._send(transfer_array(transfers))
        except (Refusal, OperationalFault) as error:
            for waiting in group:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
        else:
            at = 0
            for waiting in group:
                until = at + len(waiting.transfers)
                if not waiting.answer.done():
                    waiting.answer.set_result(results[at:until])
                at = until
        finally:
            self._frames -= 1
            self._start()
