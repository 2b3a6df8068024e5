"""What every test of experiments starts from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factory.experiments.kit import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Return a laboratory in which nothing is tried out."""
    return Lab(tmp_path)
