"""The commit thread."""

from __future__ import annotations

import functools
import select
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from formicary.base.errors import OperationalFault, ProgrammingError
from formicary.factory.engine.committer import Committer


class Appends:
    """An append that fails to begin, waits to be let go, and fails at its end, as told."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.refusal: OperationalFault | None = None
        self.error: OperationalFault | None = None
        self.begun: list[Any] = []
        self.batches: list[Any] = []

    def __call__(self, batch: Any) -> Callable[[], None]:
        """Begin to keep a batch, or fail."""
        if self.refusal is not None:
            raise self.refusal
        self.begun.append(batch)
        return functools.partial(self._finish, batch)

    def _finish(self, batch: Any) -> None:
        self.go.wait()
        if self.error is not None:
            raise self.error
        self.batches.append(batch)


@pytest.fixture
def appends() -> Appends:
    """Return an append under the test's control."""
    return Appends()


@pytest.fixture
def committer(appends: Appends) -> Iterator[Committer]:
    """Yield a committer and end its thread."""
    made = Committer(appends)
    yield made
    appends.go.set()
    made.close()


def test_one_append_at_a_time(committer: Committer, appends: Appends) -> None:
    """It has begun at once, is busy until finished, wakes a selector, and takes no second batch meanwhile."""
    committer.start("first")  # type: ignore[arg-type]
    assert committer.busy
    assert appends.begun == ["first"]
    done = [committer.is_done]
    with pytest.raises(ProgrammingError):
        committer.start("second")  # type: ignore[arg-type]
    appends.go.set()
    assert select.select([committer.wake_read], [], [], 10)[0]
    done.append(committer.is_done)
    assert done == [False, True]
    assert committer.finish() is None
    assert appends.batches == ["first"]
    committer.start("second")  # type: ignore[arg-type]
    assert committer.finish() is None


def test_a_failure_is_an_outcome(committer: Committer, appends: Appends) -> None:
    """What the append raises comes back from ``finish``; the thread goes on."""
    appends.go.set()
    appends.error = OperationalFault("no")
    committer.start("lost")  # type: ignore[arg-type]
    assert committer.finish() is appends.error
    appends.error = None
    committer.start("kept")  # type: ignore[arg-type]
    assert committer.finish() is None
    assert appends.batches == ["kept"]


def test_failing_to_begin_is_an_outcome(committer: Committer, appends: Appends) -> None:
    """So is what the beginning raises: whoever waits for the end learns it there."""
    appends.refusal = OperationalFault("not now")
    committer.start("lost")  # type: ignore[arg-type]
    assert select.select([committer.wake_read], [], [], 10)[0]
    assert committer.finish() is appends.refusal
    assert not committer.busy
