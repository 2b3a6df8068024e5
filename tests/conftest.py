"""Settings for every test: the same examples on every run, and what is measured while it runs."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import settings

# No deadline: the first example of a kernel compiles it. No database: a run leaves nothing behind.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage in the folders of the packages that must be covered, and nowhere else.

    A line is covered by a test of its own package, not because something far away happens to pass it. And
    measuring makes Python two to three times as slow, an oracle's loops most of all.
    """
    plugin = item.config.pluginmanager.getplugin("_cov")
    controller = plugin.cov_controller if plugin else None
    if controller is None or _is_measured(item, controller.cov.get_option("run:source_pkgs")):
        return (yield)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()


def _is_measured(item: pytest.Item, packages: list[str]) -> bool:
    folder = item.path.parent.relative_to(item.config.rootpath / "tests")
    parts = ("formicary", *folder.parts)
    return any(parts[: name.count(".") + 1] == tuple(name.split(".")) for name in packages)
