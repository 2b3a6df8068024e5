"""What every test of facts starts from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factory.facts.kit import Archive


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Return a factory that was told nothing."""
    return Archive(tmp_path)
