"""The README's first payment, as a newcomer types it: a shell, curl, then the client."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures_postgres import open_folder

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "README.md").read_text().partition("## A first payment")[2].partition("\n## ")[0]
SHELL, PYTHON = (re.findall(rf"```{kind}\n(.*?)```", SECTION, re.DOTALL)[0] for kind in ("sh", "python"))
UP = "FORMICARY_SANDBOX=1 formicary up &"
PATIENCE_SECONDS = 180


@pytest.fixture
def surroundings() -> Iterator[dict[str, str]]:
    """Run what the first line of the section starts, on a free port, until the test is over."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed (Debian: apt-get install curl)")
    home = open_folder()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {
        "PATH": programs,
        "FORMICARY_HOME": str(home),
        "FORMICARY_API_PORT": str(port),
        "FORMICARY_SANDBOX": "1",
    }
    running = subprocess.Popen(
        [f"{Path(sys.executable).parent}/formicary", "up"], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        _await(f"http://127.0.0.1:{port}/readyz")
        yield environment
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(60)
        shutil.rmtree(home)


def _await(url: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail("the API did not come up")


def test_a_first_payment(surroundings: dict[str, str]) -> None:
    """Every line works as it stands, but for the port; the last one again pays nothing again."""
    first, _, rest = SHELL.partition("\n")
    assert first.startswith(UP)
    script = rest.replace("8420", surroundings["FORMICARY_API_PORT"])
    last = script.strip().splitlines()[-1]
    told = f'echo; {last}; echo; echo "$alice $shop $FORMICARY_KEY"'
    shown = subprocess.run(
        ["/bin/bash", "-ec", f"{script}\n{told}"],
        env=surroundings,
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    ).stdout.splitlines()
    assert '"status":"completed"' in shown[-2]
    assert shown[-3].endswith(shown[-2])
    alice, shop, key = shown[-1].split()
    names: dict[str, Any] = {"alice": alice, "shop": shop, "key": key}
    exec(PYTHON.replace("8420", surroundings["FORMICARY_API_PORT"]), names)  # noqa: S102 - text of ours.
    assert f'"id":"{names["payment"].id}"' in shown[-2]
    assert names["escrow"].buyer == alice
