"""The tests that mutants have to survive: the ledger's own, collected once, with what each executes."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from proofs.mutation.kernels import FOLDER, ROOT

__all__ = ["TESTS", "Place", "Suite", "SuiteBroken", "TracedTest", "with_suite"]

TESTS: Final = ROOT / "tests" / "factory" / "ledger"
_WORLDS_MAX: Final = 2
"""So many random worlds of each test that has them are tried: more take long and find little."""
_LEFT_OUT: Final = frozenset({"test_the_largest_request_of_each_kind"})
"""Takes as long as a hundred others, and its events are plain: it is about room."""
# Nothing is printed, measured or remembered.
_OPTIONS: Final = (
    *("-c", str(ROOT / "pyproject.toml"), "-o", "addopts=--import-mode=importlib"),
    *("--capture=no", "-p", "no:terminal", "-p", "no:cacheprovider"),
)

Place = tuple[str, int | str]
"""A line of a module, or a function of it."""


class SuiteBroken(RuntimeError):
    """The tests cannot be run, or fail without any change: no mutant can be judged."""


@dataclass(frozen=True, slots=True)
class TracedTest:
    """One test, how long it takes, and the places in the kernels that it executes."""

    name: str
    cpu_seconds: float
    """Of its run under the trace, which takes longer than one without."""
    places: frozenset[Place]


class Suite:
    """The collected tests, which run within pytest's session."""

    def __init__(self, items: Iterable[pytest.Item]) -> None:
        self._items = {item.nodeid: item for item in items}
        self._failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        self._failed = self._failed or report.failed

    def passes(self, name: str) -> bool:
        """Run a test; tell whether it passes."""
        item = self._items[name]
        self._failed = False
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        return not self._failed

    def trace(self) -> list[TracedTest]:
        """Run every test once.

        Raises
        ------
        SuiteBroken
            A test fails.
        """
        return [self._trace(name) for name in self._items]

    def _trace(self, name: str) -> TracedTest:
        places: set[Place] = set()
        started = time.process_time()
        sys.settrace(_tracer(places))
        try:
            passed = self.passes(name)
        finally:
            sys.settrace(None)
        if not passed:
            message = f"without any change: {name}"
            raise SuiteBroken(message)
        return TracedTest(name, time.process_time() - started, frozenset(places))


def _tracer(places: set[Place]) -> Callable[..., Any]:
    """Return a trace function that notes in ``places`` what is executed of the kernels."""

    def noting_lines_of(module: str) -> Callable[..., Any]:
        def note_line(frame: FrameType, _event: str, _argument: object) -> Any:
            places.add((module, frame.f_lineno))
            return note_line

        return note_line

    kernels = {str(path): (path.stem, noting_lines_of(path.stem)) for path in FOLDER.glob("_[a-z]*.py")}
    nothing = None, None

    def note_call(frame: FrameType, _event: str, _argument: object) -> Any:
        module, note_line = kernels.get(frame.f_code.co_filename, nothing)
        if module is not None:
            places.add((module, frame.f_code.co_name))
        return note_line

    return note_call


class _Session:
    """A plugin that does something with the collected tests in the place of running them."""

    def __init__(self, action: Callable[[Suite], None]) -> None:
        self._action = action

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests that are worth their time."""
        worlds = Counter[object]()
        kept = []
        for item in items:
            function, parameters = getattr(item, "originalname", ""), getattr(item, "callspec", None)
            worlds[function] += parameters is not None and "world" in parameters.params
            if function not in _LEFT_OUT and worlds[function] <= _WORLDS_MAX:
                kept.append(item)
        items[:] = kept

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Do it."""
        suite = Suite(session.items)
        session.config.pluginmanager.register(suite)
        self._action(suite)
        return True


def with_suite(action: Callable[[Suite], None], tests: Path) -> None:
    """Collect the tests of a folder or file and do ``action`` with them, within pytest's session.

    Raises
    ------
    SuiteBroken
        They cannot be collected, or the action raised something, which pytest has printed.
    """
    code = pytest.main([*_OPTIONS, str(tests)], plugins=[_Session(action)])
    if code != pytest.ExitCode.OK:
        message = f"pytest ended with {code!r}"
        raise SuiteBroken(message)
