"""The journal's tests run on the wheel's PostgreSQL and on the system's."""

from __future__ import annotations

import pytest

from tests.fixtures_postgres import access, postgres, small_segments

__all__ = ["access", "postgres", "postgres_source", "small_segments"]


@pytest.fixture(scope="session", params=["wheel", "system"])
def postgres_source(request: pytest.FixtureRequest) -> str:
    """Whose programs: "wheel" or "system"."""
    return str(request.param)
