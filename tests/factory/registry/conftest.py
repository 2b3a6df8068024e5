"""What every test of the registry starts from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factory.registry.kit import Registry
from tests.fixtures_postgres import access, postgres, postgres_source, small_segments

__all__ = ["access", "postgres", "postgres_source", "registry", "small_segments"]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Return a registry in which nothing is."""
    return Registry(tmp_path)
