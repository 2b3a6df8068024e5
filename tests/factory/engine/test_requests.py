"""Ids of commands: they follow from who asks, under which key, and from nothing else."""

from __future__ import annotations

from formicary.factory.engine.requests import command_request, derive_id
from formicary.factory.ledger import ID_MAX
from tests.factory.engine.example_product import RateEscrow

STARS = RateEscrow(subject=2**100, stars=3)


def test_a_retry_has_the_same_id_and_fingerprint() -> None:
    """The same caller, key and body make the same request."""
    first, again = (command_request("escrow", STARS, principal="a", key="k") for _ in range(2))
    assert first == again
    assert 0 < first.command_id <= ID_MAX


def test_another_body_has_another_fingerprint() -> None:
    """The id stays: that is how a reused key is noticed."""
    first = command_request("escrow", STARS, principal="a", key="k")
    other = command_request("escrow", RateEscrow(subject=2**100, stars=4), principal="a", key="k")
    assert first.command_id == other.command_id
    assert first.fingerprint != other.fingerprint


def test_callers_do_not_share_keys() -> None:
    """Neither the same key of two callers nor two pairs that read the same end to end meet."""
    pairs = [("a", "k"), ("b", "k"), ("a", "j"), ("ab", "c"), ("a", "bc"), ("", "1:ak"), ("1:", "ak")]
    ids = {command_request("escrow", STARS, principal=who, key=key).command_id for who, key in pairs}
    assert len(ids) == len(pairs)


def test_derived_ids_are_all_different() -> None:
    """Each thing that a command makes has its own id, and no two commands share one."""
    ids = {derive_id(command, ordinal) for command in (0, 1, ID_MAX) for ordinal in range(100)}
    assert len(ids) == 300
    assert max(ids) <= ID_MAX
