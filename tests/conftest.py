"""Settings for every test: property tests try the same examples on every run."""

from __future__ import annotations

from hypothesis import settings

# No deadline: the first example of a kernel compiles it. No database: a run leaves nothing behind.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")
