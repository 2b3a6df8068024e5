"""What every test of identity starts from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factory.identity.kit import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return a house in which nobody is known."""
    return House(tmp_path)
