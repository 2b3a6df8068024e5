"""What tests of the engine share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factory.decisions.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give an engine at which nothing is armed."""
    return Desk(tmp_path)
