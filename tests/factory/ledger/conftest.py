"""The kernels also run as plain Python, under NUMBA_DISABLE_JIT=1."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest


@pytest.fixture(autouse=True, scope="session")
def integers_wrap_around() -> Iterator[None]:
    """Let integers overflow silently, as they do in compiled kernels: hashing relies on it."""
    with np.errstate(over="ignore"):
        yield
