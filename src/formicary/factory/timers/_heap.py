"""A binary min-heap of timers over a packed array, compiled."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import kernel, kernel_part

__all__ = ["TIMER", "heapify", "pop", "push"]

TIMER: Final = np.dtype(
    [("due", "<i8"), ("position", "<i8"), ("kind", "<u4"), ("reference", "<u4")],
)
"""One timer: due in nanoseconds, the journal position that set it, who it belongs to and to what.

The order is (due, position): two timers due together fire in the order they were set.
"""


@kernel_part
def _before(left: Any, right: Any) -> bool:
    if left["due"] != right["due"]:
        return bool(left["due"] < right["due"])
    return bool(left["position"] < right["position"])


@kernel_part
def _swap(heap: npt.NDArray[Any], left: int, right: int) -> None:
    for_left = heap[left]
    for_right = heap[right]
    due, position = for_left["due"], for_left["position"]
    kind, reference = for_left["kind"], for_left["reference"]
    for_left["due"], for_left["position"] = for_right["due"], for_right["position"]
    for_left["kind"], for_left["reference"] = for_right["kind"], for_right["reference"]
    for_right["due"], for_right["position"] = due, position
    for_right["kind"], for_right["reference"] = kind, reference


@kernel_part
def _sift_down(heap: npt.NDArray[Any], count: int, start: int) -> None:
    parent = start
    while True:
        child = 2 * parent + 1
        if child >= count:
            return
        if child + 1 < count and _before(heap[child + 1], heap[child]):
            child += 1
        if not _before(heap[child], heap[parent]):
            return
        _swap(heap, child, parent)
        parent = child


@kernel
def push(heap: npt.NDArray[Any], count: int, due: int, position: int, kind: int, reference: int) -> None:
    """Add a timer to a heap that holds ``count``; the caller counts and provides the room."""
    timer = heap[count]
    timer["due"] = due
    timer["position"] = position
    timer["kind"] = kind
    timer["reference"] = reference
    child = count
    while child > 0:
        parent = (child - 1) // 2
        if not _before(heap[child], heap[parent]):
            return
        _swap(heap, child, parent)
        child = parent


@kernel
def pop(heap: npt.NDArray[Any], count: int) -> None:
    """Remove the first timer, ``heap[0]``, of a heap that holds ``count`` of at least one."""
    _swap(heap, 0, count - 1)
    _sift_down(heap, count - 1, 0)


@kernel
def heapify(heap: npt.NDArray[Any], count: int) -> None:
    """Put ``count`` timers in any order into heap order."""
    for start in range(count // 2 - 1, -1, -1):
        _sift_down(heap, count, start)
