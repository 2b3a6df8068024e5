"""What the tests of the credit score share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.products.credit.kit import Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Return a town in memory: two persons, a shop and a landlord."""
    return Town(tmp_path)
