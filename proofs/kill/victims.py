"""Who dies, and how."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

__all__ = ["Victim", "kill", "pids_of"]


class Victim(Enum):
    """What is killed."""

    ENGINE = "the engine"
    POSTGRES = "postgres alone"
    POSTGRES_AND_BACKENDS = "postgres with its backends"
    API = "the API's worker"


def pids_of(home: Path) -> dict[str, int]:
    """Return the process numbers by name, waiting until all are up."""
    while True:
        lines = (home / "processes").read_text().split("\n")
        pids = {name: int(pid) for name, pid in (line.split() for line in lines if line)}
        if pids and all(pids.values()):
            return pids
        time.sleep(0.005)


def kill(victim: Victim, pids: Mapping[str, int]) -> float:
    """Kill a victim with ``SIGKILL``; return when, on the monotonic clock."""
    if victim is Victim.ENGINE:
        numbers = [pids["engine"]]
    elif victim is Victim.API:
        numbers = [pids["api-1"]]
    elif victim is Victim.POSTGRES:
        numbers = [pids["postgres"]]
    else:
        numbers = [pids["postgres"], *_children(pids["postgres"])]
    struck = time.monotonic()
    for number in numbers:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            # It died by itself since it was listed; so much the worse for it.
            continue
    return struck


def _children(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == pid:
                found.append(int(folder.name))
    return found
