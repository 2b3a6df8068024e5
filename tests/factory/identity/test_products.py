"""Identity's own products keep the contract of all products."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.engine.conformance import check_product
from formicary.factory.engine.products import Product
from formicary.factory.engine.requests import MalformedCommand
from formicary.factory.engine.state import FactoryState
from formicary.factory.identity import IDENTITY
from formicary.factory.identity._fields import require_well_formed
from formicary.factory.identity.credential import CREDENTIAL_PRODUCT, IssueKey, RevokeKey
from tests.factory.identity.kit import House, hexed


@pytest.mark.parametrize("product", IDENTITY, ids=lambda product: product.name)
def test_they_keep_the_contract(product: Product) -> None:
    """Names, types, and what they do with samples."""
    assert check_product(product) == []


def test_a_product_does_not_run_without_its_neighbours(tmp_path: Path) -> None:
    """A decider that looks for a party would find out in the middle of a step."""
    with pytest.raises(ProgrammingError, match="credential does not run without its neighbours party"):
        FactoryState(tmp_path, [CREDENTIAL_PRODUCT])


@pytest.mark.parametrize(
    "command",
    [
        IssueKey(subject=1, party="no id", hash_first=hexed(1), hash_last=hexed(2), scopes=1),
        IssueKey(subject=1, party=hexed(1), hash_first=hexed(1), hash_last=hexed(2), scopes=2**80),
        IssueKey(subject=1, party=object(), hash_first="", hash_last="", scopes=1),  # type: ignore[arg-type]
    ],
)
def test_a_command_made_by_hand_is_checked(command: IssueKey) -> None:
    """A caller in the same process may have put anything into a struct; the engine must not die of it."""
    with pytest.raises(MalformedCommand):
        require_well_formed(command)


def test_a_malformed_command_is_answered(house: House) -> None:
    """It is refused like any other, and the engine goes on."""
    bad = IssueKey(subject=1, party="no id", hash_first=hexed(1), hash_last=hexed(2), scopes=1)
    assert house.refused("credential", bad) == "malformed_command"
    assert house.refused("credential", RevokeKey(subject=1)) == "key_not_active"
