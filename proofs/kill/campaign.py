"""A campaign of kills against the running factory."""

from __future__ import annotations

import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from proofs.kill.callers import Caller, Ledgered, check_acknowledged
from proofs.kill.http_callers import HttpCaller, Paid, check_paid
from proofs.kill.victims import Victim, kill, pids_of

__all__ = ["Campaign", "Report"]

_START_SECONDS_MAX: Final = 180.0
_ANSWER_SECONDS_MAX: Final = 30.0
_STOP_SECONDS_MAX: Final = 30.0
P50_SECONDS_MAX: Final = 0.6
WORST_SECONDS_MAX: Final = 2.0


@dataclass
class Report:
    """What a campaign saw."""

    waits_seconds: dict[Victim, list[float]] = field(default_factory=dict)
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    unbalanced: int = 0
    hang_ups: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def waits(self) -> list[float]:
        """Seconds from each kill to the first answer after it."""
        return [wait for waits in self.waits_seconds.values() for wait in waits]

    @property
    def is_sound(self) -> bool:
        """Whether nothing was lost, doubled or unbalanced, and every check passed."""
        return not (self.lost or self.doubled or self.unbalanced or self.findings) and bool(self.waits)

    def figures(self) -> dict[str, Any]:
        """Return the report as plain values."""
        by_victim = {
            f"first answer after killing {victim.value}: p50 s, max s, kills": (
                f"{statistics.median(waits):.2f}, {max(waits):.2f}, {len(waits)}"
            )
            for victim, waits in self.waits_seconds.items()
        }
        return {
            "kills": len(self.waits),
            "acknowledged transfers": self.acknowledged,
            "lost": self.lost,
            "doubled": self.doubled,
            "unbalanced": self.unbalanced,
            "answers dropped": self.hang_ups,
            "first answer: p50 s": round(statistics.median(self.waits), 3),
            "first answer: max s": round(max(self.waits), 3),
            **by_victim,
        }


class Campaign:
    """Starts ``formicary up`` in a folder, loads it, kills parts of it, checks what is left."""

    def __init__(
        self, home: Path, *, seed: int, say: Callable[[str], None], through_http: bool = False
    ) -> None:
        self._home = home
        self._through_http = through_http
        self._port = _free_port()
        self._random = random.Random(seed)
        self._say = say
        self._key = ""
        self._environment = os.environ | {
            "FORMICARY_HOME": str(home),
            "FORMICARY_API_PORT": str(self._port),
            "FORMICARY_API_WORKERS": str(int(through_http)),
        }
        self._environment.pop("DATABASE_URL", None)

    def run(self, kills: int) -> Report:
        """Kill so many times; return what was seen."""
        report = Report()
        with (self._home / "up.log").open("wb") as log:
            up = self._start(log)
            finished = False
            try:
                made = self._kill_under_load(kills, report)
                self._check(made, report)
                finished = True
            finally:
                self._stop(up)
                if not finished:
                    sys.stderr.write((self._home / "up.log").read_text()[-4_000:])
        self._verify(report)
        return report

    def _start(self, log: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "formicary", "up"]
        up = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        until = time.monotonic() + _START_SECONDS_MAX
        while not (self._home / "engine.socket").exists():
            if up.poll() is not None or time.monotonic() > until:
                message = f"formicary up did not start: {(self._home / 'up.log').read_text()[-2_000:]}"
                raise RuntimeError(message)
            time.sleep(0.02)
        return up

    def _caller(self) -> Caller | HttpCaller:
        seed = self._random.randrange(2**32)
        if not self._through_http:
            return Caller(self._home / "engine.socket", seed=seed)
        command = [sys.executable, "-m", "formicary", "keys", "house"]
        done = subprocess.run(command, env=self._environment, check=True, capture_output=True, text=True)
        self._key = done.stdout.strip()
        return HttpCaller(self._port, self._key, seed=seed)

    def _kill_under_load(self, kills: int, report: Report) -> Ledgered | Paid:
        known = [victim for victim in Victim if self._through_http or victim is not Victim.API]
        victims = [known[number % len(known)] for number in range(kills)]
        self._random.shuffle(victims)
        with self._caller() as caller:
            caller.open_accounts()
            for number, victim in enumerate(victims, start=1):
                caller.run_for(self._random.uniform(0.05, 0.4))
                struck = kill(victim, pids_of(self._home))
                wait = caller.first_answer_after(struck, seconds_max=_ANSWER_SECONDS_MAX)
                report.waits_seconds.setdefault(victim, []).append(wait)
                self._say(f"{number}/{kills} killed {victim.value}: next answer after {wait:.2f} s")
            caller.run_for(0.3)
            return caller.stop()

    def _check(self, made: Ledgered | Paid, report: Report) -> None:
        report.acknowledged = len(made.acknowledged)
        if isinstance(made, Paid):
            report.hang_ups = made.hang_ups
            outcome = check_paid(self._port, self._key, made)
        else:
            outcome = check_acknowledged(self._home / "engine.socket", made)
        report.lost, report.doubled, report.unbalanced = outcome

    def _stop(self, up: subprocess.Popen[bytes]) -> None:
        up.send_signal(signal.SIGTERM)
        try:
            up.wait(_STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            up.kill()
            up.wait()

    def _verify(self, report: Report) -> None:
        command = [sys.executable, "-m", "formicary", "verify", "--json"]
        done = subprocess.run(command, env=self._environment, check=False, capture_output=True, text=True)
        if done.returncode:
            report.findings.append(f"verify: {done.stdout[-1_000:]} {done.stderr[-1_000:]}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
