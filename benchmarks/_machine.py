"""What machine the figures were taken on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import numba
import numpy as np

__all__ = ["machine"]


def machine() -> dict[str, str | int]:
    """Return the processor, cores, memory and versions."""
    cpu_lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in cpu_lines if line.startswith("model name")), "?")
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": model,
        "cores": os.cpu_count() or 0,
        "memory_gib": round(pages * page_bytes / 2**30),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "load_average_before": f"{os.getloadavg()[0]:.2f}",
    }
