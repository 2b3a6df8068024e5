"""What the tests of servicing share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.products.lending.servicing.bank import Bank


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Return a bank in memory."""
    return Bank(tmp_path)
