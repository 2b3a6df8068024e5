"""Settings for every test: the same examples on every run, and what is measured while it runs."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: the first example of a kernel compiles it. No database: a run leaves nothing behind.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


def pytest_collection_finish() -> None:
    """Let no collection of garbage go through the modules and thousands of tests: they stay to the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure a package's coverage by the tests beside it: it makes Python two to three times as slow."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    controller = plugin.cov_controller if plugin else None
    if controller is None or _is_beside(item, controller.cov.get_option("run:source_pkgs")):
        return (yield)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()


def _is_beside(item: pytest.Item, packages: Iterable[str]) -> bool:
    place = item.path.relative_to(item.config.rootpath / "tests")
    folders = (package.split(".")[1:] for package in packages)
    return any(place.is_relative_to(Path(*folder)) for folder in folders)
