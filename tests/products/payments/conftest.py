"""What the tests of payments share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.products.payments.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return a house in memory."""
    return House(tmp_path)
