"""A kernel called without numba looking at the types of what it is given.

To find the compiled version for a call, numba takes every argument apart: 6 µs for a record of fourteen
arrays, a fifth of a whole decision. Where the types are the same at every call, once is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numba

__all__ = ["entry_of", "is_plain"]

_CONFIG: Final[Any] = numba.config


def entry_of(kernel: Callable[..., Any], *given: Any) -> Callable[..., Any]:
    """Return what a kernel does with arguments of the types of these.

    Nothing checks later calls: whoever makes them answers for the types, see ``is_plain``.
    """
    if _CONFIG.DISABLE_JIT:
        return kernel
    compiled: Any = kernel
    typeof: Any = numba.typeof
    entry: Callable[..., Any] = compiled.compile(tuple(typeof(one) for one in given))
    return entry


def is_plain(array: Any, dtype: Any) -> bool:
    """Tell whether an array is what kernels are compiled for: contiguous, aligned, writable, of a type."""
    return bool(array.dtype == dtype and array.flags.carray)
