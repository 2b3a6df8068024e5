"""Tests of a model that is looked at live need a home with a server."""

from __future__ import annotations

from tests.runtime.conftest import hosted_home, new_home, shared_home

__all__ = ["hosted_home", "new_home", "shared_home"]
