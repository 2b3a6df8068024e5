"""Whether this machine and installation can run the factory: the checks of ``formicary doctor``.

Looking changes nothing: no server is started, no folder is made.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

import numba

import formicary
from formicary.base.errors import OperationalFault
from formicary.base.kernels import cache_folder
from formicary.runtime.health_learning import examine_learning
from formicary.runtime.health_lending import examine_lending
from formicary.runtime.health_postgres import examine_postgres
from formicary.runtime.settings import Settings
from formicary.surfaces.cli.ports import Check, Outcome

__all__ = ["examine"]

_CORES_MIN: Final = 2
_GIB: Final = 1 << 30
_FREE_BYTES_MIN: Final = 1 * _GIB
_FREE_BYTES_GOOD: Final = 20 * _GIB
_SYNCS: Final = 16
_PAGE_BYTES: Final = 8_192
_SYNC_MS_GOOD: Final = 10.0
# The shortest of the systems' limits for the name of a socket.
_SOCKET_BYTES_MAX: Final = 103
_RELEASED: Final = datetime(2025, 1, 1, tzinfo=UTC)
# What adjtimex(2) returns where nothing keeps the clock right.
_CLOCK_UNSYNCHRONIZED: Final = 5
_TIMEX_BYTES: Final = 256


def examine(settings: Settings) -> Iterator[Check]:
    """Yield one check after the other."""
    yield _python()
    yield _kernels()
    yield _cores()
    yield _clock()
    folder = _existing(settings.home)
    yield _home(settings.home, folder)
    yield _space(folder)
    yield _sync(folder)
    yield _socket(settings.engine_socket)
    yield from examine_postgres(settings)
    yield from examine_learning(settings)
    yield from examine_lending(settings)
    yield _data_sets(settings)


def _python() -> Check:
    version = platform.python_version()
    return Check(name="python", outcome=Outcome.OK, found=f"{version}, {sys.executable}")


def _kernels() -> Check:
    name = "compiled kernels"
    try:
        folder = cache_folder(Path(formicary.__file__).parent, os.environ)
    except OperationalFault as fault:
        return Check(
            name=name, outcome=Outcome.FAIL, found=str(fault), advice="Set FORMICARY_CACHE to a folder."
        )
    compiled = sum(1 for _ in folder.rglob("*.nbi"))
    if not compiled:
        advice = "The first start compiles for about a minute; nothing to do."
        return Check(
            name=name, outcome=Outcome.WARN, found=f"none yet (numba {numba.__version__})", advice=advice
        )
    return Check(name=name, outcome=Outcome.OK, found=f"{compiled}, numba {numba.__version__}, in {folder}")


def _cores() -> Check:
    cores = len(os.sched_getaffinity(0))
    if cores < _CORES_MIN:
        advice = "The engine and PostgreSQL each want a core."
        return Check(name="cores", outcome=Outcome.WARN, found=f"{cores}", advice=advice)
    return Check(name="cores", outcome=Outcome.OK, found=f"{cores}")


def _clock() -> Check:
    now = datetime.now(UTC)
    found = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now < _RELEASED:
        advice = "Set the clock: stamps never go back, so a journal keeps a wrong time."
        return Check(name="clock", outcome=Outcome.FAIL, found=found, advice=advice)
    # Reading needs no right; a system without the call has another way to say it, or none.
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is not None and adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) == _CLOCK_UNSYNCHRONIZED:
        advice = "Nothing keeps it right: run chrony or systemd-timesyncd where real money moves."
        return Check(name="clock", outcome=Outcome.WARN, found=f"{found}, not synchronized", advice=advice)
    return Check(name="clock", outcome=Outcome.OK, found=found)


def _home(home: Path, folder: Path) -> Check:
    if not os.access(folder, os.W_OK):
        advice = "Set FORMICARY_HOME to a folder that can be written."
        return Check(
            name="data folder", outcome=Outcome.FAIL, found=f"{home}: {folder} is closed", advice=advice
        )
    return Check(
        name="data folder", outcome=Outcome.OK, found=f"{home}" + ("" if folder == home else ", not made yet")
    )


def _space(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    found = f"{free / _GIB:.1f} GiB free"
    if free < _FREE_BYTES_MIN:
        advice = "Free some: a full disk stops every commit."
        return Check(name="disk space", outcome=Outcome.FAIL, found=found, advice=advice)
    if free < _FREE_BYTES_GOOD:
        advice = "Enough to try; a journal grows by gigabytes a day at full rate."
        return Check(name="disk space", outcome=Outcome.WARN, found=found, advice=advice)
    return Check(name="disk space", outcome=Outcome.OK, found=found)


def _sync(folder: Path) -> Check:
    name = "disk sync"
    try:
        milliseconds = _sync_ms(folder)
    except OSError as error:
        return Check(
            name=name, outcome=Outcome.FAIL, found=str(error), advice="Set FORMICARY_HOME elsewhere."
        )
    found = f"{milliseconds:.2f} ms"
    if milliseconds > _SYNC_MS_GOOD:
        advice = "Every commit waits for it: use a faster disk, or larger groups."
        return Check(name=name, outcome=Outcome.WARN, found=found, advice=advice)
    return Check(name=name, outcome=Outcome.OK, found=found)


def _sync_ms(folder: Path) -> float:
    """Return the median time that one page takes to be on the disk for good."""
    durations = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            file.write(bytes(_PAGE_BYTES))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            durations.append(1_000 * (time.perf_counter() - began))
    return median(durations)


def _socket(path: Path) -> Check:
    size = len(os.fsencode(path))
    if size > _SOCKET_BYTES_MAX:
        advice = (
            f"Set FORMICARY_HOME to a shorter path: a socket's name has at most {_SOCKET_BYTES_MAX} bytes."
        )
        return Check(
            name="engine's socket", outcome=Outcome.FAIL, found=f"{path}: {size} bytes", advice=advice
        )
    state = "in use or left over" if path.exists() else "no engine runs"
    return Check(name="engine's socket", outcome=Outcome.OK, found=f"{path}, {state}")


def _data_sets(settings: Settings) -> Check:
    if settings.data_sets is None or not settings.data_sets.is_dir():
        advice = "Set FORMICARY_DATA to see the demo with real data; without it a small merchant is invented."
        return Check(name="data sets", outcome=Outcome.WARN, found="none", advice=advice)
    return Check(name="data sets", outcome=Outcome.OK, found=str(settings.data_sets))


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())
