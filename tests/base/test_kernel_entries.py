"""Kernels called without a look at types: what they do stays the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from formicary.base import kernel_entries
from formicary.base.kernel_entries import entry_of, is_plain
from formicary.base.kernels import kernel


@kernel
def _added(array: Any, number: int) -> Any:
    return array.sum() + number


def test_an_entry_does_what_its_kernel_does() -> None:
    """Also with another array of the type, and a number of numpy's."""
    entry = entry_of(_added, np.arange(3), 1)
    assert entry is not _added
    assert entry(np.arange(5), 2) == _added(np.arange(5), 2) == 12
    assert entry(np.arange(5), np.int64(2)) == 12


def test_an_entry_is_the_plain_function_where_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a debugger wants it."""
    monkeypatch.setattr(kernel_entries, "_CONFIG", type("Config", (), {"DISABLE_JIT": 1}))
    assert entry_of(_added, np.arange(3), 1) is _added


def test_what_a_kernel_is_not_compiled_for_is_not_plain() -> None:
    """Another type, every second number, and what may not be written."""
    integers = np.arange(6)
    assert is_plain(integers, np.dtype(np.int64))
    assert is_plain(integers[2:4], np.dtype(np.int64))
    assert not is_plain(integers, np.dtype(np.int32))
    assert not is_plain(integers[::2], np.dtype(np.int64))
    integers.setflags(write=False)
    assert not is_plain(integers, np.dtype(np.int64))
