"""Child processes kept alive."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from formicary.runtime.children import AskedToEnd, Child, Children


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    for _ in range(2_000):
        if holds():
            return
        time.sleep(0.005)
    raise AssertionError


def waiting(path: Path) -> Callable[[], None]:
    """Return a child's main that says it runs and waits to be asked to end."""

    def main() -> None:
        stop = AskedToEnd()
        path.write_text(str(os.getpid()))
        while not stop.asked:
            time.sleep(0.005)

    return main


def test_a_child_that_is_killed_is_forked_again(tmp_path: Path) -> None:
    """It comes back with another number, and ends when asked."""
    said = tmp_path / "said"
    child = Child("child", waiting(said))
    children = Children([child])
    assert children.tend() == ["child"]
    until(lambda: said.exists() and said.read_text())
    first = child.pid
    os.kill(first, signal.SIGKILL)
    until(children.tend)
    assert children.pids["child"] not in (0, first)
    assert child.deaths == [-signal.SIGKILL]
    until(lambda: said.read_text() == str(child.pid))
    children.stop(10)
    assert children.pids == {"child": 0}
    assert child.deaths[-1] == 0


def test_a_child_that_dies_at_once_is_forked_ever_more_slowly() -> None:
    """A failing start does not eat the machine."""
    child = Child("child", lambda: os._exit(3))
    children = Children([child])
    until(lambda: (children.tend(), len(child.deaths) >= 5)[1])
    assert set(child.deaths) == {3}
    assert child.not_before - time.monotonic() > 0.05
    children.stop(1)


def test_a_child_that_does_not_go_is_forced() -> None:
    """Past the deadline it is killed."""

    def main() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)

    child = Child("stubborn", main)
    children = Children([child])
    children.tend()
    time.sleep(0.2)
    children.stop(0.1)
    assert children.pids == {"stubborn": 0}
