"""Settings for every test: the same examples on every run, and what is measured while it runs."""

from __future__ import annotations

import gc
from collections.abc import Generator
from typing import Final

import pytest
from hypothesis import settings

# No deadline: the first example of a kernel compiles it. No database: a run leaves nothing behind.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


# Oracles in plain Python, whole campaigns, and pages: what they pass through on the way is tried nearer by.
_UNMEASURED: Final = (
    "benchmarks",
    "client",
    "docs",
    "economy",
    "factory/decisions",
    "factory/features",
    "factory/models",
    "products/payments",
    "proofs",
    "surfaces/cli",
)


def pytest_collection_finish() -> None:
    """Let no collection of garbage go through the modules and thousands of tests: they stay to the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage but where it costs most: it makes plain Python two to three times as slow."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    controller = plugin.cov_controller if plugin else None
    if controller is None or not _is_unmeasured(item):
        return (yield)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()


def _is_unmeasured(item: pytest.Item) -> bool:
    place = item.path.relative_to(item.config.rootpath / "tests")
    return any(place.is_relative_to(folder) for folder in _UNMEASURED)
